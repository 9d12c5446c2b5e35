// Makes batches: from records, from other batches, and transaction markers.
//
// What is built here passes our own checks; a builder belongs to one shard.
#include "millrace/batch.h"
#include "record_format.h"

namespace millrace {
namespace {

constexpr int32_t null_size = -1;

int64_t size_of(const std::optional<Bytes>& part) {
    return part ? static_cast<int64_t>(part->size()) : null_size;
}

size_t sized_part(const std::optional<Bytes>& part) {
    return varlong_size(size_of(part)) + (part ? part->size() : 0);
}

size_t headers_size(std::span<const RecordHeader> headers) {
    size_t size = varlong_size(static_cast<int64_t>(headers.size()));
    for (const auto& header : headers) size += sized_part(as_bytes(header.key)) + sized_part(header.value);
    return size;
}

uint8_t* write_part(uint8_t* to, const std::optional<Bytes>& part) {
    to = write_varlong(to, size_of(part));
    if (!part || part->empty()) return to;
    std::memcpy(to, part->data(), part->size());
    return to + part->size();
}

}  // namespace

BatchBuilder::BatchBuilder(BatchOptions options) : options_(options), buffer_(batch_header_size) {}

size_t BatchBuilder::size_bound(const NewRecord& record) {
    constexpr size_t numbers = 5 + 1 + 10 + 5;  // Length, attributes, the two deltas.
    return numbers + sized_part(record.key) + sized_part(record.value) + headers_size(record.headers);
}

void BatchBuilder::add_at(int32_t offset_delta, const NewRecord& record) {
    ASSERT(offset_delta >= next_delta_ && offset_delta < INT32_MAX);
    if (count_ == 0) base_timestamp_ = options_.delete_horizon_ms.value_or(record.timestamp);
    // Wraps: a rebuilt batch has the timestamps that a client sent.
    const auto timestamp_delta = static_cast<int64_t>(static_cast<uint64_t>(record.timestamp) -
                                                      static_cast<uint64_t>(base_timestamp_));
    const size_t body = 1 + varlong_size(timestamp_delta) + varlong_size(offset_delta) +
                        sized_part(record.key) + sized_part(record.value) + headers_size(record.headers);
    const size_t before = buffer_.size();
    buffer_.resize(before + varlong_size(static_cast<int64_t>(body)) + body);
    ASSERT(buffer_.size() <= INT32_MAX);
    uint8_t* to = write_varlong(buffer_.data() + before, static_cast<int64_t>(body));
    *to++ = 0;
    to = write_varlong(to, timestamp_delta);
    to = write_varlong(to, offset_delta);
    to = write_part(to, record.key);
    to = write_part(to, record.value);
    to = write_varlong(to, static_cast<int64_t>(record.headers.size()));
    for (const auto& header : record.headers)
        to = write_part(write_part(to, as_bytes(header.key)), header.value);
    ASSERT(to == buffer_.data() + buffer_.size());
    count_++;
    next_delta_ = offset_delta + 1;
    max_timestamp_ = std::max(max_timestamp_, record.timestamp);
}

void BatchBuilder::write_header(uint8_t* to) const {
    const bool stamped = options_.timestamp_type == TimestampType::log_append_time;
    const int attributes = static_cast<int>(options_.codec) | stamped << 3 | options_.transactional << 4 |
                           options_.control << 5 | options_.delete_horizon_ms.has_value() << 6;
    store_big<int64_t>(to, options_.base_offset.value);
    store_big<int32_t>(to + 12, options_.leader_epoch.value);
    to[16] = 2;
    store_big<uint16_t>(to + 21, static_cast<uint16_t>(attributes));
    store_big<int32_t>(to + 23, options_.last_delta.value_or(next_delta_ - 1));
    store_big<int64_t>(to + 27, base_timestamp_);
    store_big<int64_t>(to + 35, stamped ? options_.log_append_time : max_timestamp_);
    store_big<int64_t>(to + 43, options_.producer_id.value);
    store_big<int16_t>(to + 51, options_.producer_epoch);
    store_big<int32_t>(to + 53, options_.base_sequence);
    store_big<int32_t>(to + 57, count_);
}

std::vector<uint8_t> BatchBuilder::finish(Bytes records) {
    ASSERT(count_ > 0 && options_.last_delta.value_or(next_delta_) >= next_delta_ - 1);
    std::vector<uint8_t> batch;
    const bool is_own = records.data() == buffer_.data() + batch_header_size;
    if (is_own) {
        batch = std::move(buffer_);
    } else {
        batch.resize(batch_header_size + records.size());
        std::memcpy(batch.data() + batch_header_size, records.data(), records.size());
    }
    write_header(batch.data());
    store_big<int32_t>(batch.data() + 8, static_cast<int32_t>(batch.size() - batch_length_offset));
    patch_crc(batch);
    *this = BatchBuilder(options_);
    return batch;
}

std::vector<uint8_t> BatchBuilder::build() {
    ASSERT(options_.codec == Codec::none);
    return finish(Bytes(buffer_).subspan(batch_header_size));
}

std::vector<uint8_t> BatchBuilder::build(Compressor& compressor) {
    const Bytes records = Bytes(buffer_).subspan(batch_header_size);
    return finish(compressor.compress(options_.codec, records, options_.level));
}

// ---- From another batch --------------------------------------------------------------------------------

Result<std::vector<uint8_t>> rebuild_batch(const BatchView& batch, const RebuildOptions& options,
                                           Compressor& compressor, Decompressor& decompressor) {
    auto records = RecordReader::open(batch, decompressor, options.limits);
    if (!records) return records.error();
    BatchBuilder builder({
        .base_offset = batch.base_offset(),
        .leader_epoch = batch.leader_epoch(),
        .codec = options.codec,
        .level = options.level,
        .timestamp_type = options.timestamp_type,
        .log_append_time = options.log_append_time,
        .producer_id = batch.producer_id(),
        .producer_epoch = batch.producer_epoch(),
        .base_sequence = batch.base_sequence(),
        .transactional = batch.is_transactional(),
        .control = batch.is_control(),
    });
    while (auto record = records->next()) {
        const auto headers = record->headers();
        const NewRecord copy{record->timestamp, record->key, record->value, headers};
        if (builder.size() + BatchBuilder::size_bound(copy) > INT32_MAX) return Error::message_too_large;
        builder.add(copy);
    }
    if (records->error() != Error::none) return records->error();
    if (builder.empty()) return Error::invalid_record;
    auto rebuilt = builder.build(compressor);
    if (rebuilt.size() > options.size_max) return Error::message_too_large;
    return rebuilt;
}

// ---- Control batches -----------------------------------------------------------------------------------

std::optional<Epoch> ControlRecord::coordinator_epoch() const {
    constexpr size_t version_size = 2;
    if (value.size() < version_size + 4) return {};
    return Epoch{load_big<int32_t>(value.data() + version_size)};
}

Result<ControlRecord> read_control(const BatchView& batch) {
    constexpr int32_t key_size = 4;  // int16 version, int16 type; later versions may add to it.
    if (!batch.is_control() || batch.codec_code() != 0 || batch.record_count() != 1)
        return Error::invalid_record;
    const Bytes records = batch.records();
    const RecordParts record = read_record(records);
    if (record.behind != records.data() + records.size()) return Error::invalid_record;
    if (record.key_size < key_size) return Error::invalid_record;
    if (load_big<int16_t>(record.key) < 0) return Error::invalid_record;
    const auto value_size = static_cast<size_t>(std::max(record.value_size, 0));
    return ControlRecord{.type = static_cast<ControlType>(load_big<int16_t>(record.key + 2)),
                         .value = {record.value, value_size}};
}

std::vector<uint8_t> build_marker(const TransactionMarker& marker) {
    ASSERT(marker.type == ControlType::commit || marker.type == ControlType::abort);
    BatchBuilder builder({.producer_id = marker.producer_id,
                          .producer_epoch = marker.producer_epoch,
                          .transactional = true,
                          .control = true});
    std::array<uint8_t, 4> key{};
    store_big<int16_t>(key.data() + 2, static_cast<int16_t>(marker.type));
    std::array<uint8_t, 6> value{};
    store_big<int32_t>(value.data() + 2, marker.coordinator_epoch.value);
    builder.add({.timestamp = marker.timestamp, .key = key, .value = value, .headers = {}});
    return builder.build();
}

}  // namespace millrace
