// Judges what a client sends, in the order and with the error codes of Kafka 4.3.
//
// The walk over the records is the hottest loop of a produce: no allocation unless a record is refused, and
// what nearly every record looks like is told from the rest in a few dozen instructions.
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

// How far a walk came that stops at the first record which is not ordinary: numbers of at most two bytes, no
// headers, offset deltas in order, no timestamp before the batch's.
struct OrdinaryRun {
    Bytes rest;              // Behind the records that were.
    int32_t count = 0;       // So many were.
    uint32_t max_delta = 0;  // The largest timestamp delta, as it is written: doubled.
    int32_t max_index = 0;   // The first record with it.
};

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

    int64_t max_timestamp_of(const OrdinaryRun& run) const {
        return static_cast<int64_t>(base_ + run.max_delta / 2);
    }
    // Whether all records of the run are good.
    bool covers(const OrdinaryRun& run) const {
        const auto base = static_cast<int64_t>(base_);
        const int64_t max = max_timestamp_of(run);
        return !stamped_ && max >= base && (!create_time_ || (base >= earliest_ && max <= latest_));
    }
    bool needs_key() const { return compacted_; }
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

// Offset deltas below it take at most so many bytes.
template <size_t bytes> constexpr int32_t delta_end = 1 << (7 * bytes - 1);

// An offset delta as it is written in so many bytes, read as a little-endian number.
template <size_t bytes> struct WrittenDelta {
    static constexpr uint32_t more = 0x808080 >> (8 * (4 - bytes));  // Says that another byte follows.
    static constexpr uint32_t first = bytes == 1 ? 0 : 1 << (8 * (bytes - 1)) | more;
    static uint32_t at(const uint8_t* p) {
        uint32_t x = 0;
        std::memcpy(&x, p, bytes);
        return x;
    }
    // What overflows a byte carries into the next.
    static uint32_t after(uint32_t x) { return (x + 2) | more; }
};

// The records with offset deltas of so many bytes, from the first one on. Every break leaves the record to
// the thorough walk.
template <size_t delta_bytes> OrdinaryRun walk_ordinary(OrdinaryRun run, int32_t count, bool needs_key) {
    using Delta = WrittenDelta<delta_bytes>;
    constexpr size_t looked_at = 2 + 1 + 2 + delta_bytes + 2 + 2;  // Up to the value, but for the key.
    const uint32_t null_size = 1, never = number_too_long - 1;
    const uint32_t no_key = needs_key ? never : null_size;
    const int32_t last = std::min(count, delta_end<delta_bytes>);
    const uint8_t* begin = run.rest.data();
    const uint8_t* const bytes_end = begin + run.rest.size();
    uint32_t delta = Delta::first, max_delta = run.max_delta;
    int32_t i = run.count, max_index = run.max_index;
    for (; i < last && static_cast<size_t>(bytes_end - begin) >= looked_at; i++) {
        const uint8_t* p = begin;
        const uint32_t size = read_short_number(p);
        if (size / 2 > static_cast<size_t>(bytes_end - p)) break;
        const uint8_t* const end = p + size / 2;
        p++;  // Attributes.
        const uint32_t timestamp = read_short_number(p);
        if (Delta::at(p) != delta) break;
        p += delta_bytes;
        if (const uint32_t key = read_short_number(p); key != no_key) {
            if ((key & 1) || end - p < ptrdiff_t{key / 2} + 2) break;
            p += key / 2;
        }
        const uint32_t value = read_short_number(p);
        if ((size | timestamp | value) & 1) break;  // Negative, or number_too_long.
        // Behind the value exactly one byte is left: no headers.
        if (end - p != ptrdiff_t{value / 2} + 1 || end[-1] != 0) break;
        if (timestamp > max_delta) max_delta = timestamp, max_index = i;
        delta = Delta::after(delta);
        begin = end;
    }
    return {.rest = {begin, bytes_end}, .count = i, .max_delta = max_delta, .max_index = max_index};
}

// Apart from its caller, so that the place in the bytes stays in a register: each record waits for the one
// before.
[[gnu::noinline]] OrdinaryRun ordinary_run(const RecordJudge& judge, Bytes records, int32_t count) {
    OrdinaryRun run{.rest = records};
    run = walk_ordinary<1>(run, count, judge.needs_key());
    if (run.count == delta_end<1>) run = walk_ordinary<2>(run, count, judge.needs_key());
    if (run.count == delta_end<2>) run = walk_ordinary<3>(run, count, judge.needs_key());
    return judge.covers(run) ? run : OrdinaryRun{.rest = records};
}

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
    const OrdinaryRun run = ordinary_run(judge, rest, count);
    rest = run.rest;
    if (run.count > 0 && judge.max_timestamp_of(run) > max_timestamp)
        max_timestamp = judge.max_timestamp_of(run), max_timestamp_delta = run.max_index;
    for (int32_t i = run.count; i < count; i++) {
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
