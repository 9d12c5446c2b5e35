// One log: duplicates, times, retention, the tail in memory.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;

struct OneLog : StorageWorld {
    explicit OneLog(LogConfig log_config = {}) : StorageWorld(1) {
        add(0, log_config);
        boot();
        REQUIRE(wait_started());
    }
    Log& log() { return StorageWorld::log(0); }
    void append(uint64_t seed, size_t size, int64_t timestamp = 1'000) {
        CHECK(program().append(Slot{0}, make_batch(seed, size, timestamp)) == Error::none);
        world.run_for(1 * ms);
    }
    void again(Crash how) {
        crash(how);
        node.restart();
        REQUIRE(wait_started());
    }
    TimestampOffset at_time(int64_t timestamp, std::optional<Offset> limit = {}) {
        std::optional<Result<TimestampOffset>> found;
        REQUIRE(run(ask(log(), timestamp, limit.value_or(log().end()), found)));
        REQUIRE(found->ok());
        return **found;
    }
    static Task<> measure(Log& log, ReadRequest request, std::optional<size_t>& size) {
        auto reading = log.read(request);
        const auto slice = co_await reading;
        if (slice) size = slice->size();
    }
    static Task<> ask(Log& log, int64_t timestamp, Offset limit,
                      std::optional<Result<TimestampOffset>>& found) {
        auto asking = log.offset_for_timestamp(timestamp, limit);
        found = co_await asking;
    }
};

}  // namespace

