// Record batches against those that Apache Kafka wrote, in both directions.
#include "millrace/batch.h"

#include <doctest/doctest.h>

#include "batch_golden.h"

namespace millrace {
namespace {

using nlohmann::json;

std::optional<std::string> text(const std::optional<Bytes>& part) {
    if (!part) return {};
    return std::string(as_text(*part));
}

void check_header(const BatchView& batch, const json& wanted) {
    CHECK(batch.base_offset().value == wanted["baseOffset"]);
    CHECK(batch.last_offset().value == wanted["lastOffset"]);
    CHECK(batch.size() == wanted["sizeInBytes"]);
    CHECK(batch.crc() == wanted["checksum"]);
    CHECK(batch.crc_matches());
    CHECK((batch.timestamp_type() == TimestampType::log_append_time) ==
          (wanted["timestampType"] == "LogAppendTime"));
    CHECK(batch.max_timestamp() == wanted["maxTimestamp"]);
    const std::string codec = wanted["compression"];
    CHECK(batch.codec() == codec_from_name(codec));
    CHECK(batch.leader_epoch().value == wanted["partitionLeaderEpoch"]);
    CHECK(batch.base_timestamp() == wanted["baseTimestamp"]);
    CHECK(batch.producer_id().value == wanted["producerId"]);
    CHECK(batch.producer_epoch() == wanted["producerEpoch"]);
    CHECK(batch.base_sequence() == wanted["baseSequence"]);
    CHECK(batch.last_sequence() == wanted["lastSequence"]);
    CHECK(batch.is_transactional() == wanted["transactional"]);
    CHECK(batch.is_control() == wanted["control"]);
    CHECK(batch.has_delete_horizon() == wanted.contains("deleteHorizonMs"));
    CHECK(batch.record_count() == static_cast<int32_t>(wanted["records"].size()));
}

void check_record(const Record& record, const json& wanted) {
    CHECK(record.offset.value == wanted["offset"]);
    CHECK(record.timestamp == wanted["timestamp"]);
    CHECK(text(record.key) == golden::part(wanted["key"]));
    CHECK(text(record.value) == golden::part(wanted["value"]));
    const auto headers = record.headers();
    REQUIRE(headers.size() == wanted["headers"].size());
    for (size_t i = 0; i < headers.size(); i++) {
        CHECK(headers[i].key == wanted["headers"][i]["key"].get<std::string>());
        CHECK(text(headers[i].value) == golden::part(wanted["headers"][i]["value"]));
    }
}

std::vector<Record> records_of(const BatchView& batch, Decompressor& decompressor) {
    auto reader = RecordReader::open(batch, decompressor);
    REQUIRE(reader.ok());
    std::vector<Record> records;
    while (auto record = reader->next()) records.push_back(*record);
    CHECK(reader->error() == Error::none);
    return records;
}

// The same batch made by our builder from what was read.
std::vector<uint8_t> built_again(const BatchView& batch) {
    Decompressor decompressor;
    // Without the LogAppendTime bit the records show the timestamps that are stored in them.
    std::vector<uint8_t> plain(batch.bytes().begin(), batch.bytes().end());
    patch_timestamps(plain, TimestampType::create_time, batch.max_timestamp());
    BatchBuilder builder({
        .base_offset = batch.base_offset(),
        .leader_epoch = batch.leader_epoch(),
        .timestamp_type = batch.timestamp_type(),
        .log_append_time = batch.max_timestamp(),
        .producer_id = batch.producer_id(),
        .producer_epoch = batch.producer_epoch(),
        .base_sequence = batch.base_sequence(),
        .transactional = batch.is_transactional(),
        .control = batch.is_control(),
        .delete_horizon_ms =
            batch.has_delete_horizon() ? std::optional(batch.base_timestamp()) : std::nullopt,
    });
    for (const auto& record : records_of(*BatchView::parse(plain), decompressor)) {
        const auto headers = record.headers();
        builder.add_at(static_cast<int32_t>(record.offset - batch.base_offset()),
                       {record.timestamp, record.key, record.value, headers});
    }
    return builder.build();
}

std::vector<uint8_t> small_batch(BatchOptions options = {}, int count = 3) {
    BatchBuilder builder(options);
    for (int i = 0; i < count; i++)
        builder.add(
            {.timestamp = 1000 + i, .key = as_bytes("key"), .value = as_bytes("value"), .headers = {}});
    Compressor compressor;
    return builder.build(compressor);
}

TEST_CASE("every batch that Kafka wrote reads as Kafka reads it") {
    Decompressor decompressor;
    int samples = 0, old = 0, batches = 0;
    for (const json& sample : golden::samples()) {
        const std::string name = sample["name"];
        CAPTURE(name);
        CAPTURE(sample["codec"]);
        const auto bytes = golden::from_hex(sample["hex"]);
        samples++;
        if (name.starts_with("magic")) {
            CHECK(BatchView::parse(bytes).error() == Error::invalid_record);
            old++;
            continue;
        }
        BatchReader reader(bytes);
        for (const json& wanted : sample["batches"]) {
            const auto batch = reader.next();
            REQUIRE(batch);
            check_header(*batch, wanted);
            const auto records = records_of(*batch, decompressor);
            REQUIRE(records.size() == wanted["records"].size());
            for (size_t i = 0; i < records.size(); i++) check_record(records[i], wanted["records"][i]);
            batches++;
        }
        CHECK(!reader.next());
        CHECK(reader.error() == Error::none);
    }
    MESSAGE("record batches: " << samples << " of 56 samples, " << batches << " batches, " << old
                               << " of old magic");
    CHECK(samples == 56);
    CHECK(old == 8);
}

TEST_CASE("batches without compression are built byte for byte as Kafka does") {
    int built = 0;
    for (const json& sample : golden::samples()) {
        const std::string name = sample["name"];
        if (sample["codec"] != "none" || name.starts_with("magic") || name == "empty_batch") continue;
        CAPTURE(name);
        const auto bytes = golden::from_hex(sample["hex"]);
        CHECK(built_again(*BatchView::parse(bytes)) == bytes);
        built++;
    }
    CHECK(built == 10);
}

TEST_CASE("segments that Kafka wrote are read and built again byte for byte") {
    Decompressor decompressor;
    for (const char* name : {"t1-0", "txn-0", "__consumer_offsets-0", "__transaction_state-0"}) {
        CAPTURE(name);
        const auto bytes = golden::bytes_of(std::string("disk/") + name + ".log");
        REQUIRE(!bytes.empty());
        BatchReader reader(bytes);
        Offset next{0};
        while (auto batch = reader.next()) {
            CHECK(batch->base_offset() == next);
            CHECK(batch->crc_matches());
            next = batch->next_offset();
            const auto records = records_of(*batch, decompressor);
            CHECK(static_cast<int32_t>(records.size()) == batch->record_count());
            const auto again = built_again(*batch);
            if (batch->codec() == Codec::none) CHECK(Bytes(again).size() == batch->size());
            if (batch->codec() == Codec::none) CHECK(std::ranges::equal(again, batch->bytes()));
        }
        CHECK(reader.error() == Error::none);
        CHECK(reader.rest().empty());
    }
}

TEST_CASE("transaction markers are those of Kafka") {
    const auto bytes = golden::bytes_of("disk/txn-0.log");
    BatchReader reader(bytes);
    int markers = 0;
    while (auto batch = reader.next()) {
        const auto control = read_control(*batch);
        CHECK(control.ok() == batch->is_control());
        if (!control) continue;
        REQUIRE(control->coordinator_epoch());
        auto built = build_marker({.type = control->type,
                                   .producer_id = batch->producer_id(),
                                   .producer_epoch = batch->producer_epoch(),
                                   .coordinator_epoch = *control->coordinator_epoch(),
                                   .timestamp = batch->base_timestamp()});
        patch_placement(built, {.base_offset = batch->base_offset(), .leader_epoch = batch->leader_epoch()});
        CHECK(std::ranges::equal(built, batch->bytes()));
        markers++;
    }
    CHECK(markers == 3);
}

TEST_CASE("a control record that is cut short, compressed or not alone is refused") {
    const auto marker = build_marker({.producer_id = ProducerId{1}, .coordinator_epoch = Epoch{5}});
    CHECK(read_control(*BatchView::parse(marker)).ok());
    CHECK(read_control(*BatchView::parse(small_batch())).error() == Error::invalid_record);
    CHECK(read_control(*BatchView::parse(small_batch({.control = true}, 1))).error() ==
          Error::invalid_record);
    CHECK(read_control(*BatchView::parse(small_batch({.control = true}, 2))).error() ==
          Error::invalid_record);
    auto compressed = marker;
    compressed[22] |= 1;
    CHECK(read_control(*BatchView::parse(compressed)).error() == Error::invalid_record);
}

TEST_CASE("a batch cut off at any byte is refused, and ends a tolerant reader quietly") {
    auto bytes = small_batch();
    const size_t whole = bytes.size();
    const auto second = small_batch();
    bytes.insert(bytes.end(), second.begin(), second.end());
    for (size_t size = whole; size < bytes.size(); size++) {
        CAPTURE(size);
        BatchReader tolerant(Bytes(bytes).first(size), PartialTail::tolerated);
        CHECK(tolerant.next());
        CHECK(!tolerant.next());
        CHECK(tolerant.error() == Error::none);
        CHECK(tolerant.rest().size() == size - whole);
        BatchReader strict(Bytes(bytes).first(size));
        CHECK(strict.next());
        CHECK(!strict.next());
        CHECK(strict.error() == (size == whole ? Error::none : Error::corrupt_message));
    }
}

TEST_CASE("a tolerant reader still refuses a tail that is not the beginning of a batch") {
    auto bytes = small_batch();
    const size_t whole = bytes.size();
    bytes.resize(whole + 200);  // Zeros: a length below the minimum.
    BatchReader reader(bytes, PartialTail::tolerated);
    CHECK(reader.next());
    CHECK(!reader.next());
    CHECK(reader.error() == Error::corrupt_message);
}

TEST_CASE("where the log puts a batch is outside the CRC, timestamps are inside") {
    auto bytes = small_batch();
    patch_placement(bytes, {.base_offset = Offset{4711}, .leader_epoch = Epoch{9}});
    const auto batch = *BatchView::parse(bytes);
    CHECK(batch.base_offset().value == 4711);
    CHECK(batch.last_offset().value == 4713);
    CHECK(batch.leader_epoch().value == 9);
    CHECK(batch.crc_matches());

    const uint32_t crc = batch.crc();
    patch_timestamps(bytes, TimestampType::create_time, 1002);
    CHECK(batch.crc() == crc);  // Nothing changed.
    patch_timestamps(bytes, TimestampType::log_append_time, 5000);
    CHECK(batch.crc() != crc);
    CHECK(batch.crc_matches());
    CHECK(batch.timestamp_type() == TimestampType::log_append_time);
    Decompressor decompressor;
    for (const auto& record : records_of(batch, decompressor)) CHECK(record.timestamp == 5000);
}

TEST_CASE("a builder knows its size and starts over after building") {
    BatchBuilder builder({.base_offset = Offset{10}});
    CHECK(builder.size() == batch_header_size);
    const RecordHeader header{"trace", as_bytes("id")};
    const NewRecord record{.timestamp = 7, .key = {}, .value = as_bytes("v"), .headers = {&header, 1}};
    const size_t before = builder.size();
    builder.add(record);
    CHECK(builder.size() - before <= BatchBuilder::size_bound(record));
    const size_t size = builder.size();
    const auto first = builder.build();
    CHECK(first.size() == size);
    CHECK(builder.empty());
    CHECK(builder.size() == batch_header_size);
    builder.add(record);
    CHECK(builder.build() == first);
}

TEST_CASE("the last sequence wraps to zero, never through negatives") {
    const auto at = [](int32_t base, int count) {
        return BatchView::parse(
                   small_batch({.producer_id = ProducerId{1}, .producer_epoch = 0, .base_sequence = base},
                               count))
            ->last_sequence();
    };
    CHECK(at(0, 3) == 2);
    CHECK(at(INT32_MAX - 2, 3) == INT32_MAX);
    CHECK(at(INT32_MAX - 1, 3) == 0);
    CHECK(at(-1, 3) == -1);
}

TEST_CASE("rebuilding changes codec and offsets, and keeps records and producer") {
    Decompressor decompressor;
    Compressor compressor;
    const auto sample = golden::from_hex(golden::samples()[2]["hex"]);  // idempotent, none
    const auto before = *BatchView::parse(sample);
    REQUIRE(before.producer_id().value == 4000);
    for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        CAPTURE(codec_name(codec));
        const auto rebuilt = rebuild_batch(before, {.codec = codec}, compressor, decompressor);
        REQUIRE(rebuilt.ok());
        const auto after = *BatchView::parse(*rebuilt);
        CHECK(after.codec() == codec);
        CHECK(after.crc_matches());
        CHECK(after.producer_id() == before.producer_id());
        CHECK(after.base_sequence() == before.base_sequence());
        CHECK(after.max_timestamp() == before.max_timestamp());
        const auto back = rebuild_batch(after, {.codec = Codec::none}, compressor, decompressor);
        REQUIRE(back.ok());
        CHECK(*back == sample);
        const RebuildOptions small{.codec = codec, .size_max = 100};
        CHECK(rebuild_batch(before, small, compressor, decompressor).error() == Error::message_too_large);
    }
}

}  // namespace
}  // namespace millrace
