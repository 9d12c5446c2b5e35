// Files on a real ring: ext4 or whatever /tmp is, and tmpfs.
#include <cerrno>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "run.h"

using namespace millrace;
using namespace millrace::test;
using Kind = Op::Kind;

namespace {

constexpr uint32_t new_file = Op::read_write | Op::create | Op::exclusive;

Task<int32_t> open_file(Io& io, std::string path, uint32_t flags) {
    co_return co_await Once{io, Kind::open, {.flags = flags, .path = path.c_str()}};
}

Task<int32_t> on_path(Io& io, Kind kind, std::string path) {
    co_return co_await Once{io, kind, {.path = path.c_str()}};
}

Task<uint64_t> size_of(Io& io, std::string path) {
    FileInfo info;
    const int32_t rc = co_await Once{io, Kind::stat, {.path = path.c_str(), .info = &info}};
    CHECK(rc == 0);
    co_return info.size;
}

Task<> write_and_read(Io& io) {
    ScratchDirectory directory;
    const int fd = co_await open_file(io, directory / "a", new_file);
    REQUIRE(fd >= 0);
    std::string text = "twelve bytes", back(100, '.');
    int32_t n = co_await Once{io, Kind::write, {.fd = fd, .data = text.data(), .size = 12, .offset = 5}};
    CHECK(n == 12);
    n = co_await Once{io, Kind::read, {.fd = fd, .data = back.data(), .size = 100, .offset = 5}};
    CHECK(n == 12);
    CHECK(back.substr(0, 12) == text);
    n = co_await Once{io, Kind::read, {.fd = fd, .data = back.data(), .size = 100, .offset = 17}};
    CHECK(n == 0);
    n = co_await Once{io, Kind::sync, {.fd = fd}};
    CHECK(n == 0);
    n = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(n == 0);
    const uint64_t size = co_await size_of(io, directory / "a");
    CHECK(size == 17);
}

Task<> direct_round_trip(Io& io, std::string parent, bool registered) {
    ScratchDirectory directory(parent);
    const int fd = co_await open_file(io, directory / "log", new_file | Op::direct);
    REQUIRE(fd >= 0);
    IoBuffer out(256 << 10), in(256 << 10);
    if (registered) io.register_buffer(out), io.register_buffer(in);
    for (size_t i = 0; i < out.size(); i++) out.data()[i] = static_cast<uint8_t>(i * 7 + i / 4096);
    int32_t n = co_await Once{io, Kind::allocate, {.fd = fd, .size = 1 << 20}};
    CHECK(n == 0);
    n = co_await Once{io,
                      Kind::write,
                      {.fd = fd,
                       .data = out.data() + 4096,
                       .size = out.size() - 4096,
                       .offset = 8192,
                       .flags = Op::durable,
                       .buffer = &out}};
    CHECK(n == static_cast<int32_t>(out.size() - 4096));
    CHECK(!out.in_flight());
    n = co_await Once{
        io, Kind::read, {.fd = fd, .data = in.data(), .size = in.size(), .offset = 8192, .buffer = &in}};
    CHECK(n == static_cast<int32_t>(in.size()));
    CHECK(std::memcmp(in.data(), out.data() + 4096, out.size() - 4096) == 0);
    const uint64_t size = co_await size_of(io, directory / "log");
    CHECK(size == 1 << 20);
    io.unregister_buffer(out), io.unregister_buffer(in);
    CHECK(io.statistics().registered_bytes == 0);
    n = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(n == 0);
}

Task<> direct_on_disk(Io& io) { return direct_round_trip(io, "/tmp", false); }
Task<> direct_registered(Io& io) { return direct_round_trip(io, "/tmp", true); }
Task<> direct_on_tmpfs(Io& io) { return direct_round_trip(io, "/dev/shm", false); }

Task<> refusals(Io& io) {
    ScratchDirectory directory;
    int32_t rc = co_await open_file(io, directory / "none", Op::read_write);
    CHECK(rc == -ENOENT);
    const int fd = co_await open_file(io, directory / "a", new_file);
    REQUIRE(fd >= 0);
    rc = co_await open_file(io, directory / "a", new_file | Op::direct);
    CHECK(rc == -EEXIST);
    rc = co_await Once{io, Kind::read, {.fd = -1, .data = &rc, .size = 1}};
    CHECK(rc == -EBADF);
    rc = co_await on_path(io, Kind::remove, directory / "none");
    CHECK(rc == -ENOENT);
    rc = co_await on_path(io, Kind::sync_directory, directory / "none");
    CHECK(rc == -ENOENT);
    std::vector<std::string> names;
    const std::string none = directory / "none";
    rc = co_await Once{io, Kind::list, {.path = none.c_str(), .names = &names}};
    CHECK(rc == -ENOENT);
    rc = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(rc == 0);
}

Task<> full_disk(Io& io) {
    const int fd = co_await open_file(io, "/dev/full", Op::read_write);
    REQUIRE(fd >= 0);
    char byte = 0;
    const int32_t n = co_await Once{io, Kind::write, {.fd = fd, .data = &byte, .size = 1}};
    CHECK(n == -ENOSPC);
    const int32_t rc = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(rc == 0);
}

Task<> names_change(Io& io) {
    ScratchDirectory directory;
    const std::string b = directory / "b", c = directory / "c", inner = directory / "inner";
    int32_t rc = co_await on_path(io, Kind::make_directory, inner);
    CHECK(rc == 0);
    rc = co_await on_path(io, Kind::make_directory, inner);
    CHECK(rc == -EEXIST);
    const int fd = co_await open_file(io, b, new_file);
    rc = co_await Once{io, Kind::truncate, {.fd = fd, .size = 12345}};
    CHECK(rc == 0);
    rc = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(rc == 0);
    rc = co_await Once{io, Kind::rename, {.path = b.c_str(), .target = c.c_str()}};
    CHECK(rc == 0);
    rc = co_await on_path(io, Kind::sync_directory, directory.path());
    CHECK(rc == 0);
    std::vector<std::string> names{"stale"};
    rc = co_await Once{io, Kind::list, {.path = directory.path().c_str(), .names = &names}};
    CHECK(rc == 0);
    CHECK(names == std::vector<std::string>{"c", "inner"});
    const uint64_t size = co_await size_of(io, c);
    CHECK(size == 12345);
    rc = co_await on_path(io, Kind::remove, c);
    CHECK(rc == 0);
    rc = co_await on_path(io, Kind::remove, inner);
    CHECK(rc == 0);
    rc = co_await Once{io, Kind::list, {.path = directory.path().c_str(), .names = &names}};
    CHECK(names.empty());
}

Task<> space(Io& io) {
    DiskSpace space;
    const int32_t rc = co_await Once{io, Kind::disk_space, {.path = "/tmp", .space = &space}};
    CHECK(rc == 0);
    CHECK(space.total > 0);
    CHECK(space.available <= space.total);
}

Task<int32_t> write_block(Io& io, int fd, IoBuffer& buffer, uint64_t number) {
    co_return co_await Once{
        io,
        Kind::write,
        {.fd = fd, .data = buffer.data(), .size = 4096, .offset = number * 4096, .buffer = &buffer}};
}

// procfs has no O_DIRECT.
Task<> open_without_direct(Io& io) {
    char text[100];
    for (int i = 0; i < 2; i++) {
        const int fd = co_await open_file(io, "/proc/self/status", Op::read_only | Op::direct);
        REQUIRE(fd >= 0);
        int32_t rc = co_await Once{io, Kind::read, {.fd = fd, .data = text, .size = sizeof text}};
        CHECK(rc > 0);
        rc = co_await Once{io, Kind::close, {.fd = fd}};
        CHECK(rc == 0);
    }
    CHECK(io.statistics().buffered_opens == 2);
}

void no_direct() {
    KeptLog log;
    CHECK(run_alone({.log_sink = &log}, [](Io& io) { return then_zero(open_without_direct(io)); }) == 0);
    CHECK(log.lines.size() == 1);
}

Task<> cursor(Io& io) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    char text[8] = "abcdef";
    const OpArguments out{.fd = ends[1], .data = text, .size = 6, .offset = Op::at_cursor};
    const OpArguments in{.fd = ends[0], .data = text, .size = 4, .offset = Op::at_cursor};
    int32_t n = co_await Once{io, Kind::write, out};
    CHECK(n == 6);
    for (const std::string_view expected : {"abcd", "ef"}) {
        n = co_await Once{io, Kind::read, in};
        CHECK(std::string_view(text, static_cast<size_t>(n)) == expected);
    }
    n = co_await Once{io, Kind::close, {.fd = ends[1]}};
    CHECK(n == 0);
    n = co_await Once{io, Kind::read, in};
    CHECK(n == 0);
    n = co_await Once{io, Kind::close, {.fd = ends[0]}};
    CHECK(n == 0);
}

