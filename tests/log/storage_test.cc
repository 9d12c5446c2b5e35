// Storage in the simulator: single claims.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

TEST_CASE("a new storage starts, and what is appended becomes durable and readable") {
    StorageWorld w{1};
    w.add(0), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 20; i++)
        CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 200)) == Error::none);
    CHECK(w.log(0).durable() == Offset{0});
    REQUIRE(w.settle());
    CHECK(w.log(0).durable() == w.log(0).end());
    CHECK(w.program().progress_count > 0);
    w.check_all();
}

TEST_CASE("what nobody waits for is written first and flushed soon; what somebody waits for, at once") {
    StorageWorld w{7};
    w.add(0);
    w.boot();
    REQUIRE(w.wait_started());
    Log& log = w.log(0);
    CHECK(w.program().append(Slot{0}, make_batch(0, 300)) == Error::none);  // With it the log's state.
    REQUIRE(w.settle());
    w.world.run_for(200'000'000);
    CHECK(w.program().append(Slot{0}, make_batch(1, 300)) == Error::none);
    REQUIRE(w.world.run_until([&] { return log.written() == log.end(); }, 5'000'000));
    CHECK(log.durable() < log.end());
    REQUIRE(w.world.run_until([&] { return log.durable() == log.end(); }, 110'000'000));

    w.world.run_for(200'000'000);
    CHECK(w.program().append(Slot{0}, make_batch(2, 300)) == Error::none);
    log.want_durable();
    REQUIRE(w.world.run_until([&] { return log.written() == log.end(); }, 5'000'000));
    CHECK(log.durable() == log.end());  // One durable write.
    w.world.run_for(200'000'000);

    CHECK(w.program().append(Slot{0}, make_batch(3, 300)) == Error::none);
    REQUIRE(w.world.run_until([&] { return log.written() == log.end(); }, 5'000'000));
    CHECK(log.durable() < log.end());
    log.want_durable();  // Too late for that: a flush of its own, before the timer's.
    REQUIRE(w.world.run_until([&] { return log.durable() == log.end(); }, 5'000'000));
    w.check_all();
}

TEST_CASE("what is written but not flushed survives a kill, and a power cut after it") {
    for (uint64_t seed = 1; seed <= 40; seed++) {
        StorageWorld w{seed};
        w.add(0), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        for (uint64_t i = 0; i < 20; i++) {  // Small ones for the journal, large ones for the segment.
            (void)w.program().append(Slot{uint32_t(i % 2)},
                                     make_batch(i, i % 2 ? 200 : 20'000));  // Or no room.
            w.world.run_for(seed * 20'000);
        }
        const Offset written = w.log(1).written();
        w.crash(Crash::kill);
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.log(1).durable() >= written);
        w.check_all();
        w.crash(Crash::power_cut);
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

TEST_CASE("what was durable is there after a power cut, what was written after a kill") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        StorageWorld w{2};
        w.add(0), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        for (uint64_t i = 0; i < 200; i++) {
            CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 100 + i * 37 % 9000)) ==
                  Error::none);
            w.world.run_for(100'000);
        }
        REQUIRE(w.settle());
        const Offset end = w.log(0).end();
        w.crash(how);
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.log(0).end() == end);
        w.check_all();
    }
}

TEST_CASE("a closed storage starts clean and holds everything") {
    StorageWorld w{3};
    w.add(0, {.segment_bytes = 30'000}), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 100; i++) {
        CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 1000)) == Error::none);
        w.world.run_for(100'000);
    }
    static Result<> closed;
    closed = Error::unknown_server_error;
    struct Close {
        static Task<> run(Storage& storage) { closed = co_await storage.close(); }
    };
    REQUIRE(w.run(Close::run(w.storage())));
    CHECK(closed.ok());
    w.crash(Crash::power_cut);
    w.node.restart();
    REQUIRE(w.wait_started());
    CHECK(w.storage().was_clean());
    w.check_all();
}

