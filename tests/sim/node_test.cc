// Crashes and restarts: what dies with a node, what stays.
#include "tests/sim/fixture.h"

using namespace millrace;

namespace {

// Counts the living.
struct Life {
    explicit Life(int& count) : count(count) { count++; }
    Life(const Life&) = delete;
    ~Life() { count--; }
    int& count;
};

// A program with everything that a crash must clean up: coroutines that wait for a timer, a file, a signal
// and a value, a buffer in flight, tasks of tasks.
class Busy final : public SimProgram {
 public:
    Busy(SimNode& node, int& alive) : io_(node.io()), alive_(alive), self_(alive) {
        write_for_ever().detach();
        wait_for_signal().detach();
        wait_for_value().detach();
        fan_out().detach();
    }

 private:
    Task<> write_for_ever() {
        Life life{alive_};
        IoBuffer buffer{4096};
        const int32_t fd =
            co_await Once{io_, Op::Kind::open, {.flags = Op::read_write | Op::create, .path = "/f"}};
        for (uint64_t offset = 0;; offset += 4096) {
            const OpArguments arguments{
                .fd = fd, .data = buffer.data(), .size = 4096, .offset = offset, .buffer = &buffer};
            co_await Once{io_, Op::Kind::write, arguments};
            changed_.notify_all();
        }
    }
    Task<> wait_for_signal() {
        Life life{alive_};
        while (true) co_await changed_;
    }
    Task<> wait_for_value() {
        Life life{alive_};
        co_await never_;
    }
    Task<> nap(uint64_t nanoseconds) {
        Life life{alive_};
        co_await sleep_for(io_, nanoseconds);
    }
    Task<> fan_out() {
        Life life{alive_};
        while (true) {
            std::vector<Task<>> naps;
            for (uint64_t n = 1; n < 4; n++) naps.push_back(nap(n * 100 * us));
            co_await gather(std::move(naps));
        }
    }

    Io& io_;
    int& alive_;
    Life self_;
    Signal changed_;
    Eventual<int> never_;
};

Task<> receive_for_ever(Io& io, int fd) {
    Many receive{io, Op::Kind::receive, fd};
    while (true) co_await receive.next();
}

// Appends numbered blocks, each synced before the next; `acknowledged` counts those.
Task<> append_blocks(Io& io, int& acknowledged) {
    const int32_t fd =
        co_await Once{io, Op::Kind::open, {.flags = Op::read_write | Op::create, .path = "/log"}};
    co_await Once{io, Op::Kind::sync_directory, {.path = "/"}};
    for (int n = 0; n < 5; n++) {
        std::vector<uint8_t> block(1500, static_cast<uint8_t>(n + 1));
        const uint64_t offset = static_cast<uint64_t>(n) * block.size();
        co_await Once{
            io, Op::Kind::write, {.fd = fd, .data = block.data(), .size = block.size(), .offset = offset}};
        const int32_t synced = co_await Once{io, Op::Kind::sync, {.fd = fd}};
        if (synced == 0) acknowledged = n + 1;
    }
}

bool append_with_crash(uint64_t seed, uint64_t point, Crash how) {
    Machine1 m{{.seed = seed}};
    int acknowledged = 0;
    m.node.crash_at_change(point, how);
    m.node.spawn(append_blocks(m.node.io(), acknowledged));
    m.world.run_until_idle();
    if (m.node.is_running()) CHECK(acknowledged == 5);
    const auto bytes = m.node.disk().contents("/log");
    CHECK(bytes.size() >= acknowledged * 1500u);
    for (size_t at = 0; at < acknowledged * 1500u; at++) REQUIRE(bytes[at] == at / 1500 + 1);
    return !m.node.is_running();
}

}  // namespace

TEST_CASE("a crash destroys coroutines and objects whatever they wait for, and a restart makes them anew") {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        int alive = 0;
        {
            SimWorld world{{.seed = seed}};
            SimNode& node = world.add_node();
            node.boot([&](SimNode& booted) { return std::make_unique<Busy>(booted, alive); });
            for (int round = 0; round < 3; round++) {
                world.run_for(world.random() % (3 * ms));
                CHECK(alive >= 5);
                node.crash(round % 2 ? Crash::kill : Crash::power_cut);
                CHECK(alive == 0);
                CHECK(node.program() == nullptr);
                world.run_for(ms);
                node.restart();
                CHECK(node.program() != nullptr);
                CHECK(node.starts() == static_cast<uint32_t>(round) + 2);
            }
        }
        CHECK(alive == 0);
    }
}

TEST_CASE("a lasting receive that is armed dies with its node") {
    SimWorld world;
    SimNode& node = world.add_node();
    const int32_t listener = await(world, node, Op::Kind::listen, {.path = "0.0.0.0:80"});
    CHECK(listener > 0);
    const int32_t fd = await(world, node, Op::Kind::connect, {.path = "127.0.0.1:80"});
    node.spawn(receive_for_ever(node.io(), fd));
    world.run_for(ms);
    node.crash(Crash::kill);
    CHECK(!node.is_running());
    CHECK(world.run_until_idle());
}

TEST_CASE("a node that crashes itself inside a turn is buried at the turn's end") {
    Machine1 m;
    bool went_on = false, came_back = false;
    const auto suicide = [](SimNode& node, bool& after, bool& later) -> Task<> {
        Io& io = node.io();
        co_await sleep_for(io, ms);
        node.crash(Crash::kill);
        after = true;
        co_await sleep_for(io, ms);
        later = true;
    };
    m.node.spawn(suicide(m.node, went_on, came_back));
    m.world.run_until_idle();
    CHECK(went_on);
    CHECK(!came_back);
    CHECK(!m.node.is_running());
    m.node.restart();
    CHECK(m.node.is_running());
}

TEST_CASE("what was synced is there after a crash at every change of the disk") {
    uint64_t points = 0;
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (const Crash how : {Crash::kill, Crash::power_cut})
            points = each_crash_point([&](uint64_t point) { return append_with_crash(seed, point, how); });
    CHECK(points == 12);
}

TEST_CASE("letters to a node that crashed are not delivered") {
    struct Never final : Letter {
        void deliver() override { delivered = true; }
        bool delivered = false;
    } letter;
    SimWorld world;
    SimNode& node = world.add_node({.shards = 2});
    node.io(0).post(ShardId{1}, letter);
    node.crash(Crash::kill);
    node.restart();
    world.run_until_idle();
    CHECK(!letter.delivered);
}
