// The scrub of a log in ordinary use: what it finds in order stays as it is, without a word.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;

StorageConfig scrubbed() {
    StorageConfig config = StorageWorld::small();
    config.scrub_percent = 100, config.scrub_interval_ms = 2'000;
    return config;
}

void append(StorageWorld& w, uint64_t from, uint64_t until) {
    for (uint64_t i = from; i < until; i++) {
        CHECK(w.program().append(Slot{0}, make_batch(i, 900, 1'000 + static_cast<int64_t>(i))) ==
              Error::none);
        w.world.run_for(ms);
    }
    REQUIRE(w.settle());
    w.world.run_for(500 * ms);
}

}  // namespace

TEST_CASE(
    "a segment that grew through a restart gets its sums, its indexes stay as they are, and none warns") {
    StorageWorld w{1, scrubbed()};
    w.add(0, {.segment_bytes = 50'000, .index_interval_bytes = 512});
    w.boot();
    REQUIRE(w.wait_started());
    append(w, 0, 30);
    w.crash(Crash::kill);
    w.node.restart();
    REQUIRE(w.wait_started());
    append(w, 30, 120);
    const std::string path = "data/topic0-0/00000000000000000000";
    REQUIRE(w.node.disk().exists(path + ".index"));
    const auto offsets = w.node.disk().contents(path + ".index");
    const auto times = w.node.disk().contents(path + ".timeindex");
    w.world.run_for(3'000 * ms);
    (void)w.log(0).retain(w.node.io().wall_ms(), Offset{0});
    w.world.run_for(10'000 * ms);
    CHECK(w.node.disk().exists(path + ".sum"));
    CHECK(w.node.disk().contents(path + ".index") == offsets);
    CHECK(w.node.disk().contents(path + ".timeindex") == times);
    CHECK(w.world.count_lines(Level::error) + w.world.count_lines(Level::warn) == 0);
    w.check_all();
}

}  // namespace millrace
