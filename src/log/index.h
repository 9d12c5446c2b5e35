// A segment's sparse indexes: offset -> position and time -> offset, in Kafka's bytes.
//
// What always holds: offsets, positions and times rise from entry to entry. An entry names the last offset of
// a batch and the position where that batch begins. Derived from the .log file: may be thrown away.
#pragma once
#include <optional>
#include <vector>

#include "batch_header.h"
#include "millrace/base.h"

namespace millrace {

class SegmentIndex {
 public:
    struct Entry {
        uint32_t offset;  // Relative to the segment's base.
        uint32_t position;
    };
    struct TimeEntry {
        int64_t timestamp;  // The largest so far.
        uint32_t offset;    // Last offset of the batch that has it.
    };

    // The next batch at `position` of the segment based at `base`; indexes it each `interval` bytes.
    void add(const BatchHeader& batch, Offset base, uint64_t position, uint32_t interval);
    // The segment is complete: its largest time is the last entry.
    void finish();

    // Where to begin to look for the offset / the time.
    SegmentIndex::Entry floor(uint32_t relative_offset) const;    // {0, 0} when none.
    SegmentIndex::TimeEntry time_floor(int64_t timestamp) const;  // {-1, 0} when none.

    int64_t max_timestamp() const { return max_timestamp_; }  // -1: no batch, or none that has one.
    uint32_t max_timestamp_offset() const { return max_timestamp_offset_; }
    size_t entry_count() const { return entries_.size(); }
    size_t memory() const { return entries_.size() * sizeof(Entry) + times_.size() * sizeof(TimeEntry); }

    // The files' bytes, from those entries on.
    std::vector<uint8_t> offset_bytes(size_t first = 0) const;
    std::vector<uint8_t> time_bytes(size_t first = 0) const;
    size_t time_count() const { return times_.size(); }
    static constexpr size_t entry_bytes = 8, time_entry_bytes = 12;

    // Takes over what is sane; entries at or above `position_end` are left out. Files of an unclean stop end
    // in zeros or torn entries: reading ends at the first that does not rise.
    static SegmentIndex from_bytes(Bytes offsets, Bytes times, uint64_t position_end);
    // Drops what the batches from `position` on have left, the first of which begins at `relative_offset`:
    // they are read again.
    void cut(uint64_t position, uint32_t relative_offset);

 private:
    void add_time(int64_t timestamp, uint32_t offset);
    std::vector<Entry> entries_;
    std::vector<TimeEntry> times_;
    int64_t max_timestamp_ = -1;
    uint32_t max_timestamp_offset_ = 0;
    uint64_t bytes_since_entry_ = 0;
};

}  // namespace millrace
