// Storage against a model: random appends, reads, rolls, retention, removals, kills and power cuts, many
// seeds.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

struct Workload {
    StorageWorld& w;
    uint64_t timestamp = 1'000;

    uint64_t random(uint64_t below) { return w.world.random() % below; }

    void step() {
        if (!w.node.is_running() || !w.program().started) return;
        const uint64_t what = random(100);
        auto it = w.model.begin();
        std::advance(it, static_cast<long>(random(w.model.size())));
        if (it->second.removing) return;
        Log* log = w.storage().find(it->first);
        if (!log || log->failure() != Error::none) return;
        if (what < 70) return append(it->first);
        if (what < 80) return w.node.spawn(read(*log));
        if (what < 84) return start_later(it->second, *log);
        if (what < 88) return retain(it->second, *log);
        if (what == 90) log->want_durable();
        if (what < 90) (void)log->start_epoch(log->last_epoch() + 1);
        const Between pause{1'000, 3'000'000};
        w.world.run_for(pause.least + random(pause.most));
    }
    void append(Slot slot) {
        const uint64_t kind = random(10);
        const size_t size = kind < 6 ? 1 + random(300) : kind < 9 ? random(8'000) : random(40'000);
        const Epoch epoch = std::max(w.storage().find(slot)->last_epoch(), Epoch{0});
        const auto batch = make_batch(random(1'000'000), size, static_cast<int64_t>(timestamp += random(3)));
        const Error error = w.program().append(slot, batch, epoch);
        const bool fine =
            error == Error::none || error == Error::request_timed_out || error == Error::kafka_storage_error;
        CHECK(fine);
    }
    void start_later(LogModel& m, Log& log) {
        if (log.durable() <= log.log_start()) return;
        const Offset to =
            log.log_start() +
            static_cast<int64_t>(random(static_cast<uint64_t>(log.durable() - log.log_start())));
        m.log_start_asked = std::max(m.log_start_asked, to);
        w.node.spawn(set_start(m, log, to));
    }
    static Task<> set_start(LogModel& m, Log& log, Offset to) {
        const auto done = co_await log.set_log_start(to);
        if (done) m.log_start = std::max(m.log_start, to);
    }
    void retain(LogModel& m, Log& log) {
        log.retain(w.node.io().wall_ms(), log.durable());
        m.log_start_asked = std::max(m.log_start_asked, log.log_start());
    }
    Task<> read(Log& log) {
        if (log.durable() <= log.log_start()) co_return;
        const Slot slot = log.spec().slot;
        const Offset from =
            log.log_start() +
            static_cast<int64_t>(random(static_cast<uint64_t>(log.durable() - log.log_start())));
        const auto slice =
            co_await log.read({.from = from, .max_bytes = random(50'000), .limit = log.durable()});
        if (!slice) {
            const bool fine =
                slice.error() == Error::offset_out_of_range || slice.error() == Error::kafka_storage_error;
            CAPTURE(error_name(slice.error()));
            CHECK(fine);
            co_return;
        }
        REQUIRE(!slice->empty());
        const std::vector<uint8_t> bytes = bytes_of(*slice);
        BatchReader reader{bytes};
        bool first = true;
        while (const auto batch = reader.next()) {
            if (first) CHECK(batch->base_offset() <= from);
            if (first) CHECK(batch->next_offset() > from);
            first = false;
            const auto& expected = w.model.at(slot).batches.at(batch->base_offset());
            REQUIRE(
                std::equal(batch->bytes().begin(), batch->bytes().end(), expected.begin(), expected.end()));
        }
        CHECK(reader.error() == Error::none);
    }
};

void run_seed(uint64_t seed, DiskOptions disk) {
    CAPTURE(seed);
    StorageWorld w{seed, StorageWorld::small(), disk};
    const uint32_t logs = 1 + seed % 5;
    for (uint32_t i = 0; i < logs; i++)
        w.add(i, {.retention_bytes = i % 2 ? 200'000 : -1, .segment_bytes = i % 3 == 0 ? 60'000u : 300'000u});
    w.boot();
    REQUIRE(w.wait_started());
    Workload load{w};
    for (int life = 0; life < 6; life++) {
        const uint64_t steps = 50 + w.world.random() % 400;
        for (uint64_t i = 0; i < steps; i++) load.step();
        w.crash(w.world.random() % 2 ? Crash::kill : Crash::power_cut);
        w.node.restart();
        if (w.world.random() % 3 == 0) {  // Again, in the middle of the recovery.
            w.world.run_for(w.world.random() % 10'000'000);
            w.crash(w.world.random() % 2 ? Crash::kill : Crash::power_cut);
            w.node.restart();
        }
        REQUIRE(w.wait_started());
        w.check_all();
    }
}

}  // namespace

TEST_CASE("through kills and power cuts a log holds what it acknowledged, in order, once, to the byte") {
    for (uint64_t seed = 1; seed <= 60; seed++) run_seed(seed, {});
}

TEST_CASE("so it does when a kill tears the writes under way") {
    for (uint64_t seed = 1'001; seed <= 1'040; seed++) run_seed(seed, {.torn_at_kill = 800'000});
}

}  // namespace millrace
