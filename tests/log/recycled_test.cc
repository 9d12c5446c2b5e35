// Files of dropped segments that new ones take over: what is left in them is nobody's.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;
constexpr LogConfig small_log{.retention_bytes = 60'000, .segment_bytes = 40'000};

// Batches of one size, so that what one log left in a file would fit into another.
void append(StorageWorld& w, uint32_t slot, uint64_t i) {
    CHECK(w.program().append(Slot{slot}, make_batch(i, 16'384)) == Error::none);
    w.world.run_for(3 * ms);
    LogModel& m = w.model.at(Slot{slot});
    w.log(slot).retain(w.node.io().wall_ms(), w.log(slot).durable());
    m.log_start_asked = std::max(m.log_start_asked, w.log(slot).log_start());
}

std::vector<std::string> kept(StorageWorld& w) { return w.node.disk().names("data/recycled/0"); }

// Appends to the log; how often a file that was kept went to a new segment.
size_t roll_often(StorageWorld& w, uint32_t slot, uint64_t batches) {
    size_t taken = 0;
    for (uint64_t i = 0; i < batches; i++) {
        const auto before = kept(w);
        append(w, slot, i);
        const auto after = kept(w);
        for (const std::string& name : before) taken += std::count(after.begin(), after.end(), name) == 0;
    }
    return taken;
}

}  // namespace

TEST_CASE("a dropped segment's file becomes a later segment's, and nothing that is left in it is read") {
    for (const Crash how : {Crash::kill, Crash::power_cut})
        for (uint64_t seed = 1; seed <= 6; seed++) {
            CAPTURE(seed);
            StorageWorld w{seed};
            w.add(0, small_log), w.add(1, small_log);
            w.boot();
            REQUIRE(w.wait_started());
            CHECK(roll_often(w, 0, 40) > 3);
            roll_often(w, 1, seed);
            w.crash(how);
            w.node.restart();
            REQUIRE(w.wait_started());
            w.check_all();
            CHECK(kept(w).empty());
        }
}

TEST_CASE("without a journal, what is left in a reused file is not taken for the log's own") {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        CAPTURE(seed);
        StorageWorld w{seed};
        w.add(0, small_log), w.add(1, small_log);
        w.boot();
        REQUIRE(w.wait_started());
        roll_often(w, 0, 20);
        for (uint64_t i = 0; i < 20 && kept(w).empty(); i++) append(w, 0, i);
        CHECK(!kept(w).empty());
        roll_often(w, 1, seed);  // Its offsets are those that the kept files have.
        w.world.run_for(1'000 * ms);
        w.crash(Crash::kill);
        for (const std::string& name : w.node.disk().names("data/journal/0"))
            w.node.disk().put("data/journal/0/" + name, {});
        for (auto& [slot, m] : w.model) m.written = m.durable = m.log_start = {}, m.log_start_asked = m.end;
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

TEST_CASE("files that were kept go when the disk is full") {
    StorageWorld w{1};
    w.add(0, small_log);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 40 && kept(w).empty(); i++) append(w, 0, i);
    REQUIRE(!kept(w).empty());
    const uint64_t capacity = w.node.disk().options().capacity_bytes;
    w.node.disk().options().capacity_bytes = w.node.disk().used_bytes();
    for (uint64_t i = 0; i < 60 && !kept(w).empty(); i++) {
        (void)w.program().append(Slot{0}, make_batch(i, 16'384));
        w.world.run_for(100 * ms);
    }
    CHECK(kept(w).empty());
    w.crash(Crash::kill);
    w.node.disk().options().capacity_bytes = capacity;
    w.node.restart();
    REQUIRE(w.wait_started());
    w.check_all();
}

}  // namespace millrace
