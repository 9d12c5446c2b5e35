// A scripted life, ended at each of its changes of the disk: appends, a roll, DeleteRecords, a removal,
// recycling.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

Task<> remove_log(Storage& storage, LogModel& m) {
    m.removing = true;
    const auto removed = co_await storage.remove(m.spec.slot);
    CHECK((removed.ok() || removed.error() == Error::kafka_storage_error));
}

// Runs inside the node's turns, so that an end comes between two of them.
Task<> live(StorageWorld& w) {
    Io& io = w.node.io();
    StorageProgram& program = w.program();
    for (uint64_t i = 0; i < 60; i++) {
        co_await sleep_for(io, 1'000'000);
        for (const uint32_t slot : {0u, 1u, 2u})
            if (program.storage->find(Slot{slot}))
                (void)program.append(Slot{slot}, make_batch(i, 200 + i * 271 % 9'000));
        if (i == 30) {
            Log& log = *program.storage->find(Slot{0});
            delete_records(w.model.at(Slot{0}), log, log.durable()).detach();
        }
        if (i == 40) remove_log(*program.storage, w.model.at(Slot{2})).detach();
    }
}

void script(StorageWorld& w) { (void)w.run(live(w)); }

}  // namespace

TEST_CASE("an end at any change of the disk loses nothing that was acknowledged") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        const uint64_t points = each_crash_point([&](uint64_t point) {
            CAPTURE(point);
            StorageWorld w{point};
            w.add(0, {.segment_bytes = 50'000}), w.add(1), w.add(2);
            w.boot();
            w.node.crash_at_change(w.node.disk().changes() + point, how);
            const bool started = w.wait_started();
            if (started) script(w);
            if (w.node.is_running()) return false;
            w.crashed(how);
            w.node.restart();
            REQUIRE(w.wait_started());
            w.check_all();
            CHECK(w.world.count_lines(Level::warn) + w.world.count_lines(Level::error) == 0);
            return true;
        });
        CHECK(points > 100);
    }
}

// The recovery from every few of those ends is itself ended at each of its changes.
TEST_CASE("an end at any change of a recovery loses nothing that the first one kept") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        uint64_t points = 0;
        for (uint64_t first = 20; first <= 180; first += 40)
            points += each_crash_point([&](uint64_t second) {
                CAPTURE(first);
                CAPTURE(second);
                StorageWorld w{first};
                w.add(0, {.segment_bytes = 50'000}), w.add(1), w.add(2);
                w.boot();
                w.node.crash_at_change(w.node.disk().changes() + first, how);
                if (w.wait_started()) script(w);
                REQUIRE(!w.node.is_running());
                w.crashed(how);
                w.node.crash_at_change(w.node.disk().changes() + second, how);
                w.node.restart();
                if (w.wait_started()) return false;
                REQUIRE(!w.node.is_running());
                w.node.restart();
                REQUIRE(w.wait_started());
                w.check_all();
                CHECK(w.world.count_lines(Level::warn) + w.world.count_lines(Level::error) == 0);
                return true;
            });
        CHECK(points > 50);
    }
}

TEST_CASE("after a failed write nothing is acknowledged, and the next life has what was") {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        CAPTURE(seed);
        StorageWorld w{seed};
        w.add(0, {.segment_bytes = 50'000}), w.add(1), w.add(2);
        w.boot();
        REQUIRE(w.wait_started());
        w.node.disk().options().write_error = 20'000;
        script(w);
        const bool failed = w.storage().failure() != Error::none;
        if (failed) CHECK(w.program().append(Slot{0}, make_batch(1, 10)) == Error::kafka_storage_error);
        w.node.disk().options().write_error = 0;
        w.crash(Crash::power_cut);
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

}  // namespace millrace
