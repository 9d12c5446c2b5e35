// A partition: what each `acks` waits for, what the high watermark shows, who is woken and when.
#include <doctest/doctest.h>

#include "millrace/batch.h"
#include "millrace/replication.h"
#include "millrace/sim.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;

class OnePartition final : public SimProgram {
 public:
    explicit OnePartition(SimNode& node) : io(node.io()), deadlines(io) {}
    Task<> start() {
        auto opened = co_await Storage::open(io, {.directory = "data"});
        REQUIRE(opened.ok());
        storage = std::move(*opened);
        LogSpec spec{.slot = Slot{1}, .topic = "t"};
        spec.topic_id.bytes[0] = 1;
        const auto log = co_await storage->load(std::move(spec));
        REQUIRE(log.ok());
        const auto recovered = co_await storage->finish_recovery();
        REQUIRE(recovered.ok());
        const auto begun = co_await storage->start();
        REQUIRE(begun.ok());
        partition = std::make_unique<Partition>(**log, deadlines, Epoch{3});
        storage->run().detach();
    }
    Io& io;
    Deadlines deadlines;
    std::unique_ptr<Storage> storage;
    std::unique_ptr<Partition> partition;
};

struct World {
    explicit World(const DiskOptions& disk = {}) : node(world.add_node({.disk = disk})) {
        node.disk().put("data/lost+found", {});
        node.boot([](SimNode& sim) {
            auto program = std::make_unique<OnePartition>(sim);
            sim.spawn(program->start());
            return program;
        });
        REQUIRE(world.run_until([&] { return program().partition != nullptr; }, 10'000 * ms));
    }
    OnePartition& program() { return *static_cast<OnePartition*>(node.program()); }
    Partition& partition() { return *program().partition; }
    Offset append() {
        BatchBuilder builder;
        builder.add({.timestamp = 1, .value = Bytes{value}});
        const auto appended = partition().append(builder.build());
        REQUIRE(appended.ok());
        return appended->last + 1;
    }
    struct Waiter {
        std::optional<Result<>> result;
        uint64_t at_ns = 0;
    };
    std::unique_ptr<Waiter> wait(Offset next, Acks acks, uint64_t deadline_ns = no_deadline) {
        auto waiter = std::make_unique<Waiter>();
        node.spawn(keep(*this, next, acks, deadline_ns, *waiter));
        return waiter;
    }
    static Task<> keep(World& w, Offset next, Acks acks, uint64_t deadline_ns, Waiter& waiter) {
        waiter.result = co_await w.partition().acknowledged(next, acks, deadline_ns);
        waiter.at_ns = w.world.now_ns();
        if (waiter.result->ok() && acks == Acks::all) CHECK(w.partition().high_watermark() >= next);
        const Offset at_leader = std::max(w.partition().log().written(), w.partition().log().safe());
        if (waiter.result->ok() && acks == Acks::leader) CHECK(at_leader >= next);
    }
    struct Parked {
        explicit Parked(int64_t bytes) : watch(bytes) {}
        FetchWatch watch;
        bool woken = false;
    };
    static Task<> park(Parked& parked) {
        co_await parked.watch;
        parked.woken = true;
    }
    std::unique_ptr<Parked> park(int64_t bytes) {
        auto parked = std::make_unique<Parked>(bytes);
        parked->watch.add(partition());
        node.spawn(park(*parked));
        return parked;
    }

    std::array<uint8_t, 100> value{};
    SimWorld world{SimOptions{.seed = 3}};
    SimNode& node;
};

}  // namespace

TEST_CASE("acks=0 waits for nothing, acks=1 for the device, acks=all for the flush, each in order") {
    World w;
    std::vector<std::unique_ptr<World::Waiter>> all, leader;
    for (int i = 0; i < 10; i++) {
        const Offset next = w.append();
        auto none = w.wait(next, Acks::none);
        CHECK(none->result.has_value());
        all.push_back(w.wait(next, Acks::all));
        leader.push_back(w.wait(next, Acks::leader));
        CHECK_FALSE(all.back()->result.has_value());
    }
    CHECK(w.partition().high_watermark() == Offset{0});
    REQUIRE(w.world.run_until([&] { return all.back()->result && leader.back()->result; }, 1'000 * ms));
    for (size_t i = 0; i < 10; i++) {
        CHECK(all[i]->result->ok());
        CHECK(leader[i]->at_ns <= all[i]->at_ns);
        if (i > 0) CHECK(all[i - 1]->at_ns <= all[i]->at_ns);
    }
    CHECK(w.partition().high_watermark() == w.partition().end());
}

TEST_CASE("a wait that is over its deadline says so, and the records stay") {
    World w{{.write_ns = {50 * ms, 50 * ms}}};
    const Offset next = w.append();
    auto impatient = w.wait(next, Acks::all, w.world.now_ns() + 5 * ms);
    auto patient = w.wait(next, Acks::all);
    REQUIRE(w.world.run_until([&] { return impatient->result.has_value(); }, 1'000 * ms));
    CHECK(impatient->result->error() == Error::request_timed_out);
    CHECK_FALSE(patient->result.has_value());
    REQUIRE(w.world.run_until([&] { return patient->result.has_value(); }, 1'000 * ms));
    CHECK(patient->result->ok());
    CHECK(w.partition().high_watermark() == next);
}

TEST_CASE("what is safe already is acknowledged without waiting") {
    World w;
    const Offset next = w.append();
    auto first = w.wait(next, Acks::all);
    REQUIRE(w.world.run_until([&] { return first->result.has_value(); }, 1'000 * ms));
    CHECK(w.wait(next, Acks::all)->result.has_value());
}

TEST_CASE("a parked fetch wakes when the high watermark has moved by enough bytes, not before") {
    World w;
    auto small = w.park(1), large = w.park(250);
    (void)w.append();
    CHECK_FALSE(small->woken);  // Not flushed yet: nobody may read it.
    REQUIRE(
        w.world.run_until([&] { return w.partition().high_watermark() == w.partition().end(); }, 1'000 * ms));
    CHECK(small->woken);
    CHECK_FALSE(large->woken);
    (void)w.append();
    REQUIRE(w.world.run_until([&] { return large->woken; }, 1'000 * ms));
}

TEST_CASE("a parked fetch ends at its deadline, and when it is told to") {
    World w;
    auto timed = w.park(1);
    timed->watch.set_deadline(w.program().deadlines, w.world.now_ns() + 20 * ms);
    auto woken = w.park(1);
    w.world.run_for(10 * ms);
    CHECK_FALSE(timed->woken);
    w.partition().wake_fetches();
    w.world.run_for(1);
    CHECK(woken->woken);
    CHECK(timed->woken);
    auto late = w.park(1);
    late->watch.set_deadline(w.program().deadlines, w.world.now_ns() + 20 * ms);
    w.world.run_for(25 * ms);
    CHECK(late->woken);
}

TEST_CASE("a partition that resigns answers everybody and takes nothing more") {
    World w{{.write_ns = {50 * ms, 50 * ms}}};
    const Offset next = w.append();
    auto waiter = w.wait(next, Acks::all);
    auto parked = w.park(1);
    w.partition().resign(Error::unknown_topic_or_partition);
    w.world.run_for(1);
    REQUIRE(waiter->result.has_value());
    CHECK(waiter->result->error() == Error::unknown_topic_or_partition);
    CHECK(parked->woken);
    BatchBuilder builder;
    builder.add({.timestamp = 1, .value = Bytes{w.value}});
    CHECK_FALSE(w.partition().append(builder.build()).ok());
    auto later = w.wait(next, Acks::all);
    CHECK(later->result.has_value());
    CHECK_FALSE(later->result->ok());
}

TEST_CASE("a disk that fails answers everybody with a storage error") {
    World w;
    w.node.disk().options().write_error = 1'000'000;
    const Offset next = w.append();
    auto all = w.wait(next, Acks::all), leader = w.wait(next, Acks::leader);
    auto parked = w.park(1);
    REQUIRE(w.world.run_until([&] { return all->result && leader->result; }, 1'000 * ms));
    CHECK(all->result->error() == Error::kafka_storage_error);
    CHECK(leader->result->error() == Error::kafka_storage_error);
    CHECK(parked->woken);
    CHECK(w.partition().high_watermark() == Offset{0});
}

TEST_CASE(
    "with durability=memory every acks is answered at once, and a parked fetch wakes in the same turn") {
    World w;
    w.partition().log().set_config({.in_memory = true});
    auto parked = w.park(1);
    const Offset next = w.append();
    CHECK(w.partition().high_watermark() == next);
    const auto all = w.wait(next, Acks::all), leader = w.wait(next, Acks::leader);
    CHECK(w.partition().log().durable() < next);
    w.world.run_for(50'000);  // No disk is so fast.
    CHECK(parked->woken);
    CHECK(all->result.has_value());
    CHECK(leader->result.has_value());
}

TEST_CASE("a later leadership ends the earlier ones, also those that left nothing") {
    World w;
    w.append();
    w.partition().lead(Epoch{5});
    w.partition().lead(Epoch{7});
    CHECK(w.partition().check_epoch(Epoch{3}) == Error::fenced_leader_epoch);
    CHECK(w.partition().epoch_end(Epoch{5}).epoch == Epoch{3});
    CHECK(w.partition().epoch_end(Epoch{5}).end == Offset{1});
    CHECK(w.partition().epoch_end(Epoch{7}).end == Offset{1});
    w.append();
    CHECK(w.partition().epoch_end(Epoch{3}).end == Offset{1});
    CHECK(w.partition().epoch_end(Epoch{5}).end == Offset{1});
    CHECK(w.partition().epoch_end(Epoch{7}).end == Offset{2});
    CHECK(w.partition().epoch_end(Epoch{8}).epoch == Epoch{-1});
}

}  // namespace millrace
