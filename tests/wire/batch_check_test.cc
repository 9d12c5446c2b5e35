// What clients may send: each rule, its error and Kafka's order of them.
#include <doctest/doctest.h>

#include "millrace/batch.h"

namespace millrace {
namespace {

constexpr int64_t now_ms = 1'700'000'000'000;

ClientBatchRules rules() { return {.produce_version = 9, .now_ms = now_ms}; }

std::vector<uint8_t> batch_of(BatchOptions options = {}, int count = 3, int64_t timestamp = now_ms) {
    BatchBuilder builder(options);
    for (int i = 0; i < count; i++)
        builder.add(
            {.timestamp = timestamp + i, .key = as_bytes("k"), .value = as_bytes("value"), .headers = {}});
    Compressor compressor;
    return builder.build(compressor);
}

ClientBatch judged(Bytes bytes, const ClientBatchRules& by = rules()) {
    Decompressor decompressor;
    return validate_client_batch(bytes, by, decompressor);
}

// A sound batch with `value` at `offset`, and a CRC that matches again.
template <class T>
std::vector<uint8_t> with(size_t offset, T value, std::vector<uint8_t> bytes = batch_of()) {
    store_big<T>(bytes.data() + offset, value);
    if (BatchView::parse(bytes)) patch_crc(bytes);
    return bytes;
}

std::vector<uint8_t> joined(std::vector<uint8_t> a, const std::vector<uint8_t>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

TEST_CASE("a sound batch is accepted under every codec") {
    for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        CAPTURE(codec_name(codec));
        const auto bytes = batch_of({.codec = codec});
        const auto verdict = judged(bytes);
        CHECK(verdict.error == Error::none);
        CHECK(verdict.bytes.size() == bytes.size());
        CHECK(verdict.max_timestamp == now_ms + 2);
        CHECK(verdict.max_timestamp_delta == 2);
        CHECK(!verdict.needs_rebuild);
        CHECK(verdict.view().record_count() == 3);
    }
}

TEST_CASE("there must be exactly one whole batch of magic 2") {
    const auto one = batch_of();
    CHECK(judged({}).error == Error::invalid_record);
    CHECK(judged(Bytes(one).first(one.size() - 1)).error == Error::invalid_record);
    CHECK(judged(Bytes(one).first(11)).error == Error::invalid_record);
    CHECK(judged(joined(one, one)).error == Error::invalid_record);
    CHECK(judged(with<uint8_t>(16, 1)).error == Error::invalid_record);
    CHECK(judged(with<uint8_t>(16, 0)).error == Error::invalid_record);
    CHECK(judged(with<uint8_t>(16, 3)).error == Error::corrupt_message);
    CHECK(judged(with<int32_t>(8, 13)).error == Error::corrupt_message);
    CHECK(judged(with<int32_t>(8, -1)).error == Error::corrupt_message);
    CHECK(judged(with<int32_t>(8, 48)).error != Error::none);
}

TEST_CASE("the beginning of a second batch is cut off, as Kafka does") {
    const auto one = batch_of();
    const auto verdict = judged(joined(one, {one.begin(), one.begin() + 40}));
    CHECK(verdict.ok());
    CHECK(verdict.bytes.size() == one.size());
    CHECK(judged(joined(one, std::vector<uint8_t>(40))).error == Error::corrupt_message);
}

TEST_CASE("zstd needs version 7 of the request") {
    auto by = rules();
    by.produce_version = 6;
    CHECK(judged(batch_of({.codec = Codec::zstd}), by).error == Error::unsupported_compression_type);
    CHECK(judged(batch_of({.codec = Codec::lz4}), by).ok());
    by.produce_version = 7;
    CHECK(judged(batch_of({.codec = Codec::zstd}), by).ok());
    CHECK(judged(with<uint16_t>(21, 6)).error == Error::unsupported_compression_type);
}

TEST_CASE("each rule of the header has its error") {
    CHECK(judged(with<int64_t>(0, 1)).error == Error::invalid_record);
    CHECK(judged(with<int32_t>(23, -1)).error == Error::invalid_record);
    CHECK(judged(with<int32_t>(23, 3)).error == Error::invalid_record);
    CHECK(judged(with<int32_t>(23, INT32_MAX)).error == Error::invalid_record);
    CHECK(judged(with<int32_t>(57, 0)).error == Error::invalid_record);
    CHECK(judged(with<int32_t>(57, -5)).error == Error::invalid_record);
    CHECK(judged(with<uint16_t>(21, 0x20)).error == Error::invalid_record);
    CHECK(judged(with<int64_t>(43, 7)).error == Error::invalid_record);  // A producer id without sequence.
    CHECK(judged(batch_of({.producer_id = ProducerId{7}, .producer_epoch = 0, .base_sequence = 0})).ok());
    auto damaged = batch_of();
    damaged.back() ^= 1;
    CHECK(judged(damaged).error == Error::corrupt_message);
}

TEST_CASE("rules are applied in Kafka's order: offset, size, CRC, counts") {
    auto bytes = batch_of();
    auto by = rules();
    by.size_max = static_cast<uint32_t>(bytes.size());
    CHECK(judged(bytes, by).ok());
    by.size_max--;
    bytes[57 + 3] = 9;  // Wrong count, hence wrong CRC.
    CHECK(judged(bytes, by).error == Error::message_too_large);
    CHECK(judged(bytes).error == Error::corrupt_message);
    bytes[7] = 1;
    CHECK(judged(bytes, by).error == Error::invalid_record);
}

TEST_CASE("a compacted topic names every record without a key") {
    BatchBuilder builder;
    for (int i = 0; i < 4; i++) {
        const auto key = i % 2 ? std::optional(as_bytes("k")) : std::nullopt;
        builder.add({.timestamp = now_ms, .key = key, .value = as_bytes("v"), .headers = {}});
    }
    const auto bytes = builder.build();
    CHECK(judged(bytes).ok());
    auto by = rules();
    by.compacted = true;
    const auto verdict = judged(bytes, by);
    CHECK(verdict.error == Error::invalid_record);
    REQUIRE(verdict.record_errors.size() == 2);
    CHECK(verdict.record_errors[0].index == 0);
    CHECK(verdict.record_errors[1].index == 2);
    CHECK(!verdict.record_errors[1].message.empty());
}

TEST_CASE("the list of refused records is bounded") {
    BatchBuilder builder;
    for (int i = 0; i < 1000; i++) builder.add({.timestamp = now_ms, .key = {}, .value = {}, .headers = {}});
    auto by = rules();
    by.compacted = true;
    CHECK(judged(builder.build(), by).record_errors.size() == record_errors_max);
}

TEST_CASE("timestamps must lie in the topic's range, except none at all") {
    auto by = rules();
    by.before_max_ms = 1000;
    by.after_max_ms = 500;
    CHECK(judged(batch_of({}, 1, now_ms - 1000), by).ok());
    CHECK(judged(batch_of({}, 1, now_ms + 500), by).ok());
    const auto early = judged(batch_of({}, 1, now_ms - 1001), by);
    CHECK(early.error == Error::invalid_timestamp);
    CHECK(early.record_errors.size() == 1);
    CHECK(judged(batch_of({}, 1, now_ms + 501), by).error == Error::invalid_timestamp);
    CHECK(judged(batch_of({}, 1, -1), by).ok());
    by.timestamp_type = TimestampType::log_append_time;
    CHECK(judged(batch_of({}, 1, 5), by).ok());
    CHECK(judged(batch_of({}, 1, 5), by).max_timestamp == now_ms);
}

TEST_CASE("a producer may not set LogAppendTime on a LogAppendTime topic") {
    auto by = rules();
    by.timestamp_type = TimestampType::log_append_time;
    const BatchOptions stamped{.timestamp_type = TimestampType::log_append_time, .log_append_time = now_ms};
    CHECK(judged(batch_of(stamped), by).error == Error::invalid_timestamp);
    CHECK(judged(batch_of(stamped)).ok());
}

TEST_CASE("a wrong maximum timestamp is found out, so that the log can mend it") {
    const auto verdict = judged(with<int64_t>(35, 12345));
    CHECK(verdict.ok());
    CHECK(verdict.max_timestamp == now_ms + 2);
}

TEST_CASE("records must keep to their lengths and fill the batch") {
    const size_t first = batch_header_size;
    const auto sound = batch_of();
    CHECK(judged(with<uint8_t>(first, 2)).error == Error::invalid_record);         // Record length too small.
    CHECK(judged(with<uint8_t>(first, 0x7e)).error == Error::invalid_record);      // Too large.
    CHECK(judged(with<uint8_t>(first + 4, 0x7e)).error == Error::invalid_record);  // Key beyond the record.
    auto longer = sound;
    longer.push_back(0);
    store_big<int32_t>(longer.data() + 8, static_cast<int32_t>(longer.size() - batch_length_offset));
    patch_crc(longer);
    CHECK(judged(longer).error == Error::invalid_record);
    auto fewer = with<int32_t>(57, 2);
    CHECK(judged(with<int32_t>(23, 1, fewer)).error == Error::invalid_record);
}

TEST_CASE("offset deltas that are not 0..n-1, or another codec, ask for a rebuild") {
    BatchBuilder builder;
    builder.add_at(0, {.timestamp = now_ms, .key = {}, .value = as_bytes("a"), .headers = {}});
    builder.add_at(5, {.timestamp = now_ms, .key = {}, .value = as_bytes("b"), .headers = {}});
    auto bytes = with<int32_t>(23, 1, builder.build());
    const auto verdict = judged(bytes);
    CHECK(verdict.ok());
    CHECK(verdict.needs_rebuild);
    Compressor compressor;
    Decompressor decompressor;
    const auto rebuilt = rebuild_batch(verdict.view(), {}, compressor, decompressor);
    REQUIRE(rebuilt.ok());
    CHECK(!judged(*rebuilt).needs_rebuild);

    auto by = rules();
    by.codec = Codec::lz4;
    CHECK(judged(batch_of(), by).needs_rebuild);
    CHECK(!judged(batch_of({.codec = Codec::lz4}), by).needs_rebuild);
}

// A record as it may be written, sound or not; numbers with more bytes than they need now and then.
class RecordWriter {
 public:
    explicit RecordWriter(uint32_t seed) : state_(seed * 2654435761 + 1) {}