TEST_CASE("a producer's repeated batch is answered with its offsets, also after a roll or a crash") {
    OneLog w{{.segment_bytes = 4'000}};
    const auto batch = [](int32_t sequence) {
        return make_batch(0, 900, 1'000, ProducerId{5}, sequence);  // One record.
    };
    const auto send = [&](int32_t sequence) {
        return w.log().append({.batch = batch(sequence), .leader_epoch = Epoch{0}});
    };
    for (int32_t i = 0; i < 20; i++) {
        const auto sent = send(i);
        REQUIRE(sent.ok());
        CHECK_FALSE(sent->duplicate);
        w.world.run_for(5 * ms);
        if (i == 10) w.again(Crash::kill);
        if (i == 15) w.world.run_for(200 * ms), w.again(Crash::power_cut);  // By then it is flushed.
        const auto repeated = send(i);
        REQUIRE(repeated.ok());
        CHECK(repeated->duplicate);
        CHECK(repeated->first == sent->first);
        if (i > 5) CHECK(send(i - 5).error() == Error::out_of_order_sequence_number);
        CHECK(send(i + 2).error() == Error::out_of_order_sequence_number);
    }
    CHECK(w.log().end() == Offset{20});
    CHECK(w.log().segment_count() > 3);
}

TEST_CASE("the first record at or after a time is found, in memory, on disk and after a restart") {
    OneLog w{{.segment_bytes = 20'000, .index_interval_bytes = 1'000}};
    std::vector<std::pair<int64_t, Offset>> records;  // Time and offset, in the order of offsets.
    for (uint64_t i = 0; i < 150; i++) {
        const int64_t time = 10'000 + static_cast<int64_t>(i * 7 % 40 + i) * 10;  // Not in order.
        const Offset first = w.log().end();
        w.append(i, 600, time);
        for (Offset o = first; o < w.log().end(); o = o + 1) records.emplace_back(time + (o - first), o);
    }
    REQUIRE(w.settle());
    const auto check = [&] {
        for (int64_t time = 9'990; time < 12'200; time += 37) {
            const auto expected = std::find_if(records.begin(), records.end(), [&](const auto& r) {
                return r.first >= time && r.second >= w.log().log_start();
            });
            const auto found = w.at_time(time);
            CAPTURE(time);
            CHECK(found.offset == (expected == records.end() ? Offset{-1} : expected->second));
            if (expected != records.end()) CHECK(found.timestamp == expected->first);
        }
        const auto newest = std::max_element(records.begin(), records.end(),
                                             [](const auto& a, const auto& b) { return a.first < b.first; });
        CHECK(w.at_time(-3).offset == newest->second);
        CHECK(w.at_time(-3).timestamp == newest->first);
    };
    check();
    w.again(Crash::power_cut);
    check();
    CHECK(w.log().segment_count() > 3);
    CHECK(w.at_time(9'990, Offset{0}).offset == Offset{-1});  // Nothing is below this limit.
}

TEST_CASE("retention by size keeps at least so many bytes, in whole segments") {
    OneLog w{{.retention_ms = -1, .retention_bytes = 50'000, .segment_bytes = 10'000}};
    for (uint64_t i = 0; i < 200; i++) w.append(i, 900);
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);  // All is written out.
    const uint64_t before = w.log().size_bytes();
    CHECK(before > 150'000);
    (void)w.log().retain(w.node.io().wall_ms(), w.log().durable());
    w.world.run_for(100 * ms);
    CHECK(w.log().size_bytes() >= 50'000);
    CHECK(w.log().size_bytes() < 65'000);
    CHECK(w.log().retain(w.node.io().wall_ms(), w.log().durable()) == 0);
    w.model.at(Slot{0}).log_start_asked = w.log().log_start();
    w.world.run_for(1'000 * ms);
    size_t files = 0;
    for (const std::string& name : w.node.disk().names("data/topic0-0")) files += name.ends_with(".log");
    CHECK(files <= w.log().segment_count() + 1);
    w.check_all();
    const Offset start = w.log().log_start();
    w.again(Crash::power_cut);
    CHECK(w.log().log_start() == start);
    w.check_all();
}

TEST_CASE("a segment that is rolled because it is old stays behind an older one that is not") {
    OneLog w{{.retention_ms = 60'000, .segment_bytes = 10'000}};
    const int64_t now = w.node.io().wall_ms();
    for (uint64_t i = 0; i < 5; i++) w.append(i, 900, now);
    for (uint64_t i = 5; i < 14; i++) w.append(i, 900, now - 100'000);
    REQUIRE(w.settle());
    const size_t segments = w.log().segment_count();
    CHECK(w.log().retain(now, w.log().durable()) == 0);
    CHECK(w.log().segment_count() == segments + 1);
    w.world.run_for(100 * ms);
    CHECK(w.log().log_start() == Offset{0});
    w.append(14, 900, now);
    REQUIRE(w.settle());
    w.check_all();
}

TEST_CASE("retention by time drops what is older by its records' times, the last segment too") {
    OneLog w{{.retention_ms = 60'000, .segment_bytes = 10'000}};
    const int64_t now = w.node.io().wall_ms();
    for (uint64_t i = 0; i < 50; i++) w.append(i, 900, now - 100'000);
    for (uint64_t i = 50; i < 60; i++) w.append(i, 900, now);
    REQUIRE(w.settle());
    (void)w.log().retain(now, w.log().durable());
    CHECK(w.log().log_start() > Offset{30});
    CHECK(w.log().log_start() < w.log().end());
    (void)w.log().retain(now + 61'000, w.log().durable());
    CHECK(w.log().log_start() == w.log().end());
    w.world.run_for(1'000 * ms);
    CHECK(w.log().segment_count() == 1);
    CHECK(w.log().size_bytes() == 0);
    w.model.at(Slot{0}).log_start_asked = w.log().end();
    w.append(60, 900, now + 61'000);
    REQUIRE(w.settle());
    w.check_all();
}

TEST_CASE("retention takes nothing above the high watermark, and nothing at all where it is off") {
    OneLog w{{.retention_ms = 1, .retention_bytes = 0, .segment_bytes = 10'000}};
    for (uint64_t i = 0; i < 50; i++) w.append(i, 900, 1'000);
    REQUIRE(w.settle());
    CHECK(w.log().retain(w.node.io().wall_ms(), Offset{0}) == 0);
    LogConfig keep = w.log().spec().config;
    keep.retention_ms = -1, keep.retention_bytes = -1;
    w.log().set_config(keep);
    CHECK(w.log().retain(w.node.io().wall_ms(), w.log().durable()) == 0);
    keep.retention_ms = 1, keep.deletes = false;
    w.log().set_config(keep);
    CHECK(w.log().retain(w.node.io().wall_ms(), w.log().durable()) == 0);
    CHECK(w.log().log_start() == Offset{0});
}

TEST_CASE("what was just written is read from memory, what is older than the cache from disk") {
    OneLog w;
    for (uint64_t i = 0; i < 300; i++) w.append(i, 3'000);
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);
    const uint64_t reads = w.storage().stats().disk_reads;
    const auto tail =
        w.log().read_cached({.from = w.log().end() - 1, .max_bytes = 10'000, .limit = w.log().end()});
    REQUIRE(tail);
    REQUIRE(tail->ok());
    CHECK((*tail)->next() == w.log().end());
    CHECK_FALSE(w.log().read_cached({.from = Offset{0}, .max_bytes = 10'000, .limit = w.log().end()}));
    CHECK(w.storage().stats().disk_reads == reads);
    CHECK(w.storage().stats().cached_bytes <= w.config.tail_cache_bytes + (1 << 20));
    w.check_all();
    CHECK(w.storage().stats().disk_reads > reads);
}

TEST_CASE("one busy log keeps within the tail cache, however far behind the device is for a moment") {
    OneLog w;
    uint64_t most = 0;
    for (uint64_t i = 0; i < 1'500; i++) {
        w.append(i, 12'000);
        if (i % 8 == 0) w.world.run_for(2 * ms);
        most = std::max(most, w.storage().stats().cached_bytes);
    }
    REQUIRE(w.settle());
    CHECK(most <= w.config.tail_cache_bytes + 2 * w.config.dirty_bytes_max);
    w.check_all();
}

TEST_CASE("a read from disk whose first batch does not fit is empty, unless it must give one") {
    OneLog w;
    for (uint64_t i = 0; i < 300; i++) w.append(i, 3'000);
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);
    const auto read_size = [&](bool at_least_one) {
        const ReadRequest request{
            .from = Offset{0}, .max_bytes = 1'000, .limit = w.log().end(), .at_least_one = at_least_one};
        CHECK_FALSE(w.log().read_cached(request));
        std::optional<size_t> size;
        REQUIRE(w.run(OneLog::measure(w.log(), request, size)));
        return size.value_or(SIZE_MAX);
    };
    CHECK(read_size(false) == 0);
    CHECK(read_size(true) > 1'000);
}

TEST_CASE("a slice stays readable when its log's memory, segment and name are gone") {
    OneLog w{{.segment_bytes = 20'000}};
    w.append(1, 2'000);
    REQUIRE(w.settle());
    auto slice = w.log().read_cached({.from = Offset{0}, .max_bytes = 10'000, .limit = w.log().end()});
    REQUIRE(slice);
    REQUIRE(slice->ok());
    const auto bytes = bytes_of(**slice);
    for (uint64_t i = 2; i < 300; i++) w.append(i, 3'000);
    struct Remove {
        static Task<> run(Storage& storage) { (void)co_await storage.remove(Slot{0}); }
    };
    w.model.at(Slot{0}).removing = true;
    REQUIRE(w.run(Remove::run(w.storage())));
    CHECK(w.storage().find(Slot{0}) == nullptr);
    CHECK(bytes_of(**slice) == bytes);
    CHECK(BatchView::parse(bytes)->crc_matches());
}

TEST_CASE("the start of a log with many finished segments reads the ends of their indexes only") {
    OneLog w{{.segment_bytes = 30'000, .index_interval_bytes = 64}};
    for (uint64_t i = 0; i < 600; i++) w.append(i, 300, 1'000 + static_cast<int64_t>(i));
    REQUIRE(w.settle());
    w.world.run_for(1'000 * ms);
    CHECK(w.log().segment_count() > 5);
    w.again(Crash::power_cut);
    w.check_all();
    for (int64_t time = 1'000; time < 1'600; time += 50) CHECK(w.at_time(time).timestamp >= time);
}

TEST_CASE("a finished segment's indexes are made anew when one is missing or cut off") {
    for (const char* suffix : {".index", ".timeindex"}) {
        OneLog w{{.segment_bytes = 30'000, .index_interval_bytes = 64}};
        for (uint64_t i = 0; i < 300; i++) w.append(i, 300, 1'000 + static_cast<int64_t>(i));
        REQUIRE(w.settle());
        w.world.run_for(1'000 * ms);
        const std::string path = std::string("data/topic0-0/00000000000000000000") + suffix;
        const auto whole = w.node.disk().contents(path);
        REQUIRE(whole.size() > 100);
        w.crash(Crash::kill);
        w.node.disk().put(path, {});
        w.node.restart();
        REQUIRE(w.wait_started());
        w.check_all();
        CHECK(w.at_time(1'010).timestamp >= 1'010);
        CHECK(w.node.disk().contents(path) == whole);
    }
}

}  // namespace millrace
