// Sockets on a real ring, over loopback: streams, ends, cancellation, want of buffers.
#include <cerrno>
#include <deque>

#include <doctest/doctest.h>

#include "run.h"

using namespace millrace;
using namespace millrace::test;
using Kind = Op::Kind;

namespace {

Task<int32_t> listen_anywhere(Io& io) { co_return co_await Once{io, Kind::listen, {.path = "127.0.0.1:0"}}; }

Task<int32_t> connect_to(Io& io, std::string address) {
    co_return co_await Once{io, Kind::connect, {.path = address.c_str()}};
}

Task<> end(Io& io, Kind kind, int fd) {
    const int32_t rc = co_await Once{io, kind, {.fd = fd}};
    CHECK(rc == 0);
}

Task<> send_all(Io& io, int fd, Bytes bytes) {
    while (!bytes.empty()) {
        const Piece pieces[3] = {{bytes.data(), bytes.size() / 3},
                                 {bytes.data() + bytes.size() / 3, bytes.size() / 3},
                                 {bytes.data() + bytes.size() / 3 * 2, bytes.size() - bytes.size() / 3 * 2}};
        const int32_t n = co_await Once{io, Kind::send, {.fd = fd, .pieces = pieces, .piece_count = 3}};
        REQUIRE(n > 0);
        bytes = bytes.subspan(static_cast<size_t>(n));
    }
}

// A connected pair of sockets, and the listener closed again.
struct Pair {
    int client = -1, server = -1;
};
Task<Pair> connected(Io& io) {
    const int listener = co_await listen_anywhere(io);
    REQUIRE(listener >= 0);
    Pair pair;
    pair.client = co_await connect_to(io, io.local_address(listener));
    Many accepting(io, Kind::accept, listener);
    const Outcome accepted = co_await accepting.next();
    CHECK(accepted.more);
    pair.server = accepted.value;
    accepting.cancel();
    const Outcome last = co_await accepting.next();
    CHECK(last.value == -ECANCELED);
    CHECK(!last.more);
    co_await end(io, Kind::close, listener);
    co_return pair;
}

// Sends back what it receives, until the peer ends.
Task<> echo(Io& io, int fd) {
    Many receiving(io, Kind::receive, fd);
    for (;;) {
        const Outcome part = co_await receiving.next();
        if (part.value == -ENOBUFS) continue;
        if (part.value <= 0) break;
        co_await send_all(io, fd, part.data);
        io.give_back(part.buffer);
    }
    CHECK(!receiving.armed());
    co_await end(io, Kind::close, fd);
}

Task<> expect(Io& io, Many& receiving, Bytes expected) {
    size_t at = 0;
    while (at < expected.size()) {
        const Outcome part = co_await receiving.next();
        REQUIRE(part.value > 0);
        REQUIRE(at + part.data.size() <= expected.size());
        REQUIRE(std::memcmp(part.data.data(), expected.data() + at, part.data.size()) == 0);
        at += part.data.size();
        io.give_back(part.buffer);
    }
}

Task<> echo_of_sizes(Io& io) {
    const Pair pair = co_await connected(io);
    echo(io, pair.server).detach();
    std::vector<uint8_t> text(3 << 20);
    for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<uint8_t>(i * 31 + i / 65536);
    {
        Many receiving(io, Kind::receive, pair.client);
        for (size_t size : {1, 2, 200, 4095, 65536, 65537, 1 << 20, 3 << 20}) {
            std::vector<Task<>> both;
            both.push_back(send_all(io, pair.client, Bytes(text).first(size)));
            both.push_back(expect(io, receiving, Bytes(text).first(size)));
            co_await gather(std::move(both));
        }
        co_await end(io, Kind::shutdown, pair.client);
        const Outcome last = co_await receiving.next();
        CHECK(last.value == 0);
        CHECK(!last.more);
    }
    co_await end(io, Kind::close, pair.client);
    CHECK(io.statistics().buffers_lent == 0);
}

Task<> one_client(Io& io, std::string address, int& done) {
    const int fd = co_await connect_to(io, address);
    REQUIRE(fd >= 0);
    const std::string text = "hello from " + io.local_address(fd);
    CHECK(io.peer_address(fd) == address);
    {
        Many receiving(io, Kind::receive, fd);
        co_await send_all(io, fd, as_bytes(text));
        co_await expect(io, receiving, as_bytes(text));
        co_await end(io, Kind::shutdown, fd);
        const Outcome last = co_await receiving.next();
        CHECK(last.value == 0);
    }
    co_await end(io, Kind::close, fd);
    done++;
}

Task<> accept_and_echo(Io& io, Many& accepting) {
    for (;;) {
        const Outcome accepted = co_await accepting.next();
        if (accepted.value < 0) co_return;
        echo(io, accepted.value).detach();
    }
}

Task<> many_connections(Io& io) {
    constexpr int count = 2000;
    raise_file_limit();
    const int listener = co_await listen_anywhere(io);
    const std::string address = io.local_address(listener);
    int done = 0;
    {
        Many accepting(io, Kind::accept, listener);
        std::vector<Task<>> clients;
        for (int i = 0; i < count; i++) clients.push_back(one_client(io, address, done));
        accept_and_echo(io, accepting).detach();
        co_await gather(std::move(clients));
        accepting.cancel();
        while (accepting.armed()) co_await sleep_for(io, 0);
    }
    CHECK(done == count);
    co_await end(io, Kind::close, listener);
    CHECK(io.statistics().buffers_lent == 0);
    CHECK(io.statistics().overflows == 0);
}

Task<> cancelled_receive(Io& io) {
    const Pair pair = co_await connected(io);
    {
        Many receiving(io, Kind::receive, pair.server);
        co_await send_all(io, pair.client, as_bytes("abc"));
        co_await expect(io, receiving, as_bytes("abc"));
        CHECK(receiving.armed());
        receiving.cancel();
        const Outcome last = co_await receiving.next();
        CHECK(last.value == -ECANCELED);
        CHECK(!last.more);
        // It can be armed again.
        co_await send_all(io, pair.client, as_bytes("def"));
        co_await expect(io, receiving, as_bytes("def"));
        co_await end(io, Kind::shutdown, pair.server);
        const Outcome end_of_stream = co_await receiving.next();
        CHECK(end_of_stream.value == 0);
    }
    co_await end(io, Kind::close, pair.server);
    co_await end(io, Kind::close, pair.client);
}

Task<> want_of_buffers(Io& io) {
    const Pair pair = co_await connected(io);
    {
        Many receiving(io, Kind::receive, pair.server);
        std::deque<Outcome> held;
        for (uint8_t i = 0;; i++) {
            co_await send_all(io, pair.client, {&i, 1});
            const Outcome part = co_await receiving.next();
            if (part.value < 0) {
                CHECK(part.value == -ENOBUFS);
                CHECK(!receiving.armed());
                CHECK(held.size() == 256);
                break;
            }
            CHECK(part.data[0] == i);
            held.push_back(part);
        }
        CHECK(io.statistics().buffers_lent == 256);
        for (size_t i = 0; i < held.size(); i++) {
            CHECK(held[i].data[0] == static_cast<uint8_t>(i));
            io.give_back(held[i].buffer);
        }
        const uint8_t waiting = 0;  // The 257th byte.
        co_await expect(io, receiving, {&waiting, 1});
        co_await end(io, Kind::shutdown, pair.client);
        const Outcome last = co_await receiving.next();
        CHECK(last.value == 0);
    }
    CHECK(io.statistics().buffers_lent == 0);
    co_await end(io, Kind::close, pair.server);
    co_await end(io, Kind::close, pair.client);
}

Task<> broken_off(Io& io) {
    const Pair pair = co_await connected(io);
    co_await end(io, Kind::close, pair.client);
    std::vector<uint8_t> text(1 << 20);
    const Piece piece{text.data(), text.size()};
    int32_t n = 0;
    for (int i = 0; i < 10 && n >= 0; i++)
        n = co_await Once{io, Kind::send, {.fd = pair.server, .pieces = &piece, .piece_count = 1}};
    CHECK((n == -EPIPE || n == -ECONNRESET));
    co_await end(io, Kind::close, pair.server);
}

Task<> bad_addresses(Io& io) {
    for (const char* address : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "1.2.3:5",
                                "[::1:5", "no.such.host:9092"}) {
        int32_t rc = co_await Once{io, Kind::listen, {.path = address}};
        CHECK(rc == -EINVAL);
        rc = co_await Once{io, Kind::connect, {.path = address}};
        CHECK(rc == -EINVAL);
    }
    const int listener = co_await listen_anywhere(io);
    const std::string address = io.local_address(listener);
    co_await end(io, Kind::close, listener);
    const int32_t refused = co_await connect_to(io, address);
    CHECK(refused == -ECONNREFUSED);
}

