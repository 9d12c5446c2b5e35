// Record batches as they lie in memory: finding them, reading their records, changing their header in place.
//
// Bytes come from clients, peers and disks: nothing is read outside of them, whatever they claim.
#include "millrace/batch.h"

#include "record_format.h"

namespace millrace {
namespace {

constexpr size_t placed_by = 17;        // The magic is at 16: with these bytes a batch's layout is known.
constexpr int32_t length_min_old = 14;  // The smallest batchLength of any magic.
constexpr int32_t length_min = static_cast<int32_t>(batch_header_size - batch_length_offset);
constexpr size_t crc_from = 21;  // The CRC covers everything from here.

// Header fields that are written.
constexpr size_t leader_epoch_at = 12, crc_at = 17, attributes_at = 21, max_timestamp_at = 35;
constexpr uint16_t log_append_time_bit = 8;

int64_t wrapping_sum(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

std::optional<Bytes> part(const uint8_t* data, int32_t size) {
    if (size < 0) return {};
    return Bytes{data, static_cast<size_t>(size)};
}

}  // namespace

// ---- Views ---------------------------------------------------------------------------------------------

Result<BatchView> BatchView::parse(Bytes bytes) {
    if (bytes.size() < placed_by) return Error::corrupt_message;
    const auto length = load_big<int32_t>(bytes.data() + 8);
    if (length < length_min_old) return Error::corrupt_message;
    const auto magic = static_cast<int8_t>(bytes[16]);
    if (magic != 2) return magic == 0 || magic == 1 ? Error::invalid_record : Error::corrupt_message;
    if (length < length_min) return Error::corrupt_message;
    if (bytes.size() - batch_length_offset < static_cast<size_t>(length)) return Error::corrupt_message;
    return BatchView(bytes.data());
}

int32_t BatchView::last_sequence() const {
    if (base_sequence() < 0) return -1;
    const int64_t sum = int64_t{base_sequence()} + last_offset_delta();
    return static_cast<int32_t>(sum > INT32_MAX ? sum - INT32_MAX - 1 : sum);
}

uint32_t BatchView::computed_crc() const { return crc32c(bytes().subspan(crc_from)); }

std::optional<BatchView> BatchReader::next() {
    if (rest_.empty() || error_ != Error::none) return {};
    auto batch = BatchView::parse(rest_);
    if (!batch) {
        const bool sized = rest_.size() >= batch_length_offset;
        const int64_t length = sized ? load_big<int32_t>(rest_.data() + 8) : length_min;
        const bool is_cut = length >= length_min && rest_.size() < batch_length_offset + size_t(length);
        if (!is_cut || tail_ == PartialTail::refused) error_ = batch.error();
        return {};
    }
    rest_ = rest_.subspan(batch->size());
    return *batch;
}

// ---- Records -------------------------------------------------------------------------------------------

uint64_t RecordBytes::number(int bytes_max) {
    uint64_t value = 0;
    for (int i = 0; i < bytes_max && p_ != end_; i++) {
        const uint64_t byte = *p_++;
        value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) return value;
    }
    fail();
    return 0;
}

RecordParts read_any_record(Bytes from) {
    RecordParts parts;
    RecordBytes outer(from);
    const int32_t size = outer.varint();
    const bool fits = size >= 0 && static_cast<size_t>(size) <= outer.left();
    RecordBytes in(outer.place(), outer.place() + (fits ? size : 0));
    parts.behind = in.place() + in.left();
    in.skip(1);  // Attributes: none are in use.
    parts.timestamp_delta = in.varlong();
    parts.offset_delta = in.varint();
    parts.key_size = in.varint();
    parts.key = in.place();
    if (parts.key_size > 0) in.skip(static_cast<size_t>(parts.key_size));
    parts.value_size = in.varint();
    parts.value = in.place();
    if (parts.value_size > 0) in.skip(static_cast<size_t>(parts.value_size));
    parts.header_count = in.varint();
    parts.headers = {in.place(), in.left()};
    if (in.failed() || !headers_are_sound(in, parts.header_count)) parts.behind = nullptr;
    return parts;
}

bool headers_are_sound(RecordBytes headers, int32_t count) {
    // Each takes at least two bytes, so the loop is as short as the input.
    for (int32_t i = 0; i < count && !headers.failed(); i++) {
        const int32_t key_size = headers.varint();
        if (key_size < 0) return false;
        headers.skip(static_cast<size_t>(key_size));
        const int32_t value_size = headers.varint();
        if (value_size > 0) headers.skip(static_cast<size_t>(value_size));
    }
    return count >= 0 && !headers.failed() && headers.left() == 0;
}

std::vector<RecordHeader> Record::headers() const {
    std::vector<RecordHeader> headers;
    headers.reserve(static_cast<size_t>(header_count));
    RecordBytes in(raw_headers);
    for (int32_t i = 0; i < header_count; i++) {
        const int32_t key_size = in.varint();
        const auto key = part(in.place(), key_size);
        in.skip(static_cast<size_t>(key_size));
        const int32_t value_size = in.varint();
        const auto value = part(in.place(), value_size);
        in.skip(value ? value->size() : 0);
        headers.push_back({.key = as_text(*key), .value = value});
    }
    ASSERT(!in.failed() && in.left() == 0);
    return headers;
}

RecordReader::RecordReader(const BatchView& batch, Bytes plain)
    : batch_(batch), rest_(plain), left_(batch.record_count()) {}

Result<RecordReader> RecordReader::open(const BatchView& batch, Decompressor& decompressor,
                                        DecompressLimits limits) {
    const auto codec = batch.codec();
    if (!codec) return Error::unsupported_compression_type;
    // A batch that compaction emptied has nothing to decompress.
    if (batch.record_count() == 0 && batch.records().empty()) return RecordReader(batch, {});
    auto plain = decompressor.decompress(*codec, batch.records(), limits);
    if (!plain) return plain.error();
    return RecordReader(batch, *plain);
}

std::optional<Record> RecordReader::fail() {
    error_ = Error::invalid_record;
    return {};
}

std::optional<Record> RecordReader::next() {
    if (error_ != Error::none) return {};
    if (left_ <= 0) return left_ == 0 && rest_.empty() ? std::optional<Record>{} : fail();
    const RecordParts parts = read_record(rest_);
    if (!parts.behind) return fail();
    rest_ = {parts.behind, rest_.data() + rest_.size()};
    left_--;
    const bool stamped = batch_.timestamp_type() == TimestampType::log_append_time;
    return Record{
        .offset = Offset{wrapping_sum(batch_.base_offset().value, parts.offset_delta)},
        .timestamp =
            stamped ? batch_.max_timestamp() : wrapping_sum(batch_.base_timestamp(), parts.timestamp_delta),
        .key = part(parts.key, parts.key_size),
        .value = part(parts.value, parts.value_size),
        .header_count = parts.header_count,
        .raw_headers = parts.headers,
    };
}

// ---- Patching ------------------------------------------------------------------------------------------

void patch_placement(MutableBytes batch, Placement placement) {
    ASSERT(batch.size() >= batch_header_size);
    store_big<int64_t>(batch.data(), placement.base_offset.value);
    store_big<int32_t>(batch.data() + leader_epoch_at, placement.leader_epoch.value);
}

void patch_timestamps(MutableBytes batch, TimestampType type, int64_t max_timestamp) {
    const auto view = BatchView::parse(batch);
    ASSERT(view.ok());
    if (view->timestamp_type() == type && view->max_timestamp() == max_timestamp) return;
    const bool stamped = type == TimestampType::log_append_time;
    const auto attributes = static_cast<uint16_t>((view->attributes() & ~log_append_time_bit) |
                                                  (stamped ? log_append_time_bit : 0));
    store_big<uint16_t>(batch.data() + attributes_at, attributes);
    store_big<int64_t>(batch.data() + max_timestamp_at, max_timestamp);
    patch_crc(batch);
}

void patch_crc(MutableBytes batch) {
    const auto view = BatchView::parse(batch);
    ASSERT(view.ok());
    store_big<uint32_t>(batch.data() + crc_at, view->computed_crc());
}

}  // namespace millrace
