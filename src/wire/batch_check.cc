// Judges what a client sends, in the order and with the error codes of Kafka 4.3.
//
// The walk over the records is the hottest loop of a produce: no allocation unless a record is refused.
#include "millrace/batch.h"
#include "record_format.h"

namespace millrace {
namespace {

constexpr int16_t zstd_since_version = 7;  // KIP-110
constexpr int64_t no_timestamp = -1;

ClientBatch refused(Error error, std::string_view message) {
    ClientBatch verdict;
    verdict.error = error, verdict.message = message;
    return verdict;
}

// What Kafka's reader makes of bytes: the batch that is there, none (cut off or nothing at all), or an error.
struct Found {
    Error error = Error::none;
    size_t size = 0;
    int8_t magic = 0;
};

Found find_batch(Bytes bytes) {
    if (bytes.size() < batch_length_offset) return {};
    const auto length = load_big<int32_t>(bytes.data() + 8);
    if (length < 14) return {.error = Error::corrupt_message};
    if (bytes.size() <= 16) return {};
    const auto magic = static_cast<int8_t>(bytes[16]);
    if (magic < 0 || magic > 2) return {.error = Error::corrupt_message};
    const size_t size = batch_length_offset + static_cast<size_t>(length);
    if (bytes.size() < size) return {};
    return {.size = size, .magic = magic};
}

ClientBatch check_shape(Bytes records, const ClientBatchRules& rules) {
    const Found first = find_batch(records);
    if (first.error != Error::none)
        return refused(first.error, "The record batch has an invalid length or magic.");
    if (first.size == 0) return refused(Error::invalid_record, "There must be one whole record batch.");
    if (first.magic != 2) return refused(Error::invalid_record, "Record batches must have magic version 2.");
    const Bytes bytes = records.first(first.size);
    if (bytes.size() < batch_header_size)
        return refused(Error::corrupt_message, "The record batch is shorter than its header.");
    const auto codec = BatchView::parse(bytes)->codec();
    if (codec == Codec::zstd && rules.produce_version < zstd_since_version)
        return refused(Error::unsupported_compression_type, "zstd needs version 7 of the produce request.");
    const Found second = find_batch(records.subspan(first.size));
    if (second.error != Error::none)
        return refused(second.error, "Bytes behind the record batch are not a batch.");
    if (second.size != 0) return refused(Error::invalid_record, "There must be exactly one record batch.");
    ClientBatch verdict;
    verdict.bytes = bytes;
    return verdict;
}

ClientBatch check_header(const BatchView& batch, const ClientBatchRules& rules) {
    if (batch.base_offset().value != 0)
        return refused(Error::invalid_record, "The base offset of a producer's batch must be 0.");
    if (batch.size() > rules.size_max)
        return refused(Error::message_too_large, "The record batch is larger than max.message.bytes.");
    if (!batch.crc_matches())
        return refused(Error::corrupt_message, "The record batch's CRC does not match.");
    if (batch.last_offset_delta() < 0)
        return refused(Error::invalid_record, "The last offset delta must not be negative.");
    if (batch.record_count() <= 0)
        return refused(Error::invalid_record, "The record batch holds no records.");
    if (int64_t{batch.last_offset_delta()} + 1 != batch.record_count())
        return refused(Error::invalid_record, "The record count does not match the last offset delta.");
    if (batch.is_control()) return refused(Error::invalid_record, "Clients must not write control batches.");
    if (batch.has_producer_id() && batch.base_sequence() < 0)
        return refused(Error::invalid_record, "A producer id needs a sequence number.");
    if (!batch.codec())
        return refused(Error::unsupported_compression_type, "The compression codec is unknown.");
    return {};
}

int64_t saturating_sum(int64_t a, int64_t b) {
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

enum class Fault : uint8_t { none, no_key, out_of_range, stamped };

// The rules of single records, made ready for the loop.
class RecordJudge {
 public:
    RecordJudge(const BatchView& batch, const ClientBatchRules& rules)
        : compacted_(rules.compacted),
          create_time_(rules.timestamp_type == TimestampType::create_time),
          stamped_(batch.timestamp_type() == TimestampType::log_append_time),
          // A batch that says LogAppendTime gives every record its maximum.
          base_(static_cast<uint64_t>(stamped_ ? batch.max_timestamp() : batch.base_timestamp())),
          earliest_(saturating_sum(rules.now_ms, -rules.before_max_ms)),
          latest_(saturating_sum(rules.now_ms, rules.after_max_ms)) {}

    int64_t timestamp_of(const RecordParts& record) const {
        return static_cast<int64_t>(base_ + (stamped_ ? 0 : static_cast<uint64_t>(record.timestamp_delta)));
    }
    Fault fault_of(const RecordParts& record) const {
        if (compacted_ && record.key_size < 0) return Fault::no_key;
        const int64_t timestamp = timestamp_of(record);
        if (create_time_ && timestamp != no_timestamp)
            return timestamp < earliest_ || timestamp > latest_ ? Fault::out_of_range : Fault::none;
        return stamped_ ? Fault::stamped : Fault::none;
    }

 private:
    const bool compacted_;
    const bool create_time_;
    const bool stamped_;
    const uint64_t base_;
    const int64_t earliest_;
    const int64_t latest_;
};

// Off the hot path.
[[gnu::noinline]] void note_fault(ClientBatch& verdict, int32_t index, Fault fault) {
    static constexpr std::string_view messages[] = {"", "A compacted topic needs a key in every record.",
                                                    "The timestamp is out of the topic's range.",
                                                    "Producers must not set LogAppendTime."};
    // One bad timestamp decides, as in Kafka.
    if (fault != Fault::no_key)
        verdict.error = Error::invalid_timestamp, verdict.message = "Timestamps of records were refused.";
    if (verdict.error == Error::none)
        verdict.error = Error::invalid_record, verdict.message = "Records of the batch were refused.";
    if (verdict.record_errors.size() < record_errors_max)
        verdict.record_errors.push_back({.index = index, .message = messages[static_cast<int>(fault)]});
}

ClientBatch check_records(const BatchView& batch, const ClientBatchRules& rules, Bytes rest) {
    ClientBatch verdict;
    const RecordJudge judge(batch, rules);
    bool in_order = true;
    int64_t max_timestamp = no_timestamp;
    int32_t max_timestamp_delta = 0;
    const int32_t count = batch.record_count();
    for (int32_t i = 0; i < count; i++) {
        const RecordParts record = read_record(rest);
        if (!record.behind)
            return refused(Error::invalid_record, "A record does not keep to its declared length.");
        rest = {record.behind, rest.data() + rest.size()};
        in_order &= record.offset_delta == i;
        const Fault fault = judge.fault_of(record);
        if (fault != Fault::none) [[unlikely]]
            note_fault(verdict, i, fault);
        const int64_t timestamp = judge.timestamp_of(record);
        if (timestamp > max_timestamp) max_timestamp = timestamp, max_timestamp_delta = i;
    }
    if (!rest.empty()) return refused(Error::invalid_record, "Bytes are left over behind the last record.");
    if (!verdict.ok()) return verdict;

    const bool stamped = rules.timestamp_type == TimestampType::log_append_time;
    verdict.bytes = batch.bytes();
    verdict.max_timestamp = stamped ? rules.now_ms : max_timestamp;
    verdict.max_timestamp_delta = stamped ? 0 : max_timestamp_delta;
    verdict.needs_rebuild = !in_order || rules.codec.value_or(*batch.codec()) != *batch.codec();
    return verdict;
}

}  // namespace

ClientBatch validate_client_batch(Bytes records, const ClientBatchRules& rules, Decompressor& decompressor) {
    const ClientBatch shape = check_shape(records, rules);
    if (!shape.ok()) return shape;
    const BatchView batch = shape.view();
    ClientBatch header = check_header(batch, rules);
    if (!header.ok()) return header;
    const auto plain = decompressor.decompress(*batch.codec(), batch.records(), rules.limits);
    if (!plain) return refused(plain.error(), "The records cannot be decompressed.");
    return check_records(batch, rules, *plain);
}

}  // namespace millrace