// More at once than the submission queue has entries, and than the completion queue has.
Task<> many_at_once(Io& io) {
    constexpr size_t count = 12'000;
    ScratchDirectory directory("/dev/shm");
    const int fd = co_await open_file(io, directory / "many", new_file);
    IoBuffer buffer(4096);
    std::vector<Task<int32_t>> writes;
    for (size_t i = 0; i < count; i++) writes.push_back(write_block(io, fd, buffer, i));
    const auto results = co_await gather(std::move(writes));
    for (int32_t result : results) REQUIRE(result == 4096);
    CHECK(!buffer.in_flight());
    const int32_t rc = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(rc == 0);
    const uint64_t size = co_await size_of(io, directory / "many");
    CHECK(size == count * 4096);
}

Task<> read_block(Io& io, int fd, IoBuffer& buffer, uint64_t& done) {
    const int32_t n =
        co_await Once{io, Kind::read, {.fd = fd, .data = buffer.data(), .size = 4096, .buffer = &buffer}};
    REQUIRE(n == 4096);
    done++;
}

// Reads that are done at once, before anybody looks at the completion queue.
Task<> overflow(Io& io) {
    constexpr uint64_t count = 12'000;
    const int fd = co_await open_file(io, "/dev/zero", Op::read_only);
    REQUIRE(fd >= 0);
    IoBuffer buffer(4096);
    uint64_t done = 0;
    std::vector<Task<>> reads;
    for (uint64_t i = 0; i < count; i++) reads.push_back(read_block(io, fd, buffer, done));
    co_await gather(std::move(reads));
    CHECK(done == count);
    CHECK(io.statistics().overflows > 0);
    const int32_t rc = co_await Once{io, Kind::close, {.fd = fd}};
    CHECK(rc == 0);
}