Task<> sole_listener(Io& io) {
    const int first = co_await listen_anywhere(io);
    const std::string address = io.local_address(first);
    const int32_t second = co_await Once{io, Kind::listen, {.flags = Op::sole, .path = address.c_str()}};
    CHECK(second == -EADDRINUSE);
    const int32_t shared = co_await Once{io, Kind::listen, {.path = address.c_str()}};
    CHECK(shared >= 0);
    co_await end(io, Kind::close, first);
    co_await end(io, Kind::close, shared);
    const int32_t again = co_await Once{io, Kind::listen, {.flags = Op::sole, .path = address.c_str()}};
    CHECK(again >= 0);
    co_await end(io, Kind::close, again);
}

}  // namespace

TEST_CASE("a stream of any sizes comes back as it was sent") { run(echo_of_sizes); }
TEST_CASE("thousands of connections are served and end cleanly") { run(many_connections); }
TEST_CASE("a cancelled receive ends, and can be armed again") { run(cancelled_receive); }
TEST_CASE("a receive without buffers says so and goes on after some are given back") { run(want_of_buffers); }
TEST_CASE("a send to a peer that is gone fails and kills nobody") { run(broken_off); }
TEST_CASE("an address that is none is refused; where nobody listens a connect is") { run(bad_addresses); }
TEST_CASE("a sole listener is refused where anyone listens") { run(sole_listener); }
