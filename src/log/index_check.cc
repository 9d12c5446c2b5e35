// Checking indexes.
#include "index_check.h"

namespace millrace {

// Reading an index ends at the first entry that does not rise: what follows is checked as if it were not
// there, but counts in finish().
IndexCheck::IndexCheck(Bytes offsets, Bytes times, Offset base, uint64_t size)
    : base_(base), offset_bytes_(offsets.size()), time_bytes_(times.size()) {
    for (; offsets.size() >= SegmentIndex::entry_bytes;
         offsets = offsets.subspan(SegmentIndex::entry_bytes)) {
        const SegmentIndex::Entry e{load_big<uint32_t>(offsets.data()),
                                    load_big<uint32_t>(offsets.data() + 4)};
        const SegmentIndex::Entry last = entries_.empty() ? SegmentIndex::Entry{0, 0} : entries_.back();
        if (e.position <= last.position || e.offset <= last.offset || e.position >= size) break;
        entries_.push_back(e);
    }
    constexpr size_t time_size = SegmentIndex::time_entry_bytes;
    for (; times.size() >= time_size; times = times.subspan(time_size)) {
        const SegmentIndex::TimeEntry e{load_big<int64_t>(times.data()),
                                        load_big<uint32_t>(times.data() + 8)};
        if (!times_.empty() && (e.timestamp <= times_.back().timestamp || e.offset <= times_.back().offset))
            break;
        if (e.timestamp < 0) break;
        times_.push_back(e);
    }
}

void IndexCheck::on_batch(const BatchHeader& batch, uint64_t position) {
    const auto last = static_cast<uint32_t>(batch.last() - base_);
    max_timestamp_ = std::max(max_timestamp_, batch.max_timestamp);
    const auto fail = [](std::optional<uint64_t>& wrong, uint64_t at) {
        if (!wrong) wrong = at;
    };
    for (; next_entry_ < entries_.size() && entries_[next_entry_].position <= position; next_entry_++) {
        const SegmentIndex::Entry& e = entries_[next_entry_];
        if (e.position != position || e.offset != last)
            fail(wrong_offset_, next_entry_ * SegmentIndex::entry_bytes);
    }
    for (; next_time_ < times_.size() && times_[next_time_].offset <= last; next_time_++) {
        const SegmentIndex::TimeEntry& e = times_[next_time_];
        if (e.offset != last || e.timestamp != max_timestamp_)
            fail(wrong_time_, next_time_ * SegmentIndex::time_entry_bytes);
    }
}

void IndexCheck::finish(Times complete) {
    const uint64_t offsets = entries_.size() * SegmentIndex::entry_bytes;
    const uint64_t times = times_.size() * SegmentIndex::time_entry_bytes;
    if (!wrong_offset_ && (offsets != offset_bytes_ || next_entry_ != entries_.size()))
        wrong_offset_ = next_entry_ * SegmentIndex::entry_bytes;
    const int64_t last_time = times_.empty() ? -1 : times_.back().timestamp;
    const bool is_short = complete == Times::complete && last_time != max_timestamp_;
    if (!wrong_time_ && (times != time_bytes_ || next_time_ != times_.size() || is_short))
        wrong_time_ = next_time_ * SegmentIndex::time_entry_bytes;
}

}  // namespace millrace
