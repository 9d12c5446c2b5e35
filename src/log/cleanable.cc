// What of a log may be cleaned, and in which pieces: Kafka's rules (LogCleanerManager, groupSegmentsBySize).
#include "storage.h"

namespace millrace {

namespace {

int64_t newest_ms(const Segment& segment) {
    return segment.max_timestamp >= 0 ? segment.max_timestamp : segment.made_ms;
}

}  // namespace

std::optional<DirtyRange> PartitionLog::dirty_range(int64_t wall_ms) const {
    const LogConfig& config = spec_.config;
    if (!config.compacts || is_uncleanable || !first_dirty || is_resting() || failure() != Error::none)
        return {};
    const Offset limit = std::min(listener_ ? listener_->cleanable_end(*this) : durable_, durable_);
    DirtyRange range{.first = std::max(*first_dirty, log_start_)};
    range.end = segments_.front()->base;
    for (size_t i = 0; i + 1 < segments_.size(); i++) {
        const Segment& segment = *segments_[i];
        const Offset next = segments_[i + 1]->base;
        const bool is_dirty = next > range.first;
        const bool too_young = is_dirty && config.min_compaction_lag_ms > 0 &&
                               newest_ms(segment) > wall_ms - config.min_compaction_lag_ms;
        if (!segment.final || next > limit || too_young) break;
        range.end = next;
        if (segment.base < range.first) range.clean_bytes += segment.size;
        if (is_dirty) range.dirty_bytes += segment.size;
        const bool has_lag = config.max_compaction_lag_ms < INT64_MAX && segment.first_timestamp > 0;
        if (is_dirty && has_lag && wall_ms - segment.first_timestamp > config.max_compaction_lag_ms)
            range.is_overdue = true;
    }
    return range;
}

std::optional<CleanGroup> PartitionLog::hold_group(Offset from, Offset end) {
    ASSERT(held_until_ == held_from_);
    const LogConfig& config = spec_.config;
    const auto index_bytes = [&](const Segment& segment) {
        return segment.size / std::max<uint64_t>(config.index_interval_bytes, batch_header_size) *
               SegmentIndex::entry_bytes;
    };
    CleanGroup group;
    uint64_t index_total = 0;
    for (size_t i = 0; i + 1 < segments_.size(); i++) {
        const Segment& segment = *segments_[i];
        if (segment.base < from) continue;
        if (segment.base >= end) break;
        ASSERT(segment.final && segments_[i + 1]->base <= settled_);
        const Offset next = segments_[i + 1]->base;
        const bool fits = group.bytes + segment.size <= config.segment_bytes &&
                          index_total + index_bytes(segment) <= config.segment_index_bytes;
        if (!group.bases.empty() && (!fits || next - group.first() > INT32_MAX)) break;
        group.bases.push_back(segment.base);
        group.until = next;
        group.bytes += segment.size, index_total += index_bytes(segment);
    }
    if (group.bases.empty()) return {};
    held_from_ = group.first(), held_until_ = group.until;
    return group;
}

void PartitionLog::release_group() {
    held_from_ = held_until_ = Offset{};
    if (can_drop_first()) wake_storage();
}

Task<Result<>> PartitionLog::settle(Offset until) {
    ASSERT(until <= active().base);
    if (until > settle_wanted_) {
        settle_wanted_ = until;
        touch();
    }
    while (settled_ < until && failure() == Error::none && !storage_.is_ending())
        co_await storage_.committed();
    if (failure() != Error::none) co_return failure();
    co_return settled_ < until ? Result<>{Error::request_timed_out} : Result<>{};
}

}  // namespace millrace
