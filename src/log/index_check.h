// A segment's two indexes against its batches, while these are walked.
//
// What always holds: nothing is said against an entry that a reader would never take over.
#pragma once
#include "index.h"

namespace millrace {

class IndexCheck {
 public:
    // `base` is the segment's; `size` what its batches take.
    IndexCheck(Bytes offsets, Bytes times, Offset base, uint64_t size);

    void on_batch(const BatchHeader& batch, uint64_t position);
    // After the last batch: the files hold nothing else, and, if complete, the largest time too.
    enum class Times : bool { growing, complete };
    void finish(Times times);

    // Where the first wrong entry is in its file; nothing when there is none.
    std::optional<uint64_t> wrong_offset() const { return wrong_offset_; }
    std::optional<uint64_t> wrong_time() const { return wrong_time_; }

 private:
    const Offset base_;
    std::vector<SegmentIndex::Entry> entries_;
    std::vector<SegmentIndex::TimeEntry> times_;
    size_t next_entry_ = 0, next_time_ = 0;
    int64_t max_timestamp_ = -1;
    uint64_t offset_bytes_, time_bytes_;
    std::optional<uint64_t> wrong_offset_, wrong_time_;
};

}  // namespace millrace
