// What cleaning leaves of one batch.
#include "batch_filter.h"

#include <doctest/doctest.h>

namespace millrace {

namespace {

constexpr int64_t now_ms = 1'000'000;

struct Filtering {
    OffsetMap map{{.bytes_max = 1 << 20, .keys_wanted = 1'000}};
    Compressor compressor;
    Decompressor decompressor;
    BatchFilter filter{map, {.now_ms = now_ms, .delete_retention_ms = 5'000}, compressor, decompressor};

    Filtering() { map.set_latest(Offset{1'000}); }
    std::vector<uint8_t> of(const std::vector<uint8_t>& batch, bool is_last = false) {
        const auto kept = filter.filter(*BatchView::parse(batch), BatchFilter::LastOfProducer{is_last});
        REQUIRE(kept.ok());
        return {kept->begin(), kept->end()};
    }
};

struct Part {
    std::string key;
    std::optional<std::string> value;
};

// At offset 100, in order; the timestamp rises by one.
std::vector<uint8_t> batch_of(const std::vector<Part>& parts, BatchOptions options = {}) {
    options.base_offset = Offset{100}, options.leader_epoch = Epoch{3};
    BatchBuilder builder{options};
    const std::array<RecordHeader, 1> headers{RecordHeader{.key = "h", .value = as_bytes("x")}};
    int64_t timestamp = 5'000;
    for (const Part& part : parts) {
        std::optional<Bytes> value;
        if (part.value) value = as_bytes(*part.value);
        builder.add(
            {.timestamp = timestamp++, .key = as_bytes(part.key), .value = value, .headers = headers});
    }
    Compressor compressor;
    return builder.build(compressor);
}

std::vector<std::pair<int64_t, std::string>> records_of(const std::vector<uint8_t>& bytes) {
    Decompressor decompressor;
    auto records = RecordReader::open(*BatchView::parse(bytes), decompressor);
    REQUIRE(records.ok());
    std::vector<std::pair<int64_t, std::string>> found;
    while (const auto record = records->next()) {
        CHECK(record->timestamp == 5'000 + record->offset.value - 100);
        CHECK(record->headers().size() == 1);
        found.emplace_back(record->offset.value, std::string{as_text(*record->key)});
    }
    REQUIRE(records->error() == Error::none);
    return found;
}

}  // namespace

TEST_CASE("a batch of which everything stays is the same to the byte, in every codec") {
    for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        Filtering f;
        const auto batch = batch_of({{"a", "1"}, {"b", "2"}}, {.codec = codec});
        f.map.put(as_bytes("a"), Offset{100});
        CHECK(f.of(batch) == batch);
        CHECK_FALSE(f.filter.changed());
    }
}

TEST_CASE("what a newer record supersedes goes; offsets, ends, producer and codec stay") {
    for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        Filtering f;
        const auto batch = batch_of(
            {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}},
            {.codec = codec, .producer_id = ProducerId{7}, .producer_epoch = 2, .base_sequence = 40});
        f.map.put(as_bytes("a"), Offset{200}), f.map.put(as_bytes("d"), Offset{201});
        f.map.put(as_bytes("b"), Offset{101});
        const auto kept = f.of(batch);
        CHECK(f.filter.changed());
        CHECK(records_of(kept) == std::vector<std::pair<int64_t, std::string>>{{101, "b"}, {102, "c"}});
        const auto view = *BatchView::parse(kept);
        CHECK(view.crc_matches());
        CHECK(view.base_offset() == Offset{100});
        CHECK(view.last_offset() == Offset{103});
        CHECK(view.base_sequence() == 40);
        CHECK(view.last_sequence() == 43);
        CHECK(view.producer_epoch() == 2);
        CHECK(view.leader_epoch() == Epoch{3});
        CHECK(view.codec() == codec);
        CHECK(view.max_timestamp() == 5'002);
        CHECK(view.base_timestamp() == 5'001);
    }
}

TEST_CASE("of a batch with nothing newest nothing stays, unless it is its producer's last: then its header") {
    Filtering f;
    const auto batch = batch_of(
        {{"a", "1"}, {"b", "2"}},
        {.codec = Codec::zstd, .producer_id = ProducerId{7}, .producer_epoch = 2, .base_sequence = 40});
    f.map.put(as_bytes("a"), Offset{200}), f.map.put(as_bytes("b"), Offset{201});
    CHECK(f.of(batch).empty());
    const auto empty = f.of(batch, true);
    const auto view = *BatchView::parse(empty);
    CHECK(empty.size() == batch_header_size);
    CHECK(view.crc_matches());
    CHECK(view.record_count() == 0);
    CHECK(view.codec() == Codec::none);
    CHECK(view.base_offset() == Offset{100});
    CHECK(view.last_offset() == Offset{101});
    CHECK(view.last_sequence() == 41);
    CHECK(view.base_timestamp() == -1);
    CHECK(view.max_timestamp() == 5'001);
    CHECK(f.of(empty, true) == empty);
    CHECK(f.of(empty).empty());
}

TEST_CASE("a tombstone gets its horizon at the first cleaning, and goes at the first one after that") {
    Filtering f;
    const auto batch = batch_of({{"a", std::nullopt}, {"b", "2"}});
    f.map.put(as_bytes("a"), Offset{100}), f.map.put(as_bytes("b"), Offset{101});
    const auto marked = f.of(batch);
    const auto view = *BatchView::parse(marked);
    CHECK(view.has_delete_horizon());
    CHECK(view.base_timestamp() == now_ms + 5'000);
    CHECK(view.max_timestamp() == 5'001);
    CHECK(records_of(marked).size() == 2);
    CHECK(f.of(marked) == marked);
    const auto at = [&](int64_t ms) {
        BatchFilter later{f.map, {.now_ms = ms, .delete_retention_ms = 9}, f.compressor, f.decompressor};
        const auto kept = later.filter(view, BatchFilter::LastOfProducer::no);
        REQUIRE(kept.ok());
        return records_of({kept->begin(), kept->end()});
    };
    CHECK(at(now_ms + 4'999).size() == 2);
    CHECK(at(now_ms + 5'000) == std::vector<std::pair<int64_t, std::string>>{{101, "b"}});
}

TEST_CASE("a superseded tombstone needs no horizon") {
    Filtering f;
    const auto batch = batch_of({{"a", std::nullopt}, {"b", "2"}});
    f.map.put(as_bytes("a"), Offset{500});
    const auto kept = f.of(batch);
    CHECK_FALSE(BatchView::parse(kept)->has_delete_horizon());
    CHECK(records_of(kept).size() == 1);
}

TEST_CASE("above the map's last offset everything stays, and a record without a key does not below it") {
    Filtering f;
    BatchBuilder builder{{.base_offset = Offset{999}}};
    for (int i = 0; i < 3; i++) builder.add({.timestamp = 1, .value = as_bytes("no key")});
    const auto kept = f.of(builder.build());
    CHECK(BatchView::parse(kept)->record_count() == 1);
    CHECK(BatchView::parse(kept)->last_offset() == Offset{1'001});
}

TEST_CASE("nothing of a transaction goes, for nobody knows whether it was committed") {
    Filtering f;
    const auto batch = batch_of(
        {{"a", "1"}},
        {.producer_id = ProducerId{7}, .producer_epoch = 0, .base_sequence = 0, .transactional = true});
    f.map.put(as_bytes("a"), Offset{500});
    CHECK(f.of(batch) == batch);
    const auto marker = build_marker({.producer_id = ProducerId{7}, .timestamp = 1});
    CHECK(f.of(marker) == marker);
}

TEST_CASE("time stamped by the broker stays, and records that are no records are refused") {
    Filtering f;
    auto batch = batch_of({{"a", "1"}, {"b", "2"}},
                          {.timestamp_type = TimestampType::log_append_time, .log_append_time = 77});
    f.map.put(as_bytes("a"), Offset{500});
    const auto kept = f.of(batch);
    CHECK(BatchView::parse(kept)->timestamp_type() == TimestampType::log_append_time);
    CHECK(BatchView::parse(kept)->max_timestamp() == 77);
    batch[batch_header_size] = 0x7e;
    const auto refused = f.filter.filter(*BatchView::parse(batch), BatchFilter::LastOfProducer::no);
    CHECK(refused.error() == Error::corrupt_message);
}

}  // namespace millrace
