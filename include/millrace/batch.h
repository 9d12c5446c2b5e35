// Record batches v2 (magic 2): views over their bytes, checks of what clients send, records, building.
//
// A batch's bytes on the wire, in memory and on disk are the same. Views own nothing and allocate nothing;
// whatever the bytes hold, reading them stays inside them. Nothing here belongs to a shard.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/base.h"
#include "millrace/compression.h"

namespace millrace {

// ---- One batch -----------------------------------------------------------------------------------------

inline constexpr size_t batch_header_size = 61;    // Everything before the records.
inline constexpr size_t batch_length_offset = 12;  // batchLength counts what follows its own 12-byte prefix.

// One whole batch: its length and magic are right, the rest is as its writer claims until checked.
class BatchView {
 public:
    // The batch that `bytes` begins with; more may follow it. The CRC is not checked.
    // corrupt_message: cut off, or a length below the minimum. invalid_record: another magic than 2.
    static Result<BatchView> parse(Bytes bytes);

    Bytes bytes() const { return {data_, size()}; }
    size_t size() const { return batch_length_offset + static_cast<uint32_t>(at<int32_t>(8)); }
    Bytes records() const { return bytes().subspan(batch_header_size); }  // Compressed if codec() says so.

    Offset base_offset() const { return Offset{at<int64_t>(0)}; }
    Offset last_offset() const { return offset_at(last_offset_delta()); }
    Offset next_offset() const { return offset_at(int64_t{last_offset_delta()} + 1); }
    Epoch leader_epoch() const { return Epoch{at<int32_t>(12)}; }
    uint32_t crc() const { return at<uint32_t>(17); }
    uint16_t attributes() const { return at<uint16_t>(21); }
    int32_t last_offset_delta() const { return at<int32_t>(23); }
    int64_t base_timestamp() const { return at<int64_t>(27); }  // The delete horizon if has_delete_horizon().
    int64_t max_timestamp() const { return at<int64_t>(35); }
    ProducerId producer_id() const { return ProducerId{at<int64_t>(43)}; }
    int16_t producer_epoch() const { return at<int16_t>(51); }
    int32_t base_sequence() const { return at<int32_t>(53); }
    int32_t last_sequence() const;  // Wraps after 2147483647 to 0; -1 without a sequence.
    int32_t record_count() const { return at<int32_t>(57); }

    uint8_t codec_code() const { return attributes() & 7; }  // 5-7 are not codecs.
    std::optional<Codec> codec() const { return codec_from_code(codec_code()); }
    TimestampType timestamp_type() const { return TimestampType((attributes() >> 3) & 1); }
    bool is_transactional() const { return attributes() & 0x10; }
    bool is_control() const { return attributes() & 0x20; }
    bool has_delete_horizon() const { return attributes() & 0x40; }
    bool has_producer_id() const { return producer_id().value >= 0; }

    uint32_t computed_crc() const;
    bool crc_matches() const { return crc() == computed_crc(); }

 private:
    explicit BatchView(const uint8_t* data) : data_(data) {}
    // Wraps rather than overflows: nothing says yet that the base offset makes sense.
    Offset offset_at(int64_t delta) const {
        return Offset{
            static_cast<int64_t>(static_cast<uint64_t>(at<int64_t>(0)) + static_cast<uint64_t>(delta))};
    }
    template <class T> T at(size_t offset) const { return load_big<T>(data_ + offset); }

    const uint8_t* data_;
};

// ---- Batches back to back ------------------------------------------------------------------------------

enum class PartialTail : uint8_t { refused, tolerated };

// while (auto batch = reader.next()) ...; then look at error().
class BatchReader {
 public:
    // A fetch response or the end of a file may hold a cut-off batch last: `tolerated` ends quietly there.
    explicit BatchReader(Bytes bytes, PartialTail tail = PartialTail::refused) : rest_(bytes), tail_(tail) {}

