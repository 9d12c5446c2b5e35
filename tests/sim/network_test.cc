// Connections between simulated nodes: streams, ends, limits, faults.
#include <set>

#include "tests/sim/fixture.h"

using namespace millrace;

namespace {

Task<bool> send_all(Io& io, int fd, Bytes bytes) {
    while (!bytes.empty()) {
        const Piece piece{bytes.data(), bytes.size()};
        const int32_t sent =
            co_await Once{io, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
        if (sent <= 0) co_return false;
        bytes = bytes.subspan(static_cast<size_t>(sent));
    }
    co_return true;
}

// Shuts down, takes what still comes, closes.
Task<> finish(Io& io, int fd, Many& receive) {
    co_await Once{io, Op::Kind::shutdown, {.fd = fd}};
    while (receive.armed() || receive.has_more()) {
        const Outcome outcome = co_await receive.next();
        if (outcome.value > 0) io.give_back(outcome.buffer);
    }
    co_await Once{io, Op::Kind::close, {.fd = fd}};
}

Task<> echo(Io& io, int fd, int& open_count) {
    Many receive{io, Op::Kind::receive, fd};
    while (true) {
        const Outcome outcome = co_await receive.next();
        if (outcome.value == -ENOBUFS) {
            co_await sleep_for(io, 100 * us);
            continue;
        }
        if (outcome.value <= 0) break;
        const bool sent = co_await send_all(io, fd, outcome.data);
        io.give_back(outcome.buffer);
        if (!sent) break;
    }
    co_await finish(io, fd, receive);
    open_count--;
}

Task<> serve(Io& io, const char* address, int& open_count) {
    const int32_t listener = co_await Once{io, Op::Kind::listen, {.path = address}};
    Many accepts{io, Op::Kind::accept, listener};
    while (true) {
        const Outcome outcome = co_await accepts.next();
        if (outcome.value < 0) break;
        open_count++;
        echo(io, outcome.value, open_count).detach();
    }
    co_await Once{io, Op::Kind::close, {.fd = listener}};
}

struct Tally {
    int ended = 0, replies = 0, broken = 0;
};

Task<bool> expect_back(Io& io, Many& receive, Bytes expected) {
    while (!expected.empty()) {
        const Outcome outcome = co_await receive.next();
        if (outcome.value == -ENOBUFS) continue;
        if (outcome.value <= 0) co_return false;
        REQUIRE(outcome.data.size() <= expected.size());
        CHECK(std::ranges::equal(outcome.data, expected.first(outcome.data.size())));
        expected = expected.subspan(outcome.data.size());
        io.give_back(outcome.buffer);
    }
    co_return true;
}

Task<> client(Io& io, int frames, Tally& tally) {
    const int32_t fd = co_await Once{io, Op::Kind::connect, {.path = "10.0.0.1:9092"}};
    REQUIRE(fd > 0);
    Many receive{io, Op::Kind::receive, fd};
    bool alive = true;
    for (int n = 0; n < frames && alive; n++) {
        std::vector<uint8_t> frame(1 + io.random() % 3000);
        for (auto& byte : frame) byte = static_cast<uint8_t>(io.random());
        alive = co_await send_all(io, fd, frame);
        if (alive) alive = co_await expect_back(io, receive, frame);
        tally.replies += alive;
        co_await sleep_for(io, io.random() % (50 * us));
    }
    tally.broken += !alive;
    co_await finish(io, fd, receive);
    tally.ended++;
}

uint64_t echo_run(uint64_t seed, Tally& tally) {
    SimWorld world{
        {.seed = seed,
         .network = {.receive_buffers = 24, .reset = 2000, .short_send = 100'000, .lapse = 20'000}}};
    SimNode& server = world.add_node({.shards = 2});
    SimNode& clients = world.add_node({.shards = 3});
    int open_count = 0;
    server.spawn(serve(server.io(0), "0.0.0.0:9092", open_count));
    server.spawn(serve(server.io(1), "0.0.0.0:9092", open_count));
    world.run_for(ms);
    for (int n = 0; n < 20; n++) clients.spawn(client(clients.io(n % 3), 20, tally));
    world.run_until_idle();
    CHECK(tally.ended == 20);
    CHECK(open_count == 0);
    CHECK(server.receive_buffers_out() == 0);
    CHECK(server.open_descriptors() == 2);
    CHECK(clients.open_descriptors() == 0);
    return world.trace_hash();
}

// Two nodes and one connection between them.
struct Pair {
    explicit Pair(const SimOptions& options = {}) : world(options) {
        listener = await(world, server, Op::Kind::listen, {.path = "10.0.0.1:0"});
        REQUIRE(listener > 0);
        address = server.io().local_address(listener);
        connected = await(world, client, Op::Kind::connect, {.path = address.c_str()});
        REQUIRE(connected > 0);
        accepted = run_on(world, server, take(server.io(), Op::Kind::accept, listener))->value;
        REQUIRE(accepted > 0);
    }
    // The first outcome of a lasting op, which is then cancelled.
    static Task<Outcome> take(Io& io, Op::Kind kind, int fd) {
        Many many{io, kind, fd};
        const Outcome first = co_await many.next();
        many.cancel();
        while (many.armed() || many.has_more()) co_await many.next();
        co_return first;
    }
    int32_t send(SimNode& node, int fd, const std::vector<uint8_t>& bytes) {
        const Piece piece{bytes.data(), bytes.size()};
        return await(world, node, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1});
    }
    int32_t receive(SimNode& node, int fd) {
        const Outcome outcome = *run_on(world, node, take(node.io(), Op::Kind::receive, fd));
        if (outcome.value > 0) node.io().give_back(outcome.buffer);
        return outcome.value;
    }

    SimWorld world;
    SimNode& server = world.add_node();
    SimNode& client = world.add_node();
    int32_t listener, connected, accepted;
    std::string address;
};

const std::vector<uint8_t> hello{'h', 'e', 'l', 'l', 'o'};

}  // namespace