constexpr size_t journal_size = 16 << 20, commit_size = 16 << 10;

// Written once, so that its extents are: by plain calls, which leave no worker behind, and past the page
// cache, whose pages a direct write would have to drop.
void make_written_file(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT, 0644);
    if (fd < 0 && errno == EINVAL)
        fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0644);  // tmpfs: no page is written.
    REQUIRE(fd >= 0);
    const IoBuffer zeros(journal_size);
    CHECK(::pwrite(fd, zeros.data(), zeros.size(), 0) == ssize_t{journal_size});
    CHECK(::fsync(fd) == 0);
    ::close(fd);
}

Task<> commit_some(Io& io, int fd, size_t first) {
    IoBuffer bytes(commit_size);
    for (size_t at = first * commit_size; at < journal_size; at += 4 * commit_size) {
        const OpArguments a{.fd = fd,
                            .data = bytes.data(),
                            .size = commit_size,
                            .offset = at,
                            .flags = Op::durable,
                            .buffer = &bytes};
        const int32_t n = co_await Once{io, Kind::write, a};
        CHECK(n == int32_t{commit_size});
    }
}

Task<> commit_without_workers(Io& io) {
    ScratchDirectory directory;
    make_written_file(directory / "journal");
    const uint64_t before = process_facts().kernel_workers;
    const int fd = co_await open_file(io, directory / "journal", Op::read_write | Op::direct);
    REQUIRE(fd >= 0);
    std::vector<Task<>> writers;
    for (size_t i = 0; i < 4; i++) writers.push_back(commit_some(io, fd, i));
    co_await gather(std::move(writers));
    CHECK(process_facts().kernel_workers <= before);
    co_await Once{io, Kind::close, {.fd = fd}};
}

}  // namespace

TEST_CASE("durable writes into a file that was written before need no kernel worker thread") {
    run(commit_without_workers);
}

TEST_CASE("what was written is read back; at the end a read gives nothing") { run(write_and_read); }
TEST_CASE("direct, durable writes into an allocated file are read back") { run(direct_on_disk); }
TEST_CASE("registered buffers behave like all others") { run(direct_registered); }
TEST_CASE("a direct file works on tmpfs, too") { run(direct_on_tmpfs); }
TEST_CASE("what does not exist, or exists already, is refused with its errno") { run(refusals); }
TEST_CASE("a full disk says so") { run(full_disk); }
TEST_CASE("files and directories are made, renamed, listed in order and removed") { run(names_change); }
TEST_CASE("the disk's space is told") { run(space); }
TEST_CASE("more writes at once than the queues hold are all done") { run(many_at_once); }
TEST_CASE("an overflow of the completion queue is counted and loses nothing") { run(overflow); }
TEST_CASE("where there is no O_DIRECT a file is opened without, which is said once") { no_direct(); }
TEST_CASE("at the cursor a pipe is read on") { run(cursor); }