    std::optional<BatchView> next();
    Error error() const { return error_; }  // none, or why it stopped early; set once.
    Bytes rest() const { return rest_; }    // What was not yet, or could not be, read.

 private:
    Bytes rest_;
    PartialTail tail_;
    Error error_ = Error::none;
};

// ---- Records -------------------------------------------------------------------------------------------

struct RecordHeader {
    std::string_view key;
    std::optional<Bytes> value;
};

struct Record {
    Offset offset;
    int64_t timestamp = 0;
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    int32_t header_count = 0;
    Bytes raw_headers;  // Checked; headers() reads them.

    std::vector<RecordHeader> headers() const;
};

// while (auto record = reader.next()) ...; then look at error(). Records are views into the batch, or into
// the decompressor's buffer: valid until it is used again.
class RecordReader {
 public:
    // Fails as Decompressor::decompress; unsupported_compression_type for an unknown codec.
    static Result<RecordReader> open(const BatchView& batch, Decompressor& decompressor,
                                     DecompressLimits limits = {});

    // Each record must keep to its length, and all of them must fill the batch exactly.
    std::optional<Record> next();
    Error error() const { return error_; }  // none or invalid_record; set once.

 private:
    RecordReader(const BatchView& batch, Bytes plain);
    std::optional<Record> fail();

    BatchView batch_;
    Bytes rest_;
    int32_t left_;
    Error error_ = Error::none;
};

// ---- What a client sends -------------------------------------------------------------------------------

// How a topic and the request judge a batch.
struct ClientBatchRules {
    int16_t produce_version = 0;
    uint32_t size_max = 1048588;  // max.message.bytes: the whole batch, as sent and as rebuilt.
    bool compacted = false;       // cleanup.policy holds compact: every record needs a key.
    TimestampType timestamp_type = TimestampType::create_time;  // message.timestamp.type
    int64_t now_ms = 0;
    int64_t before_max_ms = INT64_MAX;  // message.timestamp.before.max.ms
    int64_t after_max_ms = 3600000;     // message.timestamp.after.max.ms
    std::optional<Codec> codec;         // compression.type; none = "producer": keep what came.
    DecompressLimits limits;
};

inline constexpr size_t record_errors_max = 100;  // More are counted as refused, but not listed.

struct RecordError {
    int32_t index = 0;         // Within the batch, from 0.
    std::string_view message;  // One sentence, static.
};

// What became of a client's `records`.
struct ClientBatch {
    Error error = Error::none;
    std::string_view message;  // Why not, for ProduceResponse's error_message; static. Empty when accepted.
    std::vector<RecordError> record_errors;  // When single records were at fault (produce v8+).

    // When accepted:
    Bytes bytes;                 // The batch as sent; bytes cut off behind it are dropped, as Kafka does.
    int64_t max_timestamp = -1;  // Of its records, or now_ms for LogAppendTime. patch_timestamps() writes it.
    int32_t max_timestamp_delta = 0;  // Offset delta of the first record with it.
    bool needs_rebuild = false;  // rebuild_batch() first: other codec asked, or offset deltas not 0..n-1.

