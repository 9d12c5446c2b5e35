// The binary as a user runs it (without a broker in it): exit codes, what goes to stdout and stderr.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <sys/wait.h>

namespace {

struct Ran {
    int code;
    std::string output;  // Of both streams.
};

Ran run(const std::string& words, const std::string& environment = "") {
    const std::string command =
        "env -u MILLRACE_BOOTSTRAP " + environment + " " + CLI_PROGRAM + " " + words + " 2>&1 </dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    std::array<char, 4096> part;
    while (const size_t n = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), n);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string file_with(const std::string& text) {
    std::string path = "/tmp/millrace-cli-test-XXXXXX";
    const int fd = mkstemp(path.data());
    REQUIRE(fd >= 0);
    std::ofstream(path) << text;
    return path;
}

}  // namespace

TEST_CASE("bare millrace, help and version succeed") {
    CHECK(run("").code == 0);
    CHECK(has(run("").output, "millrace serve --data ./data"));
    CHECK(run("help topic create").code == 0);
    CHECK(has(run("topic").output, "millrace topic describe"));
    CHECK(has(run("version").output, "kafka protocol"));
    CHECK(run("--version").code == 0);
    CHECK(has(run("topic create --help").output, "Example"));
}

TEST_CASE("a misspelt command is a usage error with a suggestion") {
    const Ran ran = run("topic craete x");
    CHECK(ran.code == 2);
    CHECK(has(ran.output, "did you mean `millrace topic create`?"));
    CHECK(has(run("prodcue x").output, "millrace produce"));
    CHECK(run("help nonsense").code == 2);
}

TEST_CASE("wrong options are usage errors") {
    CHECK(run("topic create").code == 2);
    CHECK(run("topic list -o yaml").code == 2);
    CHECK(run("topic create x --partitions many").code == 2);
    CHECK(run("topic delete x").code == 2);  // Nobody there to be asked.
    CHECK(run("serve --set nonsense").code == 2);
    CHECK(run("bench produce --acks 0").code == 2);
}

TEST_CASE("no broker is exit code 3, with the address, the cause and the mend") {
    const Ran ran = run("topic list -b 127.0.0.1:1 --timeout 1s");
    CHECK(ran.code == 3);
    CHECK(has(ran.output, "127.0.0.1:1: connection refused"));
    CHECK(has(ran.output, "millrace serve"));
    CHECK(run("produce t hello -b 127.0.0.1:1 --timeout 1s").code == 3);
    CHECK(run("consume t -b 127.0.0.1:1 --timeout 1s").code == 3);
    CHECK(run("group list -b 127.0.0.1:1 --timeout 1s").code == 3);
    CHECK(run("bench produce -b 127.0.0.1:1 --timeout 1s").code == 3);
    CHECK(run("topic list --timeout 1s", "MILLRACE_BOOTSTRAP=127.0.0.1:1").code == 3);
    CHECK(run("topic list -b no.such.host:1 --timeout 1s").code == 3);
}

TEST_CASE("serve hands its flags to the broker, over file and environment") {
    const std::string file = file_with("node.id=7\nnum.partitions=4\nnum.io.threads=8\n");
    const Ran ran =
        run("serve --config " + file +
                " --data /data --listen 127.0.0.1:1234 --shards 2 --ready-fd 5 --set num.partitions=6",
            "KAFKA_NUM_PARTITIONS=5");
    CHECK(ran.code == 0);
    CHECK(has(ran.output, "node 7 at 127.0.0.1:1234 in /data with 2 shards, partitions 6, ready-fd 5"));
    CHECK(has(ran.output, "notice without effect: num.io.threads"));
    CHECK(has(run("start --node-id 3").output, "node 3 at 0.0.0.0:9092"));
    CHECK(has(run("serve", "MILLRACE_NODE_ID=9").output, "node 9 "));
    std::remove(file.c_str());
}

TEST_CASE("a bad server configuration is exit code 78") {
    const std::string file = file_with("\nnum.partition=4\n");
    const Ran ran = run("serve --config " + file);
    CHECK(ran.code == 78);
    CHECK(has(ran.output, ":2: unknown key 'num.partition'; did you mean num.partitions?"));
    CHECK(run("serve --config /no/such/file").code == 78);
    CHECK(run("serve --set listeners=SSL://:1").code == 78);
    CHECK(run("serve --shards none").code == 78);
    std::remove(file.c_str());
}

TEST_CASE("tools for a stopped directory say what is wrong and how to mend it") {
    const Ran missing = run("log verify /nowhere/at-all");
    CHECK(missing.code == 5);
    CHECK(has(missing.output, "there is no directory /nowhere/at-all"));
    CHECK(run("log dump /nowhere/at-all").code == 5);
    CHECK(has(run("log dump /etc/passwd").output, "nothing is known of a file of that name"));
    CHECK(run("log import /nowhere --data /tmp/never --dry-run").code == 5);
    CHECK(has(run("log import /tmp --data /tmp/never --dry-run").output, "no meta.properties"));
    CHECK(has(run("log repair /tmp --discard-damaged").output, "--yes says that you mean it"));
    CHECK(run("log verify /tmp -o csv").code == 2);
    CHECK(has(run("log verify /tmp -p 0").output, "--partition is of a topic"));
}
