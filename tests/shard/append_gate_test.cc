// Waiting for room: in which order, until when, and what ends it.
#include "millrace/append_gate.h"

#include <doctest/doctest.h>

#include "millrace/sim.h"

namespace millrace {

namespace {

using Order = AppendGate::Order;

constexpr uint64_t ms = 1'000'000;

// A storage that has as much room as the test says.
class Room final : public Storage {
 public:
    Task<Result<Log*>> load(LogSpec) override { co_return Error::kafka_storage_error; }
    Task<Result<Log*>> take_over(LogSpec, LogState) override { co_return Error::kafka_storage_error; }
    Task<Result<>> prepare_leave(Slot) override { co_return Result<>{}; }
    Task<Result<LogState>> leave(Slot, uint64_t) override { co_return Error::kafka_storage_error; }
    Task<Result<>> arrived(Slot) override { co_return Result<>{}; }
    void forget_left(Slot) override {}
    Task<Result<>> finish_recovery() override { co_return Result<>{}; }
    Task<Result<>> start() override { co_return Result<>{}; }
    Task<Result<>> forget_past() override { co_return Result<>{}; }
    Task<> run() override { co_return; }
    Task<Result<>> remove(Slot) override { co_return Result<>{}; }
    void end_waits() override {}
    Task<Result<>> close() override { co_return Result<>{}; }
    Log* find(Slot) override { return nullptr; }
    std::vector<Log*> logs() override { return {}; }
    Error failure() const override { return failure_; }
    bool was_clean() const override { return true; }
    const StorageStats& stats() const override { return stats_; }
    void set_cleaner(const CleanerConfig&) override {}
    void trim() override {}
    bool is_low_on_space() const override { return false; }
    Task<bool> has_space_for(uint64_t) override { co_return true; }
    bool has_room() const override { return places > 0; }
    void want_room() override { wanted++; }
    void set_room_listener(RoomListener* listener) override { listener_ = listener; }

    void give(int count) {
        places = count;
        listener_->on_room();
    }
    void fail() {
        failure_ = Error::kafka_storage_error;
        listener_->on_room();
    }
    int places = 0, wanted = 0;

 private:
    StorageStats stats_;
    RoomListener* listener_ = nullptr;
    Error failure_ = Error::none;
};

struct Gated final : public SimProgram {
    explicit Gated(SimNode& node) : node(node), deadlines(node.io()), gate(node.io(), room, deadlines) {}

    void enter(std::string name, Order order = Order::client, uint64_t within_ms = 60'000) {
        node.spawn(append(*this, std::move(name), order, node.io().now_ns() + within_ms * ms));
    }
    static Task<> append(Gated& self, std::string name, Order order, uint64_t deadline_ns) {
        auto entering = self.gate.enter(order, deadline_ns);
        const auto entered = co_await entering;
        if (entered) self.room.places--;
        self.ended.push_back(entered ? name : name + ": " + std::string(error_name(entered.error())));
    }

    SimNode& node;
    Room room;
    Deadlines deadlines;
    AppendGate gate;
    std::vector<std::string> ended;
};

struct GateWorld {
    SimWorld world;
    SimNode& node = world.add_node();
    GateWorld() {
        node.boot([](SimNode& n) { return std::make_unique<Gated>(n); });
    }
    Gated& gated() { return *static_cast<Gated*>(node.program()); }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("who waits goes on in the order in which he came, one for each room") {
    GateWorld w;
    Gated& g = w.gated();
    for (const char* name : {"a", "b", "c"}) g.enter(name);
    w.world.run_for(ms);
    CHECK(g.ended.empty());
    CHECK(g.room.wanted > 0);
    g.room.give(2);
    CHECK(g.ended.empty());  // In a turn of their own.
    w.world.run_for(ms);
    CHECK(g.ended == Names{"a", "b"});
    CHECK_FALSE(g.gate.is_open());
    g.room.give(5);
    g.enter("d");  // There is room, but not its turn.
    w.world.run_for(ms);
    CHECK(g.ended == Names{"a", "b", "c", "d"});
    CHECK(g.gate.is_open());
    CHECK(g.deadlines.count() == 0);
}

TEST_CASE("the node's own records go first, then what is left of a request that has begun") {
    GateWorld w;
    Gated& g = w.gated();
    g.enter("a");
    g.enter("rest", Order::continued);
    g.enter("own 1", Order::own);
    g.enter("own 2", Order::own);
    g.room.give(9);
    w.world.run_for(ms);
    CHECK(g.ended == Names{"own 1", "own 2", "rest", "a"});
}

TEST_CASE("a wait ends at its deadline, and the others keep their places") {
    GateWorld w;
    Gated& g = w.gated();
    g.enter("a", Order::client, 100);
    g.enter("b", Order::client, 20);
    g.enter("c");
    w.world.run_for(19 * ms);
    CHECK(g.ended.empty());
    w.world.run_for(2 * ms);
    CHECK(g.ended == Names{"b: REQUEST_TIMED_OUT"});
    w.world.run_for(80 * ms);
    CHECK(g.ended == Names{"b: REQUEST_TIMED_OUT", "a: REQUEST_TIMED_OUT"});
    g.room.give(1);
    w.world.run_for(ms);
    CHECK(g.ended.back() == "c");
    CHECK(g.gate.waiting() == 0);
}

TEST_CASE("a closed gate refuses who waits and who would have to, not who finds room") {
    GateWorld w;
    Gated& g = w.gated();
    g.enter("a");
    g.enter("own", Order::own);
    g.gate.close(Error::not_leader_or_follower);
    CHECK(g.ended == Names{"own: NOT_LEADER_OR_FOLLOWER", "a: NOT_LEADER_OR_FOLLOWER"});
    g.enter("b");
    CHECK(g.ended.back() == "b: NOT_LEADER_OR_FOLLOWER");
    g.room.places = 1;
    CHECK(g.gate.is_open());
    g.enter("c");
    CHECK(g.ended.back() == "c");
}

TEST_CASE("a failure lets everyone in, to be refused by the logs") {
    GateWorld w;
    Gated& g = w.gated();
    for (const char* name : {"a", "b"}) g.enter(name);
    g.room.fail();
    w.world.run_for(ms);
    CHECK(g.ended == Names{"a", "b"});
}

TEST_CASE("whoever waits may be destroyed at a crash") {
    GateWorld w;
    w.gated().enter("a");
    w.gated().enter("b", Order::own);
    w.node.crash(Crash::kill);
    w.node.restart();
    CHECK(w.gated().gate.waiting() == 0);
}

}  // namespace millrace