    bool ok() const { return error == Error::none; }
    BatchView view() const { return *BatchView::parse(bytes); }
};

// Judges one partition's `records` of a produce request in Kafka 4.3's order: exactly one batch, magic, codec
// (zstd from v7), base offset 0, size, CRC, counts, control bit, sequence, then every record: lengths, key,
// timestamp. Compressed ones are decompressed for it.
ClientBatch validate_client_batch(Bytes records, const ClientBatchRules& rules, Decompressor& decompressor);

// ---- Patching in place ---------------------------------------------------------------------------------
// `batch` holds at least one whole batch at its beginning.

struct Placement {
    Offset base_offset;
    Epoch leader_epoch;
};
// Where the log put it. Both fields are outside the CRC.
void patch_placement(MutableBytes batch, Placement placement);
// Timestamp type and maximum; writes and computes a new CRC only if one of them changes.
void patch_timestamps(MutableBytes batch, TimestampType type, int64_t max_timestamp);
// Any other change of bytes 21 and up by the caller ends with this.
void patch_crc(MutableBytes batch);

// ---- Building ------------------------------------------------------------------------------------------

struct NewRecord {
    int64_t timestamp = 0;
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    std::span<const RecordHeader> headers;
};

struct BatchOptions {
    Offset base_offset;
    Epoch leader_epoch{-1};
    Codec codec = Codec::none;
    std::optional<int> level;
    TimestampType timestamp_type = TimestampType::create_time;
    int64_t log_append_time = -1;  // The maximum timestamp when timestamp_type is log_append_time.
    ProducerId producer_id{-1};
    int16_t producer_epoch = -1;
    int32_t base_sequence = -1;
    bool transactional = false;
    bool control = false;
    std::optional<int32_t> last_delta;         // Compaction: the batch ends where it ended before.
    std::optional<int64_t> delete_horizon_ms;  // Compaction: stands in the base timestamp's place (KIP-534).
};

// Collects records and makes one batch of them. build() starts over with the same options.
class BatchBuilder {
 public:
    explicit BatchBuilder(BatchOptions options = {});

    BatchOptions& options() { return options_; }
    // Copies the record. Its offset delta is the number of records before it.
    void add(const NewRecord& record) { add_at(next_delta_, record); }
    // With a delta of its own, above the last one (compaction leaves gaps).
    void add_at(int32_t offset_delta, const NewRecord& record);

    int32_t count() const { return count_; }
    bool empty() const { return count_ == 0; }
    size_t size() const { return buffer_.size(); }  // Of the batch if it were built now, before compression.
    // An upper bound of what add(record) would add to size().
    static size_t size_bound(const NewRecord& record);

    // At least one record. Only Codec::none may be built without a compressor.
    std::vector<uint8_t> build();
    std::vector<uint8_t> build(Compressor& compressor);

 private:
    std::vector<uint8_t> finish(Bytes records);
    void write_header(uint8_t* to) const;

    BatchOptions options_;
    std::vector<uint8_t> buffer_;  // Header space, then the records.
    int32_t count_ = 0;
    int32_t next_delta_ = 0;
    int64_t base_timestamp_ = -1;
    int64_t max_timestamp_ = -1;
};

// The same records under `codec`, with offset deltas 0..n-1; producer, flags and leader epoch kept,
// timestamps of the given type. Fails as RecordReader.
struct RebuildOptions {
    Codec codec = Codec::none;
    std::optional<int> level;
    TimestampType timestamp_type = TimestampType::create_time;
    int64_t log_append_time = -1;
    uint32_t size_max = UINT32_MAX;  // message_too_large above it.
    DecompressLimits limits;
};
Result<std::vector<uint8_t>> rebuild_batch(const BatchView& batch, const RebuildOptions& options,
                                           Compressor& compressor, Decompressor& decompressor);

// ---- Control batches -----------------------------------------------------------------------------------

enum class ControlType : int16_t {
    abort = 0,
    commit = 1,
    leader_change = 2,
    snapshot_header = 3,
    snapshot_footer = 4,
    kraft_version = 5,
    kraft_voters = 6,
};

struct ControlRecord {
    ControlType type;  // May be a number that Kafka adds later: ignore it.
    Bytes value;       // Into the batch.

    // Of abort and commit markers; none if the value is too short.
    std::optional<Epoch> coordinator_epoch() const;
};
// The one record of a control batch. invalid_record: not a control batch, or malformed.
Result<ControlRecord> read_control(const BatchView& batch);

struct TransactionMarker {
    ControlType type = ControlType::commit;  // or abort
    ProducerId producer_id;
    int16_t producer_epoch = 0;
    Epoch coordinator_epoch;
    int64_t timestamp = 0;
};
std::vector<uint8_t> build_marker(const TransactionMarker& marker);

}  // namespace millrace
