// Shard threads on real rings: letters between them, signals, the end; the log; facts about the process.
#include "millrace/host.h"

#include <atomic>
#include <csignal>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

using namespace millrace;
using namespace millrace::test;

namespace {

// One shard's half of a storm: keeps `window` letters travelling to the peer and back until `rounds` came
// home.
struct Storm {
    static constexpr uint64_t window = 64, rounds = 100'000;

    struct Ball final : Letter {
        Storm* storm = nullptr;
        bool homeward = false;
        uint64_t number = 0;
        void deliver() override { homeward ? storm->came_home(*this) : storm->turn_round(*this); }
    };

    void begin(Io& own) {
        io = &own;
        for (auto& ball : balls) ball.storm = this, throw_out(ball);
    }
    void throw_out(Ball& ball) {
        ball.homeward = false, ball.number = thrown++;
        io->post(peer->io_shard, ball);
    }
    // On the peer's thread.
    void turn_round(Ball& ball) {
        in_order = in_order && ball.number == turned++;
        ball.homeward = true;
        peer->io->post(io_shard, ball);
    }
    void came_home(Ball& ball) {
        in_order_home = in_order_home && ball.number == home++;
        if (thrown < rounds) return throw_out(ball);
        if (home == rounds && storms_left->fetch_sub(1) == 1) host->stop();
    }

    ShardId io_shard;
    Io* io = nullptr;
    Storm* peer = nullptr;
    Host* host = nullptr;
    std::atomic<int>* storms_left = nullptr;
    std::array<Ball, window> balls;
    uint64_t thrown = 0, home = 0;
    bool in_order_home = true;
    alignas(64) uint64_t turned = 0;  // The peer's.
    bool in_order = true;
};

}  // namespace

TEST_CASE("letters between two shards cross in order, in both directions at once") {
    KeptLog log;
    std::array<Storm, 2> storms;
    std::atomic<int> left{2};
    Host host({.shards = 2, .log_sink = &log, .start = [&](Io& io) { storms[io.shard().value].begin(io); }});
    for (uint16_t i = 0; i < 2; i++) {
        storms[i].io_shard = ShardId{i};
        storms[i].peer = &storms[1 - i], storms[i].host = &host, storms[i].storms_left = &left;
    }
    CHECK(!host.run());
    for (auto& storm : storms) {
        CHECK(storm.home == Storm::rounds);
        CHECK(storm.in_order);
        CHECK(storm.in_order_home);
    }
}

TEST_CASE("signals are told on shard 0, one after the other; every shard starts and finishes") {
    KeptLog log;
    std::atomic<int> started{0}, finished{0};
    std::vector<unsigned> signals;
    Host* running = nullptr;
    Host host({.shards = 3,
               .log_sink = &log,
               .start =
                   [&](Io& io) {
                       started++;
                       if (io.shard().value == 0) kill(getpid(), SIGTERM);
                   },
               .on_signal =
                   [&](Io& io, unsigned nth) {
                       CHECK(io.shard().value == 0);
                       signals.push_back(nth);
                       if (nth == 1) kill(getpid(), SIGINT);
                       if (nth == 2) running->stop();
                   },
               .finish = [&](Io&) { finished++; }});
    running = &host;
    CHECK(!host.run());
    CHECK(started == 3);
    CHECK(finished == 3);
    CHECK(signals == std::vector<unsigned>{1, 2});
}

TEST_CASE("a host without file descriptors says so and runs nothing") {
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    for (const rlim_t spare : {0, 2, 5}) {
        KeptLog log;
        bool started = false;
        const int lowest_free = dup(0);
        close(lowest_free);
        const rlimit tight{static_cast<rlim_t>(lowest_free) + spare, before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &tight);
        Host host({.shards = 3, .log_sink = &log, .start = [&](Io&) { started = true; }});
        const auto reason = host.run();
        setrlimit(RLIMIT_NOFILE, &before);
        REQUIRE(reason);
        CHECK(reason->find("ulimit -n") != std::string::npos);
        CHECK(!started);
    }
}

TEST_CASE("this machine can run it") {
    const auto reason = check_host();
    CHECK_MESSAGE(!reason, reason.value_or(""));
}

namespace {

// What check_host says where a seccomp profile answers io_uring_setup with this error; tried in a child.
std::string reason_under_seccomp(uint32_t error) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = fork();
    if (child == 0) {
        sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const sock_fprog program{4, filter};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
        const std::string reason = check_host().value_or("none");
        _exit(write(ends[1], reason.data(), reason.size()) < 0);
    }
    char text[1000] = "";
    close(ends[1]);
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return text;
}

}  // namespace

TEST_CASE("where io_uring is forbidden the reason and its mend are told in one line") {
    const std::string forbidden = reason_under_seccomp(EPERM);
    CHECK(forbidden.find("seccomp") != std::string::npos);
    CHECK(forbidden.find('\n') == std::string::npos);
    CHECK(reason_under_seccomp(ENOSYS).find("sandbox") != std::string::npos);
    CHECK(reason_under_seccomp(ENOMEM).find("ulimit -l") != std::string::npos);
}

TEST_CASE("the log writes every line, in order, before it is destroyed") {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    {
        StreamLogSink sink(ends[1]);
        sink.write(Level::info, "first");
        sink.write(Level::warn, "second");
    }
    char text[100] = "";
    CHECK(read(ends[0], text, sizeof text) > 0);
    CHECK(std::string(text) == "first\nsecond\n");
    close(ends[0]), close(ends[1]);
}

TEST_CASE("a slow reader of the log costs lines, not time") {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const std::string line(1000, 'x');
    auto sink = std::make_unique<StreamLogSink>(ends[1]);
    for (size_t i = 0; i < 3 * StreamLogSink::lines_max; i++) sink->write(Level::info, line);
    CHECK(sink->dropped() > 0);
    close(ends[0]);
    std::signal(SIGPIPE, SIG_IGN);
    sink.reset();
    close(ends[1]);
}

TEST_CASE("facts about the process are plausible") {
    const auto facts = process_facts();
    CHECK(facts.resident_bytes > 100'000);
    CHECK(facts.open_files >= 3);
    CHECK(facts.threads >= 1);
    CHECK(facts.pid == getpid());
    CHECK(facts.started_ms <= wall_clock_ms());
    CHECK(facts.started_ms > wall_clock_ms() - 3'600'000);
    CHECK(cpu_count() >= 1);
    CHECK(raise_file_limit() >= 1024);
    CHECK(!machine_facts().kernel.empty());
    CHECK(terminal_facts().width > 0);
}

TEST_CASE("the environment is found by name and by beginning") {
    setenv("MILLRACE_TEST_B", "2", 1);
    setenv("MILLRACE_TEST_A", "1=x", 1);
    CHECK(environment("MILLRACE_TEST_A") == "1=x");
    CHECK(!environment("MILLRACE_TEST_C"));
    const auto found = environment_with("MILLRACE_TEST_");
    REQUIRE(found.size() == 2);
    CHECK(found[0] == std::pair<std::string, std::string>{"MILLRACE_TEST_A", "1=x"});
}

TEST_CASE("a directory is held by one at a time") {
    ScratchDirectory directory;
    int error = 0;
    auto first = DirectoryLock::take(directory.path(), error);
    REQUIRE(first);
    CHECK(!DirectoryLock::take(directory.path(), error));
    CHECK(error == -EWOULDBLOCK);
    first.reset();
    CHECK(DirectoryLock::take(directory.path(), error));
    CHECK(!DirectoryLock::take(directory / "none", error));
    CHECK(error == -ENOENT);
}