TEST_CASE("an echo server with twenty clients loses no byte that was not on a broken connection") {
    Tally all;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Tally tally;
        const uint64_t hash = echo_run(seed, tally);
        if (seed % 20 == 0) {
            Tally again;
            CHECK(echo_run(seed, again) == hash);
        }
        all.replies += tally.replies, all.broken += tally.broken;
    }
    CHECK(all.broken > 100);
    CHECK(all.replies > 40'000);
}

TEST_CASE("both ends know both addresses") {
    Pair pair;
    CHECK(pair.server.io().local_address(pair.accepted) == pair.address);
    CHECK(pair.client.io().peer_address(pair.connected) == pair.address);
    CHECK(pair.server.io().peer_address(pair.accepted) == pair.client.io().local_address(pair.connected));
    CHECK(pair.client.io().local_address(pair.connected).starts_with("10.0.0.2:"));
    CHECK(pair.client.io().local_address(77).empty());
}

TEST_CASE("a connection is refused where nobody listens") {
    SimWorld world;
    SimNode& one = world.add_node();
    SimNode& two = world.add_node();
    CHECK(await(world, two, Op::Kind::connect, {.path = "10.0.0.1:9092"}) == -ECONNREFUSED);
    CHECK(await(world, two, Op::Kind::connect, {.path = "10.9.9.9:9092"}) == -EHOSTUNREACH);
    CHECK(await(world, one, Op::Kind::listen, {.path = "127.0.0.1:9092"}) > 0);
    CHECK(await(world, two, Op::Kind::connect, {.path = "10.0.0.1:9092"}) == -ECONNREFUSED);
    CHECK(await(world, one, Op::Kind::connect, {.path = "127.0.0.1:9092"}) > 0);
    CHECK(await(world, one, Op::Kind::listen, {.path = "10.0.0.2:9092"}) == -EADDRNOTAVAIL);
    CHECK(await(world, one, Op::Kind::listen, {.path = "nonsense"}) == -EINVAL);
}

TEST_CASE("a shut down end can be read to its end, and writing to it breaks the connection") {
    Pair pair;
    CHECK(pair.send(pair.client, pair.connected, hello) == 5);
    CHECK(await(pair.world, pair.client, Op::Kind::shutdown, {.fd = pair.connected}) == 0);
    int32_t total = 0;
    while (total < 5) total += pair.receive(pair.server, pair.accepted);
    CHECK(total == 5);
    CHECK(pair.receive(pair.server, pair.accepted) == 0);
    CHECK(pair.send(pair.client, pair.connected, hello) == -EPIPE);
    CHECK(pair.send(pair.server, pair.accepted, hello) == 5);
    pair.world.run_for(10 * ms);
    CHECK(pair.send(pair.server, pair.accepted, hello) == -ECONNRESET);
    CHECK(pair.receive(pair.server, pair.accepted) == -ECONNRESET);
}

TEST_CASE("a shutdown ends a receive under way") {
    Pair pair;
    std::optional<Outcome> ended;
    pair.server.spawn(keep_value(Pair::take(pair.server.io(), Op::Kind::receive, pair.accepted), ended));
    pair.world.run_for(10 * ms);
    CHECK(!ended);
    CHECK(await(pair.world, pair.server, Op::Kind::shutdown, {.fd = pair.accepted}) == 0);
    pair.world.run_for(10 * ms);
    REQUIRE(ended);
    CHECK(ended->value == 0);
}

TEST_CASE("a listener that is shut down ends its accept") {
    Pair pair;
    std::optional<Outcome> ended;
    pair.server.spawn(keep_value(Pair::take(pair.server.io(), Op::Kind::accept, pair.listener), ended));
    pair.world.run_for(10 * ms);
    CHECK(await(pair.world, pair.server, Op::Kind::shutdown, {.fd = pair.listener}) == 0);
    pair.world.run_for(10 * ms);
    REQUIRE(ended);
    CHECK(ended->value == -EINVAL);
}

