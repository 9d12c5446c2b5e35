// A segment's batches one after the other, each with its CRC looked at; what is no sound batch is stepped
// over to the next sound one.
//
// What always holds: steps follow each other without a gap from 0 to `end`; offsets rise from batch to batch.
// Lives in one coroutine.
#pragma once
#include "batch_header.h"
#include "file_reader.h"

namespace millrace {

class SegmentScan {
 public:
    enum class Kind : uint8_t { batch, damage, end };
    struct Step {
        Kind kind = Kind::end;
        uint64_t position = 0, size = 0;
        BatchHeader batch;  // Of a batch.
        uint32_t records = 0;
        Offset first;     // Of damage: the first offset that may have been there ...
        Offset next{-1};  // ... and one past the last; -1 when nothing follows.
    };
    // Batches lie in [0, end), with offsets from `base` and below `limit`.
    struct Range {
        uint64_t end = 0;
        Offset base, limit{INT64_MAX};
    };
    SegmentScan(FileReader& reader, Range range) : reader_(reader), range_(range), expected_(range.base) {}

    // kafka_storage_error: the device refuses.
    Task<Result<Step>> next();
    uint64_t position() const { return position_; }

 private:
    // Nothing when there is no sound batch.
    Task<Result<std::optional<Step>>> batch_at(uint64_t position);
    Task<Result<bool>> contradicts_next(Step step);
    Task<Result<bool>> crc_matches(uint64_t position, BatchHeader batch);
    Task<Result<uint64_t>> next_sound(uint64_t after);
    Task<Result<uint64_t>> next_candidate(uint64_t from);

    FileReader& reader_;
    const Range range_;
    Offset expected_;
    uint64_t position_ = 0;
};

}  // namespace millrace