    uint32_t random(uint32_t below) {
        state_ = state_ * 6364136223846793005 + 1442695040888963407;
        return static_cast<uint32_t>(state_ >> 33) % below;
    }
    bool chance(uint32_t one_in) { return random(one_in) == 0; }
    static void number(std::vector<uint8_t>& to, int64_t value, bool is_padded) {
        uint64_t x = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
        for (; x >= 0x80 || is_padded; x >>= 7, is_padded = false)
            to.push_back(static_cast<uint8_t>(x | 0x80));
        to.push_back(static_cast<uint8_t>(x));
    }
    void field(std::vector<uint8_t>& to, int64_t value) { number(to, value, chance(40)); }
    void sized(std::vector<uint8_t>& to, uint32_t size_max) {
        if (chance(10)) return field(to, chance(5) ? -2 : -1);
        const uint32_t size = random(size_max);
        field(to, size);
        to.resize(to.size() + size);
    }
    void record(std::vector<uint8_t>& to, int32_t index) {
        std::vector<uint8_t> inner{0};
        field(inner, chance(20) ? -int64_t{random(50)} : random(chance(10) ? 100'000 : 3'000));
        field(inner, chance(200) ? index + 1 : index);
        sized(inner, chance(20) ? 20'000 : chance(2) ? 3 : 100);
        sized(inner, chance(20) ? 9'000 : 120);
        const uint32_t headers = chance(30) ? 1 : 0;
        field(inner, headers);
        for (uint32_t i = 0; i < headers; i++) sized(inner, 5), sized(inner, 5);
        field(to, static_cast<int64_t>(inner.size()) + (chance(300) ? 1 : 0));
        to.insert(to.end(), inner.begin(), inner.end());
        if (chance(300)) to[to.size() - 1 - random(8)] ^= static_cast<uint8_t>(1 + random(255));
    }
    std::vector<uint8_t> batch() {
        auto bytes = batch_of({}, 1);
        bytes.resize(batch_header_size);
        const auto count = static_cast<int32_t>(1 + random(chance(20) ? 9'000 : chance(2) ? 3 : 150));
        for (int32_t i = 0; i < count; i++) record(bytes, i);
        if (chance(20)) bytes.resize(std::max(bytes.size() - 1 - random(12), batch_header_size));
        store_big<int32_t>(bytes.data() + 8, static_cast<int32_t>(bytes.size() - batch_length_offset));
        store_big<int32_t>(bytes.data() + 23, count - 1);
        store_big<int32_t>(bytes.data() + 57, count);
        patch_crc(bytes);
        return bytes;
    }

 private:
    uint64_t state_;
};

// The same judgement, from records as their reader finds them one by one.
struct Judgement {
    bool is_sound = true, in_range = true, has_keys = true, in_order = true;
    int64_t max_timestamp = -1;
    int64_t max_index = 0;
};
Judgement judgement_of(const BatchView& batch, bool needs_key, int64_t latest) {
    Judgement judgement;
    Decompressor decompressor;
    auto reader = RecordReader::open(batch, decompressor);
    int64_t index = 0;
    while (const auto record = reader->next()) {
        if (needs_key && !record->key)
            judgement.has_keys = false;  // One fault of a record is told.
        else
            judgement.in_range &= record->timestamp <= latest;
        judgement.in_order &= record->offset.value == index;
        if (record->timestamp > judgement.max_timestamp)
            judgement.max_timestamp = record->timestamp, judgement.max_index = index;
        index++;
    }
    judgement.is_sound = reader->error() == Error::none;
    return judgement;
}

TEST_CASE("whatever shape records have, they are judged as they are read one by one") {
    size_t accepted = 0;
    for (uint32_t seed = 0; seed < 3000; seed++) {
        CAPTURE(seed);
        RecordWriter writer(seed);
        const auto bytes = writer.batch();
        const bool compacted = writer.chance(4);
        const int64_t after_max_ms = writer.chance(4) ? 2'990 : 3'600'000;
        const auto expected = judgement_of(*BatchView::parse(bytes), compacted, now_ms + after_max_ms);
        const auto verdict = judged(bytes, {.produce_version = 9,
                                            .size_max = 1 << 30,
                                            .compacted = compacted,
                                            .now_ms = now_ms,
                                            .after_max_ms = after_max_ms});
        const bool good = expected.is_sound && expected.in_range && expected.has_keys;
        REQUIRE(verdict.ok() == good);
        if (!good) {
            const bool timestamp = expected.is_sound && !expected.in_range;
            CHECK(verdict.error == (timestamp ? Error::invalid_timestamp : Error::invalid_record));
            continue;
        }
        accepted++;
        CHECK(verdict.max_timestamp == expected.max_timestamp);
        CHECK(verdict.max_timestamp_delta == expected.max_index);
        CHECK(verdict.needs_rebuild == !expected.in_order);
    }
    CHECK(accepted > 500);
    CHECK(accepted < 2500);
}

TEST_CASE("a batch that decompresses to too much is refused") {
    BatchBuilder builder({.codec = Codec::zstd});
    const std::vector<uint8_t> zeros(2 << 20);
    builder.add({.timestamp = now_ms, .key = {}, .value = Bytes(zeros), .headers = {}});
    Compressor compressor;
    const auto bytes = builder.build(compressor);
    CHECK(judged(bytes).ok());
    auto by = rules();
    by.limits = {.size_max = 1 << 20, .size_free = 1 << 20, .ratio_max = 10};
    CHECK(judged(bytes, by).error == Error::message_too_large);
}

TEST_CASE("compressed bytes that are not what they say are refused") {
    for (int code = 1; code <= 4; code++) {
        CAPTURE(code);
        CHECK(judged(with<uint16_t>(21, static_cast<uint16_t>(code))).error == Error::invalid_record);
    }
}

}  // namespace
}  // namespace millrace
