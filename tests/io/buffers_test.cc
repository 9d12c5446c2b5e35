// IoBuffer, alone: what it gives, and that misuse ends the process.
#include <csignal>
#include <cstdio>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "millrace/host.h"
#include "millrace/io.h"

using namespace millrace;

namespace {

// Whether the body aborts, tried in a child process.
template <class Body> bool aborts(const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        std::signal(SIGABRT, SIG_DFL);
        if (!std::freopen("/dev/null", "w", stderr)) _exit(2);
        body();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

bool all_zero(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

}  // namespace

TEST_CASE("a buffer is aligned and zero, small or large") {
    for (size_t size : {size_t{4096}, size_t{64} << 10, size_t{128} << 10, size_t{4} << 20}) {
        IoBuffer buffer(size);
        CHECK(buffer.size() == size);
        CHECK(reinterpret_cast<uintptr_t>(buffer.data()) % IoBuffer::alignment == 0);
        CHECK(all_zero(buffer.bytes()));
    }
}

TEST_CASE("memory that nobody touched is not resident") {
    const uint64_t before = process_facts().resident_bytes;
    IoBuffer buffer(size_t{256} << 20);
    CHECK(process_facts().resident_bytes < before + (size_t{32} << 20));
}

TEST_CASE("an operation on a part keeps the whole alive") {
    IoBuffer whole(IoBuffer::huge_page_size);
    whole.prefer_huge_pages();
    CHECK(reinterpret_cast<uintptr_t>(whole.data()) % IoBuffer::huge_page_size == 0);
    IoBuffer part(whole, 8192, 4096);
    CHECK(part.data() == whole.data() + 8192);
    part.fly();
    CHECK(whole.in_flight());
    CHECK(aborts([&] { IoBuffer gone{std::move(whole)}; }));
    part.land();
    CHECK(!whole.in_flight());
    part.bytes()[0] = 1;
    IoBuffer moved(std::move(part));
    CHECK(!part);
    CHECK(moved.data() == whole.data() + 8192);
}

TEST_CASE("a move takes the memory and leaves nothing") {
    IoBuffer first(4096);
    first.data()[7] = 42;
    IoBuffer second(std::move(first));
    CHECK(!first);
    CHECK(second.data()[7] == 42);
    IoBuffer third(8192);
    third = std::move(second);
    CHECK(third.size() == 4096);
    CHECK(third.data()[7] == 42);
}

TEST_CASE("freeing a buffer in flight aborts") {
    CHECK(aborts([] {
        IoBuffer buffer(4096);
        buffer.fly();
    }));
    CHECK(!aborts([] {
        IoBuffer buffer(4096);
        buffer.fly();
        buffer.land();
    }));
}

TEST_CASE("moving a buffer in flight, or over one in flight, aborts") {
    CHECK(aborts([] {
        IoBuffer buffer(4096);
        buffer.fly();
        IoBuffer other(std::move(buffer));
    }));
    CHECK(aborts([] {
        IoBuffer buffer(4096);
        buffer.fly();
        buffer = IoBuffer(4096);
    }));
}

TEST_CASE("landing more often than flying aborts") {
    CHECK(aborts([] { IoBuffer(4096).land(); }));
}