TEST_CASE("a log that is written straight to its segment is checkpointed, so that a recovery reads little") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        StorageWorld w{4};
        w.add(0), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        for (uint64_t i = 0; i < 60; i++) {
            CHECK(w.program().append(Slot{0}, make_batch(i, 20'000)) == Error::none);
            w.world.run_for(2'000'000);
        }
        CHECK(w.storage().stats().direct_bytes > 600'000);
        const auto names = w.node.disk().names("data/topic0-0");
        int64_t newest = -1;
        for (const std::string& name : names)
            if (name.ends_with(".snapshot")) newest = std::stoll(name);
        CHECK(newest >= w.log(0).end().value - 30);
        w.crash(how);
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

TEST_CASE("a start does not write again what large appends have brought to their segment") {
    StorageWorld w{31};
    w.add(0, {.segment_bytes = 8 << 20});
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 60; i++) {
        CHECK(w.program().append(Slot{0}, make_batch(i, 20'000)) == Error::none);
        REQUIRE(w.settle());
    }
    REQUIRE(w.storage().stats().direct_bytes > 500'000);
    w.crash(Crash::kill);
    const uint64_t before = w.node.disk().changes();
    w.node.restart();
    REQUIRE(w.wait_started());
    CHECK(w.node.disk().changes() - before < 30);
    w.check_all();
}

TEST_CASE(
    "in memory mode a record is safe at once, in the journal within 10 ms, and nothing wakes an idle shard") {
    StorageWorld w{8};
    w.add(0, {.in_memory = true}), w.add(1, {.in_memory = true});
    w.boot();
    REQUIRE(w.wait_started());
    w.world.run_for(300'000'000);
    const uint64_t commits = w.storage().stats().commits;
    for (uint64_t i = 0; i < 100; i++) {
        Log& log = w.log(i % 2);
        CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 200)) == Error::none);
        CHECK(log.safe() == log.end());
        CHECK(log.durable() < log.end());
        w.world.run_for(500'000);
    }
    CHECK(w.storage().stats().commits - commits <= 8);  // 50 ms.
    CHECK(w.program().progress_count >= 100);
    const Offset end0 = w.log(0).end(), end1 = w.log(1).end();
    w.world.run_for(10'000'000);
    CHECK(w.log(0).written() == end0);
    CHECK(w.log(1).written() == end1);
    REQUIRE(w.settle());
    w.world.run_for(20'000'000);  // The watermark of an idle time.
    const uint64_t turns = w.world.turns(), before = w.storage().stats().commits;
    w.world.run_for(5'000'000'000);
    CHECK(w.storage().stats().commits == before);
    CHECK(w.world.turns() - turns < 10);
    w.check_all();
}

TEST_CASE("what is not flushed stays below flush.messages, and is flushed within flush.ms") {
    StorageWorld w{9};
    w.add(0, {.in_memory = true, .flush_messages = 1});
    w.add(1, {.in_memory = true, .flush_messages = 1'000'000, .flush_ms = 20});
    w.boot();
    REQUIRE(w.wait_started());
    w.world.run_for(300'000'000);
    Log& each = w.log(0);
    Log& timed = w.log(1);
    CHECK(w.program().append(Slot{0}, make_batch(1, 200)) == Error::none);
    CHECK(each.safe() == each.durable());
    REQUIRE(w.world.run_until([&] { return each.safe() == each.end(); }, 5'000'000));
    CHECK(each.durable() == each.end());
    w.world.run_for(300'000'000);
    CHECK(w.program().append(Slot{1}, make_batch(2, 200)) == Error::none);
    CHECK(timed.safe() == timed.end());
    REQUIRE(w.world.run_until([&] { return timed.durable() == timed.end(); }, 20'000'000));
    REQUIRE(w.settle());
    w.check_all();
}

TEST_CASE("a change between memory and flush takes nothing back and flushes what waits") {
    StorageWorld w{10};
    LogModel& model = w.add(0, {.in_memory = true});
    w.boot();
    REQUIRE(w.wait_started());
    w.world.run_for(300'000'000);
    Log& log = w.log(0);
    CHECK(w.program().append(Slot{0}, make_batch(1, 200)) == Error::none);
    const Offset safe = log.safe();
    CHECK(log.durable() < safe);
    model.spec.config.in_memory = false;
    log.set_config(model.spec.config);
    CHECK(log.safe() == safe);
    CHECK(w.program().append(Slot{0}, make_batch(2, 200)) == Error::none);
    CHECK(log.safe() == safe);
    REQUIRE(w.world.run_until([&] { return log.durable() == log.end(); }, 5'000'000));
    CHECK(w.program().append(Slot{0}, make_batch(3, 200)) == Error::none);
    model.spec.config.in_memory = true;
    const uint64_t told = w.program().progress_count;
    log.set_config(model.spec.config);
    CHECK(log.safe() == log.end());
    w.world.run_for(100'000);
    CHECK(w.program().progress_count > told);
    REQUIRE(w.settle());
    w.check_all();
}

}  // namespace millrace
