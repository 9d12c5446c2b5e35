// A full disk and a failing one: what is refused, what goes on, what comes back.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;

Error append_and_run(StorageWorld& w, uint64_t i, size_t size = 8'000) {
    const Error error = w.program().append(Slot{static_cast<uint32_t>(i % 2)}, make_batch(i, size));
    w.world.run_for(2 * ms);
    return error;
}

Task<> read_first(Log& log, Error& error) {
    const auto slice =
        co_await log.read({.from = log.log_start(), .max_bytes = 100'000, .limit = log.durable()});
    error = slice ? Error::none : slice.error();
}

Task<> close_storage(Storage& storage, Error& error) {
    const Result<> closed = co_await storage.close();
    error = closed.error();
}

}  // namespace

TEST_CASE("a full disk refuses appends, still reads, and takes appends again when there is room") {
    StorageWorld w{1};
    w.add(0, {.segment_bytes = 60'000}), w.add(1, {.segment_bytes = 60'000});
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 100; i++) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    const uint64_t capacity = w.node.disk().options().capacity_bytes;
    w.node.disk().options().capacity_bytes = w.node.disk().used_bytes() + 64 * 1024;
    uint64_t refused = 0;
    for (uint64_t i = 100; i < 500; i++) {
        const Error error = append_and_run(w, i);
        CHECK((error == Error::none || error == Error::request_timed_out));
        refused += error == Error::request_timed_out;
    }
    CHECK(refused > 100);
    CHECK(w.storage().failure() == Error::none);
    CHECK_FALSE(w.storage().has_room());
    Error read = Error::unknown_server_error;
    REQUIRE(w.run(read_first(w.log(0), read)));
    CHECK(read == Error::none);
    REQUIRE(w.settle());
    w.node.disk().options().capacity_bytes = capacity;
    REQUIRE(w.world.run_until([&] { return w.storage().has_room(); }, 30'000 * ms));
    for (uint64_t i = 500; i < 600; i++) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    w.check_all();
    w.crash(Crash::power_cut);
    w.node.restart();
    REQUIRE(w.wait_started());
    w.check_all();
}

TEST_CASE("a node that ends on a full disk loses nothing, and starts when there is room") {
    for (uint64_t seed = 1; seed <= 10; seed++) {
        CAPTURE(seed);
        StorageWorld w{seed};
        w.add(0, {.segment_bytes = 60'000}), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        w.node.disk().options().capacity_bytes = w.node.disk().used_bytes() + 400 * 1024;
        for (uint64_t i = 0; i < 300; i++) (void)append_and_run(w, i);
        w.crash(seed % 2 ? Crash::kill : Crash::power_cut);
        w.node.disk().options().capacity_bytes = uint64_t{1} << 40;
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

TEST_CASE("a deletion by retention makes room on a full disk") {
    StorageWorld w{3};
    w.add(0, {.retention_bytes = 100'000, .segment_bytes = 60'000}), w.add(1, {.segment_bytes = 60'000});
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 200; i++) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    w.node.disk().options().capacity_bytes = w.node.disk().used_bytes() + 64 * 1024;
    for (uint64_t i = 200; i < 500 && w.storage().has_room(); i++) (void)append_and_run(w, i);
    CHECK_FALSE(w.storage().has_room());
    REQUIRE(w.settle());
    CHECK(w.log(0).retain(w.node.io().wall_ms(), w.log(0).durable()) > 3);
    w.model.at(Slot{0}).log_start_asked = w.log(0).log_start();
    REQUIRE(w.world.run_until([&] { return w.storage().has_room(); }, 30'000 * ms));
    CHECK(append_and_run(w, 500) == Error::none);
    w.check_all();
}

TEST_CASE("with less than the reserve free clients' appends are refused, the node's own are not") {
    StorageConfig config = StorageWorld::small();
    config.reserve_bytes = 1 << 20;
    StorageWorld w{5, config};
    w.add(0, {.segment_bytes = 60'000}), w.add(1, {.segment_bytes = 60'000, .uses_reserve = true});
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 100; i++) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    DiskOptions& disk = w.node.disk().options();
    disk.capacity_bytes = w.node.disk().used_bytes() + config.reserve_bytes + 200'000;
    uint64_t refused = 0;
    for (uint64_t i = 100; i < 300; i++) {
        const bool refuses = i % 2 == 0 && w.storage().is_low_on_space();
        const Error error = append_and_run(w, i, i % 2 ? 2'000 : 8'000);
        CHECK(error == (refuses ? Error::kafka_storage_error : Error::none));
        refused += error != Error::none;
    }
    CHECK(refused > 10);
    CHECK(w.storage().is_low_on_space());
    CHECK(w.storage().failure() == Error::none);
    CHECK(w.storage().stats().disk_reserve == 1 << 20);
    REQUIRE(w.settle());
    disk.capacity_bytes = w.node.disk().used_bytes() + config.reserve_bytes + 100'000;
    w.world.run_for(3'000 * ms);
    CHECK(w.storage().is_low_on_space());  // A little more than the reserve is not enough.
    disk.capacity_bytes = w.node.disk().used_bytes() + config.reserve_bytes + 400'000;
    REQUIRE(w.world.run_until([&] { return !w.storage().is_low_on_space(); }, 3'000 * ms));
    CHECK(append_and_run(w, 300) == Error::none);
    REQUIRE(w.settle());
    w.check_all();
}

TEST_CASE("what is taken between two looks at the disk does not use its reserve up") {
    StorageConfig config = StorageWorld::small();
    config.reserve_bytes = 1 << 20;
    StorageWorld w{6, config};
    w.add(0, {.segment_bytes = 60'000}), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 100; i++) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    DiskOptions& disk = w.node.disk().options();
    disk.capacity_bytes = w.node.disk().used_bytes() + config.reserve_bytes + 100'000;
    w.world.run_for(1'000 * ms);
    CHECK(append_and_run(w, 100, 1'000) == Error::none);  // Looks.
    w.world.run_for(600 * ms);
    CHECK_FALSE(w.storage().is_low_on_space());
    uint64_t taken = 0;
    for (uint64_t i = 0; i < 50; i++)  // In one turn: nobody can look.
        taken += w.program().append(Slot{0}, make_batch(200 + i, 8'000)) == Error::none;
    CHECK(taken > 3);
    CHECK(taken < 15);
    REQUIRE(w.settle());
    CHECK(w.node.disk().used_bytes() + config.reserve_bytes * 3 / 4 < disk.capacity_bytes);
    w.check_all();
}

TEST_CASE("a failed flush takes the storage offline: nothing more is acknowledged, nor is what it covered") {
    for (uint64_t seed = 1; seed <= 10; seed++) {
        CAPTURE(seed);
        StorageWorld w{seed};
        w.add(0, {.segment_bytes = 60'000}), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        for (uint64_t i = 0; i < 30; i++) CHECK(append_and_run(w, i) == Error::none);
        w.node.disk().options().sync_error = 1'000'000;
        w.node.disk().options().write_error = 1'000'000;
        (void)append_and_run(w, 30);
        w.world.run_for(1'000 * ms);
        CHECK(w.storage().failure() == Error::kafka_storage_error);
        CHECK(w.program().failed_count == 2);
        w.node.disk().options().sync_error = 0, w.node.disk().options().write_error = 0;
        const Offset durable = w.model.at(Slot{0}).durable;
        CHECK(append_and_run(w, 31) == Error::kafka_storage_error);
        w.world.run_for(1'000 * ms);
        CHECK(w.model.at(Slot{0}).durable == durable);  // Never tried again.
        w.crash(Crash::power_cut);
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

TEST_CASE("a storage whose write past the journal failed is closed like any other") {
    for (uint64_t seed = 1; seed <= 10; seed++) {
        CAPTURE(seed);
        StorageConfig config = StorageWorld::small();
        config.unsaved_bytes_max = 1 << 30;  // No checkpoint holds the background up.
        StorageWorld w{seed, config};
        w.add(0), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        for (uint64_t i = 0; i < 20; i++) CHECK(append_and_run(w, i, 40'000) == Error::none);
        w.node.disk().options().write_error = 1'000'000;
        (void)append_and_run(w, 20, 40'000);
        w.world.run_for(1'000 * ms);
        CHECK(w.storage().failure() == Error::kafka_storage_error);
        Error closed = Error::none;
        REQUIRE(w.run(close_storage(w.storage(), closed)));
        CHECK(closed == Error::kafka_storage_error);
        CHECK(w.node.open_descriptors() == 0);
    }
}

TEST_CASE("a failed read fails that read and nothing else") {
    StorageWorld w{5};
    w.add(0, {.segment_bytes = 60'000}), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 200; i++) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    w.node.disk().options().read_error = 1'000'000;
    Error read = Error::none;
    REQUIRE(w.run(read_first(w.log(0), read)));
    CHECK(read == Error::kafka_storage_error);
    CHECK(w.storage().failure() == Error::none);
    CHECK(append_and_run(w, 200) == Error::none);
    w.node.disk().options().read_error = 0;
    REQUIRE(w.run(read_first(w.log(0), read)));
    CHECK(read == Error::none);
    REQUIRE(w.settle());
    w.check_all();
}

TEST_CASE("bytes that rot in a segment are told as corrupt, never served") {
    StorageWorld w{6};
    w.add(0, {.segment_bytes = 60'000});
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 400; i += 2) CHECK(append_and_run(w, i) == Error::none);
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);
    w.node.disk().flip("data/topic0-0/00000000000000000000.log", 1'000, 0x04);
    Error read = Error::none;
    REQUIRE(w.run(read_first(w.log(0), read)));
    CHECK(read == Error::corrupt_message);
}

}  // namespace millrace