TEST_CASE("a sender waits once the window is full, until the receiver takes bytes") {
    Pair pair{{.network = {.window_bytes = 10'000}}};
    const std::vector<uint8_t> many(25'000, 7);
    CHECK(pair.send(pair.client, pair.connected, many) == 10'000);
    std::optional<int32_t> second;
    const Piece piece{many.data(), many.size()};
    pair.client.spawn(keep_value(
        one_op(pair.client.io(), Op::Kind::send, {.fd = pair.connected, .pieces = &piece, .piece_count = 1}),
        second));
    pair.world.run_for(10 * s);
    CHECK(!second);
    const int32_t taken = pair.receive(pair.server, pair.accepted);
    CHECK(taken > 0);
    pair.world.run_for(ms);
    REQUIRE(second);
    CHECK(*second > 0);
    CHECK(*second <= 10'000);
}

TEST_CASE("a receive without a free buffer ends with ENOBUFS and goes on after one is given back") {
    Pair pair{{.network = {.receive_buffers = 1, .receive_buffer_size = 4}}};
    CHECK(pair.send(pair.client, pair.connected, hello) == 5);
    Many receive{pair.server.io(), Op::Kind::receive, pair.accepted};
    const auto next = [](Many& many) -> Task<Outcome> { co_return co_await many.next(); };
    const Outcome first = *run_on(pair.world, pair.server, next(receive));
    REQUIRE(first.value > 0);
    CHECK(run_on(pair.world, pair.server, next(receive))->value == -ENOBUFS);
    CHECK(!receive.armed());
    pair.server.io().give_back(first.buffer);
    CHECK(run_on(pair.world, pair.server, next(receive))->value > 0);
    pair.server.crash(Crash::kill);
}

TEST_CASE("bytes wait at a cut link and arrive in order after it healed") {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Pair pair{{.seed = seed}};
        pair.send(pair.client, pair.connected, {1, 2, 3});
        pair.world.cut_link(pair.client, pair.server);
        pair.send(pair.client, pair.connected, {4, 5, 6});
        CHECK(pair.send(pair.server, pair.accepted, hello) == 5);
        CHECK(pair.receive(pair.client, pair.connected) > 0);
        CHECK(await(pair.world, pair.client, Op::Kind::connect, {.path = pair.address.c_str()}) ==
              -ETIMEDOUT);
        pair.world.heal_link(pair.client, pair.server);
        const auto expect = [](Io& io, int fd) -> Task<bool> {
            Many receive{io, Op::Kind::receive, fd};
            const std::vector<uint8_t> expected{1, 2, 3, 4, 5, 6};
            const bool equal = co_await expect_back(io, receive, expected);
            co_await finish(io, fd, receive);
            co_return equal;
        };
        CHECK(run_on(pair.world, pair.server, expect(pair.server.io(), pair.accepted)) == true);
    }
}

TEST_CASE("peers of a node that crashed are reset, and its port is closed until it listens again") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Pair pair;
        pair.server.crash(how);
        CHECK(pair.receive(pair.client, pair.connected) == -ECONNRESET);
        CHECK(await(pair.world, pair.client, Op::Kind::connect, {.path = pair.address.c_str()}) ==
              -EHOSTUNREACH);
        pair.server.restart();
        CHECK(await(pair.world, pair.client, Op::Kind::connect, {.path = pair.address.c_str()}) ==
              -ECONNREFUSED);
        CHECK(await(pair.world, pair.server, Op::Kind::listen, {.path = pair.address.c_str()}) > 0);
        CHECK(await(pair.world, pair.client, Op::Kind::connect, {.path = pair.address.c_str()}) > 0);
    }
}

TEST_CASE("a power cut can leave a peer half open until the node is back and something was sent") {
    Pair pair{{.network = {.half_open = 1'000'000}}};
    pair.server.crash(Crash::power_cut);
    CHECK(pair.send(pair.client, pair.connected, hello) == 5);
    pair.world.run_for(100 * s);
    CHECK(pair.send(pair.client, pair.connected, hello) == 5);
    pair.server.restart();
    CHECK(pair.receive(pair.client, pair.connected) == -ECONNRESET);
}

TEST_CASE("closing with unread bytes resets the peer, closing without ends it") {
    Pair pair;
    pair.send(pair.client, pair.connected, hello);
    pair.world.run_for(10 * ms);
    CHECK(await(pair.world, pair.server, Op::Kind::close, {.fd = pair.accepted}) == 0);
    CHECK(pair.receive(pair.client, pair.connected) == -ECONNRESET);
    Pair other;
    CHECK(await(other.world, other.server, Op::Kind::close, {.fd = other.accepted}) == 0);
    CHECK(other.receive(other.client, other.connected) == 0);
}

TEST_CASE("slow links take their time") {
    Pair pair{{.network = {.bytes_per_second = 10'000}}};
    const uint64_t begun_ns = pair.world.now_ns();
    pair.send(pair.client, pair.connected, std::vector<uint8_t>(20'000, 1));
    int32_t received = 0;
    while (received < 20'000) received += pair.receive(pair.server, pair.accepted);
    CHECK(pair.world.now_ns() - begun_ns >= 2 * s);
    CHECK(pair.world.now_ns() - begun_ns < 3 * s);
}
