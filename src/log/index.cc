// Sparse indexes of a segment.
#include "index.h"

namespace millrace {

void SegmentIndex::add(const BatchHeader& batch, Offset base, uint64_t position, uint32_t interval) {
    ASSERT(batch.base >= base);
    const auto relative = static_cast<uint32_t>(batch.last() - base);
    if (batch.max_timestamp > max_timestamp_ && batch.record_count > 0) {
        max_timestamp_ = batch.max_timestamp;
        max_timestamp_offset_ = relative;
    }
    if (bytes_since_entry_ > interval) {
        entries_.push_back({relative, static_cast<uint32_t>(position)});
        add_time(max_timestamp_, max_timestamp_offset_);
        bytes_since_entry_ = 0;
    }
    bytes_since_entry_ += batch.size;
}

void SegmentIndex::add_time(int64_t timestamp, uint32_t offset) {
    if (timestamp < 0 || (!times_.empty() && times_.back().timestamp >= timestamp)) return;
    ASSERT(times_.empty() || times_.back().offset <= offset);
    times_.push_back({timestamp, offset});
}

void SegmentIndex::finish() { add_time(max_timestamp_, max_timestamp_offset_); }

SegmentIndex::Entry SegmentIndex::floor(uint32_t relative_offset) const {
    const auto above = std::upper_bound(entries_.begin(), entries_.end(), relative_offset,
                                        [](uint32_t x, const Entry& e) { return x < e.offset; });
    return above == entries_.begin() ? Entry{0, 0} : *(above - 1);
}

SegmentIndex::TimeEntry SegmentIndex::time_floor(int64_t timestamp) const {
    const auto above = std::upper_bound(times_.begin(), times_.end(), timestamp,
                                        [](int64_t x, const TimeEntry& e) { return x < e.timestamp; });
    return above == times_.begin() ? TimeEntry{-1, 0} : *(above - 1);
}

std::vector<uint8_t> SegmentIndex::offset_bytes(size_t first) const {
    ASSERT(first <= entries_.size());
    std::vector<uint8_t> bytes((entries_.size() - first) * entry_bytes);
    uint8_t* p = bytes.data();
    for (size_t i = first; i < entries_.size(); i++, p += entry_bytes) {
        store_big(p, entries_[i].offset);
        store_big(p + 4, entries_[i].position);
    }
    return bytes;
}

std::vector<uint8_t> SegmentIndex::time_bytes(size_t first) const {
    ASSERT(first <= times_.size());
    std::vector<uint8_t> bytes((times_.size() - first) * time_entry_bytes);
    uint8_t* p = bytes.data();
    for (size_t i = first; i < times_.size(); i++, p += time_entry_bytes) {
        store_big(p, times_[i].timestamp);
        store_big(p + 8, times_[i].offset);
    }
    return bytes;
}

SegmentIndex SegmentIndex::from_bytes(Bytes offsets, Bytes times, uint64_t position_end) {
    SegmentIndex index;
    for (; offsets.size() >= entry_bytes; offsets = offsets.subspan(entry_bytes)) {
        const Entry e{load_big<uint32_t>(offsets.data()), load_big<uint32_t>(offsets.data() + 4)};
        const Entry last = index.entries_.empty() ? Entry{0, 0} : index.entries_.back();
        if (e.position <= last.position || e.offset <= last.offset || e.position >= position_end) break;
        index.entries_.push_back(e);
    }
    for (; times.size() >= time_entry_bytes; times = times.subspan(time_entry_bytes)) {
        const TimeEntry e{load_big<int64_t>(times.data()), load_big<uint32_t>(times.data() + 8)};
        const TimeEntry last = index.times_.empty() ? TimeEntry{-1, 0} : index.times_.back();
        if (e.timestamp <= last.timestamp || e.offset < last.offset) break;
        if (!index.times_.empty() && e.offset == last.offset) break;
        index.times_.push_back(e);
    }
    if (!index.times_.empty()) {
        index.max_timestamp_ = index.times_.back().timestamp;
        index.max_timestamp_offset_ = index.times_.back().offset;
    }
    return index;
}

void SegmentIndex::cut(uint64_t position, uint32_t relative_offset) {
    while (!entries_.empty() && entries_.back().position >= position) entries_.pop_back();
    while (!times_.empty() && times_.back().offset >= relative_offset) times_.pop_back();
    max_timestamp_ = times_.empty() ? -1 : times_.back().timestamp;
    max_timestamp_offset_ = times_.empty() ? 0 : times_.back().offset;
    bytes_since_entry_ = UINT32_MAX;  // Makes the first of them an entry again.
    if (position == 0) bytes_since_entry_ = 0;
}

}  // namespace millrace
