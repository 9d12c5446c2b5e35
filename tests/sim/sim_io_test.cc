// Time, letters, logs and the seed, seen through Io.
#include <set>

#include "tests/sim/fixture.h"

using namespace millrace;

namespace {

Task<> sleep_and_note(Io& io, uint64_t nanoseconds, std::vector<uint64_t>& ended_at_ns) {
    co_await sleep_for(io, nanoseconds);
    ended_at_ns.push_back(io.now_ns());
}

struct Numbered final : Letter {
    void deliver() override { seen->push_back(number); }
    int number = 0;
    std::vector<int>* seen = nullptr;
};

Task<> busy(Io& io) {
    for (int round = 0; round < 20; round++) {
        const int32_t fd =
            co_await Once{io, Op::Kind::open, {.flags = Op::read_write | Op::create, .path = "/f"}};
        uint8_t bytes[100];
        for (auto& byte : bytes) byte = static_cast<uint8_t>(io.random());
        co_await Once{io,
                      Op::Kind::write,
                      {.fd = fd, .data = bytes, .size = sizeof bytes, .offset = io.random() % 9000}};
        co_await Once{io, Op::Kind::close, {.fd = fd}};
        co_await sleep_for(io, io.random() % ms);
        io.log().info("test", "round", {{"number", round}});
    }
}

uint64_t trace_of(uint64_t seed) {
    SimWorld world{{.seed = seed}};
    for (int n = 0; n < 3; n++) {
        SimNode& node = world.add_node({.shards = 2});
        node.spawn(busy(node.io(0)));
        node.spawn(busy(node.io(1)));
    }
    world.run_for(5 * ms);
    world.run_until_idle();
    return world.trace_hash();
}

}  // namespace

TEST_CASE("a sleep ends after its time, never inside submit") {
    Machine1 m;
    const uint64_t begun_ns = m.world.now_ns();
    std::vector<uint64_t> ended_at_ns;
    m.node.spawn(sleep_and_note(m.node.io(), 5 * ms, ended_at_ns));
    m.node.spawn(sleep_and_note(m.node.io(), 0, ended_at_ns));
    CHECK(ended_at_ns.empty());
    CHECK(m.world.run_until_idle());
    REQUIRE(ended_at_ns.size() == 2);
    CHECK(ended_at_ns[0] < begun_ns + ms);
    CHECK(ended_at_ns[1] >= begun_ns + 5 * ms);
}

TEST_CASE("a sleep that is cancelled ends early, once") {
    Machine1 m;
    Once nap{m.node.io(), Op::Kind::sleep, {.size = 1000 * s}};
    std::optional<int32_t> value;
    const auto sleep = [](Once& op, std::optional<int32_t>& result) -> Task<> { result = co_await op; };
    m.node.spawn(sleep(nap, value));
    m.world.run_for(ms);
    nap.cancel();
    CHECK(!value);
    m.world.run_for(ms);
    CHECK(value == -ECANCELED);
    CHECK(m.world.run_until_idle());
}

TEST_CASE("letters of a pair arrive in order, in later turns") {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        SimWorld world{{.seed = seed}};
        SimNode& node = world.add_node({.shards = 3});
        std::vector<int> seen[2];
        std::vector<Numbered> letters(200);
        for (int n = 0; n < 200; n++) {
            letters[n].number = n;
            letters[n].seen = &seen[n % 2];
            node.io(n % 2).post(ShardId{2}, letters[n]);
        }
        CHECK(seen[0].empty());
        world.run_until_idle();
        for (const auto& from : seen) {
            CHECK(from.size() == 100);
            CHECK(std::ranges::is_sorted(from));
        }
    }
}

TEST_CASE("one seed is one trace, another seed another") {
    std::set<uint64_t> hashes;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        CHECK(trace_of(seed) == trace_of(seed));
        hashes.insert(trace_of(seed));
    }
    CHECK(hashes.size() == 20);
}

TEST_CASE("the order in which operations end comes from the seed") {
    std::set<std::vector<uint64_t>> orders;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Machine1 m{{.seed = seed}};
        std::vector<uint64_t> order;
        const auto stat = [](Io& io, uint64_t n, std::vector<uint64_t>& ended) -> Task<> {
            FileInfo info;
            co_await Once{io, Op::Kind::stat, {.path = "/", .info = &info}};
            ended.push_back(n);
        };
        for (uint64_t n = 0; n < 4; n++) m.node.spawn(stat(m.node.io(), n, order));
        m.world.run_until_idle();
        CHECK(order.size() == 4);
        orders.insert(order);
    }
    CHECK(orders.size() > 8);
}

TEST_CASE("both clocks follow simulated time, and the wall clock can be shifted") {
    Machine1 m{{.wall_ms = 5000}};
    const uint64_t begun_ns = m.node.io().now_ns();
    CHECK(m.node.io().wall_ms() == 5000);
    m.world.run_for(3 * s);
    CHECK(m.node.io().now_ns() == begun_ns + 3 * s);
    CHECK(m.node.io().wall_ms() == 8000);
    m.node.shift_wall_clock(-7000);
    CHECK(m.node.io().wall_ms() == 1000);
    CHECK(m.node.io().now_ns() == begun_ns + 3 * s);
}

TEST_CASE("log lines are kept with node and level") {
    Machine1 m;
    m.node.io().log().info("test", "all well", {{"count", 3}});
    m.node.io().log().error("test", "disk failed");
    REQUIRE(m.world.lines().size() == 2);
    CHECK(m.world.lines()[0].node == "10.0.0.1");
    CHECK(m.world.count_lines(Level::error) == 1);
    CHECK(m.world.has_line("all well"));
    CHECK(!m.world.has_line("nothing of the kind"));
}

TEST_CASE("nothing happens on a paused node") {
    Machine1 m;
    const uint64_t begun_ns = m.world.now_ns();
    std::vector<uint64_t> ended_at_ns;
    m.node.spawn(sleep_and_note(m.node.io(), ms, ended_at_ns));
    m.node.pause(10 * s);
    m.world.run_until_idle();
    REQUIRE(ended_at_ns.size() == 1);
    CHECK(ended_at_ns[0] >= begun_ns + 10 * s);
}

TEST_CASE("a write whose buffer changes under way aborts") {
    CHECK(aborts([] {
        Machine1 m;
        const int32_t fd = m.open("/f");
        std::vector<uint8_t> bytes(512, 1);
        m.node.spawn(keep_value(
            one_op(m.node.io(), Op::Kind::write, {.fd = fd, .data = bytes.data(), .size = bytes.size()}),
            *std::make_unique<std::optional<int32_t>>().release()));
        bytes[7] = 2;
        m.world.run_until_idle();
    }));
}

TEST_CASE("a descriptor that is closed while an operation uses it aborts") {
    CHECK(aborts([] {
        SimWorld world;
        SimNode& node = world.add_node();
        const int32_t listener = await(world, node, Op::Kind::listen, {.path = "0.0.0.0:80"});
        Many accepts{node.io(), Op::Kind::accept, listener};
        const auto wait = [](Many& many) -> Task<> { co_await many.next(); };
        node.spawn(wait(accepts));
        await(world, node, Op::Kind::close, {.fd = listener});
    }));
}
