// Offsets by time, down to the record inside a batch.
#include "storage.h"

namespace millrace {

namespace {

constexpr int64_t max_timestamp_asked = -3;

// The bytes of the batch at the slice's beginning, copied together when it lies across pieces.
struct Joined {
    explicit Joined(const Slice& slice) {
        if (slice.pieces().size() == 1) {
            bytes = slice.pieces().front();
            return;
        }
        copy.reserve(slice.size());
        for (const Bytes piece : slice.pieces()) copy.insert(copy.end(), piece.begin(), piece.end());
        bytes = copy;
    }
    Joined(const Joined&) = delete;
    std::vector<uint8_t> copy;
    Bytes bytes;
};

// The first record of the batch from `from` on that is that young.
Result<TimestampOffset> find_record(const BatchView& batch, Decompressor& decompressor, Offset from,
                                    int64_t timestamp) {
    auto records = RecordReader::open(batch, decompressor);
    if (!records) return Error::corrupt_message;
    while (const auto record = records->next())
        if (record->offset >= from && record->timestamp >= timestamp)
            return TimestampOffset{.offset = record->offset, .timestamp = record->timestamp};
    if (records->error() != Error::none) return Error::corrupt_message;
    return TimestampOffset{};
}

}  // namespace

Task<Result<TimestampOffset>> PartitionLog::offset_for_timestamp(int64_t timestamp, Offset limit) {
    if (failure() != Error::none) co_return failure();
    if (timestamp < 0 && timestamp != max_timestamp_asked) co_return Error::invalid_request;
    if (timestamp == max_timestamp_asked) {
        for (const auto& segment : segments_) timestamp = std::max(timestamp, segment->max_timestamp);
        if (timestamp < 0) co_return TimestampOffset{};
    }
    readers_++;
    auto found = co_await search_segments(timestamp, std::min(limit, end_));
    leave_reader();
    co_return found;
}

Task<Result<TimestampOffset>> PartitionLog::search_segments(int64_t timestamp, Offset limit) {
    for (const Segment* segment = segments_.front().get(); segment && segment->base < limit;) {
        const Offset base = segment->base;
        if (segment->max_timestamp >= timestamp) {
            Offset from = log_start_;
            const auto begin = co_await time_floor(base, timestamp);
            if (!begin && begin.error() != Error::offset_out_of_range) co_return begin.error();
            if (begin) from = std::max(from, *begin);
            const Segment* next = after(base);
            const Offset until = next ? std::min(next->base, limit) : limit;
            const auto found = co_await search_batches(from, until, timestamp);
            if (!found || found->offset.value >= 0) co_return found;
        }
        segment = after(base);
    }
    co_return TimestampOffset{};
}

// An offset in the segment below which all records are older.
Task<Result<Offset>> PartitionLog::time_floor(Offset base, int64_t timestamp) {
    auto in_place = co_await await_replaced();
    if (!in_place) co_return in_place.error();
    const Segment* segment = find_segment(base);
    if (!segment) co_return Error::offset_out_of_range;  // Dropped or merged: begin at the log's start.
    if (segment->index) co_return base + segment->index->time_floor(timestamp - 1).offset;
    const auto index =
        co_await storage_.indexes().get(key_of(*segment), path_of(*segment, ""), segment->size);
    const bool is_useless = !index && (index.error() == Error::resource_not_found ||
                                       index.error() == Error::corrupt_message);  // A read will mend it.
    if (is_useless) co_return base;
    if (!index) co_return index.error();
    co_return base + (*index)->time_floor(timestamp - 1).offset;
}

Task<Result<TimestampOffset>> PartitionLog::search_batches(Offset from, Offset until, int64_t timestamp) {
    constexpr size_t step = 256 << 10;
    while (from < until) {
        const auto slice = co_await read_anywhere({.from = from, .max_bytes = step, .limit = until});
        if (!slice && slice.error() == Error::corrupt_message && behind_damage(from) > from) {
            from = behind_damage(from);
            continue;
        }
        if (!slice) co_return slice.error();
        if (slice->empty()) break;
        const Joined joined{*slice};
        BatchReader batches{joined.bytes};
        while (const auto batch = batches.next()) {
            if (batch->max_timestamp() < timestamp || batch->is_control()) continue;
            auto found = find_record(*batch, storage_.decompressor(), log_start_, timestamp);
            if (!found) co_return found;
            if (found->offset >= until) co_return TimestampOffset{};
            if (found->offset.value < 0) continue;
            found->leader_epoch = epochs_.at(found->offset);
            co_return found;
        }
        from = slice->next();
    }
    co_return TimestampOffset{};
}

}  // namespace millrace
