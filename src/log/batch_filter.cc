// Filtering one batch.
#include "batch_filter.h"

namespace millrace {

// Kafka's Cleaner.shouldRetainRecord.
bool BatchFilter::stays(const BatchView& batch, const Record& record) const {
    if (record.offset > map_.latest()) return true;
    if (!record.key) return false;
    if (record.offset < map_.find(*record.key)) return false;
    return record.value || !batch.has_delete_horizon() || rules_.now_ms < batch.base_timestamp();
}

BatchFilter::Found BatchFilter::look(const BatchView& batch, RecordReader& records) const {
    Found found;
    while (const auto record = records.next()) {
        const bool kept = stays(batch, *record);
        found.kept += kept, found.gone += !kept;
        found.tombstones += kept && !record->value;
    }
    return found;
}

Result<Bytes> BatchFilter::filter(const BatchView& batch, LastOfProducer last) {
    changed_ = false;
    // Whether a transaction was committed is for a transaction index to say, and there is none: nothing of it
    // goes, not its markers either.
    if (batch.is_control() || batch.is_transactional()) return batch.bytes();
    if (batch.record_count() == 0 && last == LastOfProducer::yes) return batch.bytes();
    auto records = RecordReader::open(batch, decompressor_);
    if (!records) return Error::corrupt_message;
    RecordReader reading = *records;
    const Found found = look(batch, reading);
    if (reading.error() != Error::none) return Error::corrupt_message;
    const bool needs_horizon = found.tombstones > 0 && !batch.has_delete_horizon();
    if (found.kept > 0 && found.gone == 0 && !needs_horizon) return batch.bytes();
    changed_ = true;
    if (found.kept == 0) return last == LastOfProducer::yes ? empty(batch) : Bytes{};
    std::optional<int64_t> horizon;
    if (batch.has_delete_horizon()) horizon = batch.base_timestamp();
    if (needs_horizon) horizon = rules_.now_ms + rules_.delete_retention_ms;
    return build(batch, *records, horizon);
}

Result<Bytes> BatchFilter::build(const BatchView& batch, RecordReader records,
                                 std::optional<int64_t> horizon) {
    BatchBuilder builder({
        .base_offset = batch.base_offset(),
        .leader_epoch = batch.leader_epoch(),
        .codec = batch.codec().value_or(Codec::none),
        .timestamp_type = batch.timestamp_type(),
        .log_append_time = batch.max_timestamp(),
        .producer_id = batch.producer_id(),
        .producer_epoch = batch.producer_epoch(),
        .base_sequence = batch.base_sequence(),
        .last_delta = batch.last_offset_delta(),
        .delete_horizon_ms = horizon,
    });
    int64_t last_delta = -1;
    while (const auto record = records.next()) {
        if (!stays(batch, *record)) continue;
        const int64_t delta = record->offset - batch.base_offset();
        if (delta <= last_delta || delta > batch.last_offset_delta()) return Error::corrupt_message;
        const auto headers = record->headers();
        const NewRecord copy{record->timestamp, record->key, record->value, headers};
        if (builder.size() + BatchBuilder::size_bound(copy) > INT32_MAX) return Error::corrupt_message;
        builder.add_at(static_cast<int32_t>(delta), copy);
        last_delta = delta;
    }
    bytes_ = builder.build(compressor_);
    return Bytes{bytes_};
}

// Kafka's DefaultRecordBatch.writeEmptyHeader: no codec, no base timestamp, the largest one kept.
Bytes BatchFilter::empty(const BatchView& batch) {
    const Bytes header = batch.bytes().first(batch_header_size);
    bytes_.assign(header.begin(), header.end());
    constexpr uint16_t timestamp_type_bit = 0x08, transactional_bit = 0x10;
    store_big<int32_t>(bytes_.data() + 8, batch_header_size - batch_length_offset);
    store_big<uint16_t>(bytes_.data() + 21, batch.attributes() & (timestamp_type_bit | transactional_bit));
    store_big<int64_t>(bytes_.data() + 27, -1);
    store_big<int32_t>(bytes_.data() + 57, 0);
    patch_crc(bytes_);
    return bytes_;
}

}  // namespace millrace
