// Log compaction on a simulated node: what stays, what goes, and that no end of a life comes in between.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;

struct Kept {
    std::string key;
    std::optional<std::string> value;
    int64_t timestamp = 0;
    bool operator==(const Kept&) const = default;
};
using Records = std::map<Offset, Kept>;

void take_records(const BatchView& batch, Records& to) {
    Decompressor decompressor;
    auto records = RecordReader::open(batch, decompressor);
    REQUIRE(records.ok());
    while (const auto record = records->next()) {
        Kept kept{.key = std::string{as_text(*record->key)}, .timestamp = record->timestamp};
        if (record->value) kept.value = std::string{as_text(*record->value)};
        REQUIRE(to.emplace(record->offset, std::move(kept)).second);
    }
    REQUIRE(records->error() == Error::none);
}

Task<> read_all(Log& log, Records& found) {
    for (Offset at = log.log_start(); at < log.durable();) {
        auto reading = log.read({.from = at, .max_bytes = 20'000, .limit = log.durable()});
        const auto slice = co_await reading;
        REQUIRE(slice.ok());
        if (slice->empty()) break;
        const std::vector<uint8_t> bytes = bytes_of(*slice);
        BatchReader batches{bytes};
        while (const auto batch = batches.next()) {
            CHECK(batch->next_offset() > at);
            take_records(*batch, found);
        }
        REQUIRE(batches.error() == Error::none);
        REQUIRE(slice->next() > at);
        at = slice->next();
    }
    std::erase_if(found, [&](const auto& entry) { return entry.first < log.log_start(); });
}

StorageConfig cleaning() {
    StorageConfig config = StorageWorld::small();
    config.cleaner.backoff_ns = 3 * ms;
    return config;
}

LogConfig compacted() {
    return {.segment_bytes = 4'000,
            .index_interval_bytes = 500,
            .deletes = false,
            .compacts = true,
            .min_cleanable_dirty_ratio = 0.01};
}

struct CleanWorld : StorageWorld {
    explicit CleanWorld(uint64_t seed = 1, LogConfig log_config = compacted())
        : StorageWorld(seed, cleaning()) {
        add(0, log_config);
    }
    void start() {
        boot();
        REQUIRE(wait_started());
    }
    Log& log() { return StorageWorld::log(0); }
    LogModel& m() { return model.at(Slot{0}); }

    // Three records; of 20 keys.
    static std::vector<uint8_t> batch(uint64_t i, Codec codec = Codec::none) {
        BatchBuilder builder{{.codec = codec}};
        for (uint64_t r = 0; r < 3; r++) {
            const std::string key = "key" + std::to_string((i * 7 + r * 5) % 20);
            const std::string value = std::to_string(i) + std::string(40 + i % 100, 'x');
            std::optional<Bytes> bytes;
            if ((i + r) % 11 != 0) bytes = as_bytes(value);
            builder.add({.timestamp = 1'000 + static_cast<int64_t>(i), .key = as_bytes(key), .value = bytes});
        }
        Compressor compressor;
        return builder.build(compressor);
    }
    void append(uint64_t i, Codec codec = Codec::none) {
        CHECK(program().append(Slot{0}, batch(i, codec)) == Error::none);
        world.run_for(ms / 2);
    }
    Records all_appended() {
        Records all;
        for (const auto& [offset, bytes] : m().batches)
            if (offset < log().end()) take_records(*BatchView::parse(bytes), all);
        return all;
    }
    Records read() {
        Records found;
        REQUIRE(run(read_all(log(), found)));
        return found;
    }
    // What is read is what was written; of each key the newest is there, unless it was deleted.
    void check() {
        REQUIRE(log().failure() == Error::none);
        CHECK(log().end() >= m().written);
        CHECK(log().log_start() >= m().log_start);
        const Records all = all_appended(), found = read();
        std::map<std::string, Offset> newest;
        for (const auto& [offset, record] : all)
            if (offset < log().durable()) newest[record.key] = offset;
        for (const auto& [offset, record] : found) {
            const auto written = all.find(offset);
            REQUIRE(written != all.end());
            CHECK(record == written->second);
        }
        for (const auto& [key, offset] : newest) {
            CAPTURE(key);
            if (offset >= log().log_start() && all.at(offset).value) CHECK(found.contains(offset));
        }
    }
    // At a crash what was not kept never was.
    void forget_lost() {
        m().batches.erase(m().batches.lower_bound(log().end()), m().batches.end());
        m().end = log().end(), m().durable = m().written = log().durable();
    }
    bool wait_cleanings(uint64_t count) {
        return world.run_until([&] { return storage().stats().cleanings >= count; }, 10'000 * ms);
    }
    // Copies of superseded records below the active segment.
    size_t superseded(Offset below) {
        std::set<std::string> seen;
        size_t count = 0;
        const Records found = read();
        for (auto it = found.rbegin(); it != found.rend(); ++it)
            if (it->first < below) count += !seen.insert(it->second.key).second;
        return count;
    }
};

}  // namespace

TEST_CASE("a cleaned log has each key once, at its offset, and reads through its gaps") {
    for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        CAPTURE(codec);
        CleanWorld w;
        w.start();
        for (uint64_t i = 0; i < 200; i++) w.append(i, codec);
        REQUIRE(w.settle());
        REQUIRE(w.wait_cleanings(1));
        w.world.run_for(100 * ms);
        const uint64_t size = w.log().size_bytes();
        CHECK(size < 12'000);
        CHECK(w.log().log_start() == Offset{0});
        CHECK(w.log().end() == Offset{600});
        w.check();
        CHECK(w.read().size() < 150);
        w.crash(Crash::power_cut);
        w.node.restart();
        REQUIRE(w.wait_started());
        w.forget_lost();
        CHECK(w.log().end() == Offset{600});
        CHECK(w.log().size_bytes() == size);
        w.check();
    }
}

TEST_CASE("the active segment, what is too young and what is not below the high watermark are not cleaned") {
    LogConfig young = compacted();
    young.min_compaction_lag_ms = 4'000'000'000'000;
    CleanWorld w{1, young};
    w.start();
    for (uint64_t i = 0; i < 100; i++) w.append(i);
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);
    CHECK(w.read().size() == 300);
    CHECK(w.storage().stats().cleanings == 0);
    young.min_compaction_lag_ms = 0;
    w.log().set_config(young);
    REQUIRE(w.wait_cleanings(1));
    w.world.run_for(100 * ms);
    CHECK(w.read().size() < 100);
    w.check();
}

TEST_CASE("a log with little that is dirty is left alone, unless it is overdue") {
    LogConfig lazy = compacted();
    lazy.min_cleanable_dirty_ratio = 1;
    CleanWorld w{1, lazy};
    w.start();
    for (uint64_t i = 0; i < 100; i++) w.append(i);
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);
    CHECK(w.storage().stats().cleanings == 0);
    lazy.max_compaction_lag_ms = 1;
    w.log().set_config(lazy);
    REQUIRE(w.wait_cleanings(1));
    w.check();
}

TEST_CASE("a cleaner with little memory cleans a part at a time") {
    CleanWorld w;
    w.config.cleaner.map_bytes = 1;
    w.config.cleaner.map_load_factor = 0.01;  // 54 keys.
    w.start();
    for (uint64_t i = 0; i < 300; i++) {
        BatchBuilder builder;
        const std::string key = "key" + std::to_string(i % 100);
        builder.add(
            {.timestamp = 1, .key = as_bytes(key), .value = as_bytes("a value that takes some room")});
        CHECK(w.program().append(Slot{0}, builder.build()) == Error::none);
        w.world.run_for(ms / 2);
    }
    REQUIRE(w.settle());
    REQUIRE(w.wait_cleanings(4));
    w.world.run_for(1'000 * ms);
    w.check();
    CHECK(w.read().size() < 200);
}

TEST_CASE(
    "a producer's last batch stays in the log, so that a restart without a snapshot knows its sequence") {
    CleanWorld w;
    w.start();
    const auto send = [&](int32_t sequence, std::string key) {
        BatchBuilder builder{{.producer_id = ProducerId{9}, .producer_epoch = 0, .base_sequence = sequence}};
        const std::string value(200, 'v');
        builder.add({.timestamp = 1, .key = as_bytes(key), .value = as_bytes(value)});
        return w.program().append(Slot{0}, builder.build());
    };
    for (int32_t i = 0; i < 40; i++) {
        CHECK(send(i, "same") == Error::none);
        w.world.run_for(ms);
    }
    for (uint64_t i = 0; i < 100; i++) {
        BatchBuilder builder;
        builder.add({.timestamp = 1, .key = as_bytes("same"), .value = as_bytes(std::string(300, 'w'))});
        CHECK(w.program().append(Slot{0}, builder.build()) == Error::none);
        w.world.run_for(ms);
    }
    REQUIRE(w.settle());
    REQUIRE(w.wait_cleanings(1));
    w.world.run_for(100 * ms);
    w.check();
    CHECK(w.read().size() < 30);
    w.crash(Crash::power_cut);
    for (const std::string& name : w.node.disk().names("data/topic0-0"))
        if (name.ends_with(".snapshot")) w.node.disk().put("data/topic0-0/" + name, as_bytes("damaged"));
    w.node.restart();
    REQUIRE(w.wait_started());
    CHECK(send(41, "same") == Error::out_of_order_sequence_number);
    CHECK(send(40, "same") == Error::none);
}

namespace {

Task<> ask(Log& log, int64_t timestamp, std::optional<Result<TimestampOffset>>& answer) {
    auto asking = log.offset_for_timestamp(timestamp, log.end());
    answer = co_await asking;
}

}  // namespace

TEST_CASE("times are found in a cleaned log, also the largest") {
    CleanWorld w;
    w.start();
    for (uint64_t i = 0; i < 200; i++) w.append(i);
    REQUIRE(w.settle());
    REQUIRE(w.wait_cleanings(1));
    w.world.run_for(100 * ms);
    const Records found = w.read();
    const auto look = [&](int64_t timestamp) {
        std::optional<Result<TimestampOffset>> answer;
        REQUIRE(w.run(ask(w.log(), timestamp, answer)));
        REQUIRE(answer->ok());
        return **answer;
    };
    for (const int64_t timestamp : {1'000, 1'050, 1'100, 1'150, 1'199}) {
        const auto first = std::find_if(found.begin(), found.end(),
                                        [&](const auto& r) { return r.second.timestamp >= timestamp; });
        REQUIRE(first != found.end());
        CHECK(look(timestamp).offset == first->first);
    }
    CHECK(look(-3).timestamp == 1'199);
    CHECK(look(1'200).offset == Offset{-1});
}

namespace {

// Runs inside the node's turns, so that an end comes between two of them.
Task<> live(CleanWorld& w, bool deletes) {
    Io& io = w.node.io();
    for (uint64_t i = 0; i < 90; i++) {
        co_await sleep_for(io, ms / 2);
        Log* log = w.storage().find(Slot{0});
        if (!log) co_return;
        (void)w.program().append(Slot{0}, CleanWorld::batch(i));
        if (deletes && i == 50) delete_records(w.m(), *log, log->durable()).detach();
    }
    co_await sleep_for(io, 20 * ms);
}

uint64_t end_at_each_change(Crash how, bool deletes) {
    return each_crash_point([&](uint64_t point) {
        CAPTURE(point);
        CleanWorld w{point};
        w.boot();
        w.node.crash_at_change(w.node.disk().changes() + point, how);
        if (w.wait_started()) (void)w.run(live(w, deletes));
        if (w.node.is_running()) {
            w.node.crash_at_change(UINT64_MAX, how);
            CHECK(w.storage().stats().cleanings > 0);
            w.check();
            return false;
        }
        w.crashed(how);
        w.node.restart();
        REQUIRE(w.wait_started());
        w.forget_lost();
        w.check();
        w.append(1'000);
        REQUIRE(w.settle());
        w.world.run_for(50 * ms);
        w.check();
        return true;
    });
}

}  // namespace

TEST_CASE(
    "an end at any change of the disk during cleanings loses no newest record and brings no older back") {
    CHECK(end_at_each_change(Crash::kill, false) > 200);
    CHECK(end_at_each_change(Crash::power_cut, false) > 200);
}

TEST_CASE("so it is when records are deleted meanwhile") {
    CHECK(end_at_each_change(Crash::kill, true) > 200);
    CHECK(end_at_each_change(Crash::power_cut, true) > 200);
}

namespace {

Task<> read_over_and_over(CleanWorld& w, const bool& stop, uint64_t& rounds) {
    while (!stop) {
        Records found;
        auto reading = read_all(w.log(), found);
        co_await reading;
        const Records all = w.all_appended();
        for (const auto& [offset, record] : found) CHECK(all.at(offset) == record);
        rounds++;
        co_await sleep_for(w.node.io(), ms / 10);
    }
}

}  // namespace

TEST_CASE("who reads while files are replaced sees what was written") {
    CleanWorld w;
    w.start();
    bool stop = false;
    uint64_t rounds = 0;
    for (int reader = 0; reader < 3; reader++) w.node.spawn(read_over_and_over(w, stop, rounds));
    for (uint64_t i = 0; i < 400; i++) w.append(i);
    stop = true;
    w.world.run_for(100 * ms);
    CHECK(w.storage().stats().cleanings > 3);
    CHECK(rounds > 30);
    w.check();
}

TEST_CASE("a tombstone goes once its time has come, and not before") {
    LogConfig config = compacted();
    config.delete_retention_ms = 200;
    CleanWorld w{1, config};
    w.start();
    const auto send = [&](const std::string& key, bool is_tombstone) {
        BatchBuilder builder;
        const std::string value(150, 'v');
        std::optional<Bytes> bytes;
        if (!is_tombstone) bytes = as_bytes(value);
        builder.add({.timestamp = 1, .key = as_bytes(key), .value = bytes});
        CHECK(w.program().append(Slot{0}, builder.build()) == Error::none);
        w.world.run_for(ms);
    };
    const auto tombstones = [&] {
        const Records found = w.read();
        return std::count_if(found.begin(), found.end(), [](const auto& r) { return !r.second.value; });
    };
    for (int i = 0; i < 10; i++) send("gone " + std::to_string(i), false);
    for (int i = 0; i < 10; i++) send("gone " + std::to_string(i), true);
    for (int i = 0; i < 60; i++) send("other", false);
    REQUIRE(w.wait_cleanings(1));
    w.world.run_for(50 * ms);
    CHECK(w.read().size() < 60);
    CHECK(tombstones() == 10);
    w.world.run_for(300 * ms);
    for (int i = 0; i < 60; i++) send("other", false);
    w.world.run_for(300 * ms);
    CHECK(tombstones() == 0);
    w.check();
}

namespace {

Task<> remove(Storage& storage) {
    auto removing = storage.remove(Slot{0});
    const auto removed = co_await removing;
    CHECK(removed.ok());
}

}  // namespace

TEST_CASE("a log that is removed while it is cleaned is gone, whenever that is") {
    for (uint64_t point = 0; point < 60; point++) {
        CAPTURE(point);
        CleanWorld w{point};
        w.start();
        for (uint64_t i = 0; i < 60; i++)
            CHECK(w.program().append(Slot{0}, CleanWorld::batch(i)) == Error::none);
        w.world.run_for(2 * ms + point * ms / 10);
        w.m().removing = true;
        REQUIRE(w.run(remove(w.storage())));
        w.world.run_for(200 * ms);
        CHECK(w.storage().failure() == Error::none);
        CHECK(w.node.disk().names("data/topic0-0").empty());
    }
}

TEST_CASE("an unreadable batch stops the cleaning of its log, and nothing else") {
    LogConfig config = compacted();
    config.min_cleanable_dirty_ratio = 1;
    CleanWorld w{1, config};
    w.start();
    for (uint64_t i = 0; i < 100; i++) w.append(i);
    REQUIRE(w.settle());
    w.world.run_for(100 * ms);
    w.node.disk().flip("data/topic0-0/00000000000000000000.log", 300, 1);
    config.min_cleanable_dirty_ratio = 0.01;
    w.log().set_config(config);
    w.world.run_for(1'000 * ms);
    CHECK(w.storage().stats().cleanings == 0);
    CHECK(w.storage().stats().cleaner_failures == 1);
    CHECK(w.storage().failure() == Error::none);
    w.append(200);
    CHECK(w.settle());
    for (const std::string& name : w.node.disk().names("data/topic0-0")) CHECK_FALSE(name.ends_with(".swap"));
}

TEST_CASE("on a full disk nothing is cleaned; when there is room, it is") {
    LogConfig config = compacted();
    config.min_cleanable_dirty_ratio = 1;
    CleanWorld w{1, config};
    w.start();
    for (uint64_t i = 0; i < 100; i++) w.append(i);
    REQUIRE(w.settle());
    w.world.run_for(100 * ms);
    w.node.disk().options().capacity_bytes = 1;
    config.min_cleanable_dirty_ratio = 0.01;
    w.log().set_config(config);
    w.world.run_for(200 * ms);
    CHECK(w.storage().failure() == Error::none);
    CHECK(w.storage().stats().cleanings == 0);
    w.node.disk().options().capacity_bytes = DiskOptions{}.capacity_bytes;
    REQUIRE(w.wait_cleanings(1));
    w.world.run_for(100 * ms);
    w.check();
    CHECK(w.read().size() < 100);
}

TEST_CASE("with compact and delete both happen") {
    LogConfig config = compacted();
    config.deletes = true, config.retention_ms = -1, config.retention_bytes = 6'000;
    CleanWorld w{1, config};
    w.start();
    for (uint64_t i = 0; i < 300; i++) {
        w.append(i);
        if (i % 20 == 0) (void)w.log().retain(w.node.io().wall_ms(), w.log().durable());
        w.m().log_start_asked = w.log().log_start();
    }
    REQUIRE(w.settle());
    w.world.run_for(100 * ms);
    CHECK(w.storage().stats().cleanings > 0);
    CHECK(w.log().log_start() > Offset{0});
    CHECK(w.log().size_bytes() < 20'000);
    w.check();
}

}  // namespace millrace
