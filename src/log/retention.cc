// Dropping the log's beginning: DeleteRecords, and retention by time and size. Only whole segments go.
#include "storage.h"

namespace millrace {

Task<Result<>> PartitionLog::set_log_start(Offset offset) {
    if (failure() != Error::none) co_return failure();
    if (offset > end_) co_return Error::offset_out_of_range;
    readers_++;
    if (offset > log_start_) {
        move_log_start(offset);
        drop_below_start();
    }
    storage_.want_durable();
    while (durable_start_ < offset && failure() == Error::none && !storage_.waits_ended())
        co_await storage_.committed();
    leave_reader();
    if (failure() != Error::none) co_return failure();
    co_return durable_start_ < offset ? Error::request_timed_out : Result<>{};
}

void PartitionLog::move_log_start(Offset offset) {
    ASSERT(offset >= log_start_ && offset <= end_);
    log_start_ = offset;
    epochs_.cut_front(offset);
    if (damage_.cut_front(offset)) damage_unsaid_ = true, storage_.call(*this);
    touch();
    storage_.call(*this);
}

size_t PartitionLog::retain(int64_t wall_ms, Offset high_watermark) {
    if (failure() != Error::none) return 0;
    const StorageConfig& config = storage_.config();
    if (config.scrub_percent > 0 && next_to_scrub(wall_ms - config.scrub_interval_ms)) storage_.wake_scrub();
    producers_.expire(wall_ms, spec_.config.producer_id_expiration_ms);
    if (!spec_.config.deletes) return drop_below_start();
    if (active().size > 0 && end_ <= high_watermark && is_expired(active(), wall_ms)) roll();
    const Offset limit = std::min(high_watermark, durable_);
    uint64_t size = size_bytes();
    Offset start = log_start_;
    for (size_t i = 0; i + 1 < segments_.size(); i++) {
        const bool too_much =
            spec_.config.retention_bytes >= 0 &&
            size - segments_[i]->size >= static_cast<uint64_t>(spec_.config.retention_bytes);
        const Offset next = segments_[i + 1]->base;
        if (next > limit || (!too_much && !is_expired(*segments_[i], wall_ms))) break;
        size -= segments_[i]->size;
        start = std::max(start, next);
    }
    if (start > log_start_) move_log_start(start);
    return drop_below_start();
}

bool PartitionLog::is_expired(const Segment& segment, int64_t wall_ms) const {
    if (spec_.config.retention_ms < 0) return false;
    const int64_t newest = segment.max_timestamp >= 0 ? segment.max_timestamp : segment.made_ms;
    return wall_ms - newest > spec_.config.retention_ms;
}

// Nobody writes to it, and the journal has got beyond it.
bool PartitionLog::can_drop(size_t i) const {
    if (i + 1 >= segments_.size() || segments_[i + 1]->base > log_start_) return false;
    const bool is_held = segments_[i]->base >= held_from_ && segments_[i]->base < held_until_;
    const bool is_written = writing_out_ || checkpointing_ || direct_flights_ > 0;
    return !is_held && !is_written && staged_segment_ > segments_[i]->base;
}

size_t PartitionLog::drop_below_start() {
    size_t dropped = 0;
    while (can_drop(0)) {
        Segment& segment = *segments_.front();
        while (!chunks_.empty() && chunks_.front()->segment == segment.base) drop_first_chunk();
        storage_.sub_dirty(segment.size - segment.out);
        if (segment.file) storage_.descriptors().release(std::exchange(segment.file, nullptr));
        storage_.forget_file(key_of(segment));
        doomed_.push_back(segment.base);
        segments_.erase(segments_.begin());
        dropped++;
    }
    std::erase_if(snapshots_due_, [&](const Snapshot& s) { return s.offset < segments_.front()->base; });
    if (dropped > 0) doomed_until_ = log_start_, storage_.call(*this);
    return dropped;
}

bool PartitionLog::has_doomed() const { return !doomed_.empty() && durable_start_ >= doomed_until_; }

Task<Result<>> PartitionLog::remove_doomed() {
    const auto bases = std::exchange(doomed_, {});
    const Offset until = doomed_until_;
    // A reader may still be in one of the files: then nobody may write to it.
    const bool can_keep = readers_ == 0 && storage_.keeps_files();
    Io& io = storage_.io();
    readers_++;
    Result<> result;
    for (const Offset base : bases)
        for (const std::string_view suffix :
             {".index", ".timeindex", ".txnindex", ".snapshot", ".sum", ".log"}) {
            if (suffix == ".snapshot") std::erase(snapshots_on_disk_, base);
            std::string path = directory_ + "/" + offset_name(base, suffix);
            if (result && can_keep && suffix == ".log")
                result = co_await remove_segment_file(std::move(path), until);
            else if (result)
                result = co_await remove_file(io, std::move(path));
        }
    // A file that was kept must not come back under its old name when it is another's.
    if (result && can_keep) result = co_await sync_directory(io, directory_);
    leave_reader();
    co_return result;
}

Task<Result<>> PartitionLog::remove_segment_file(std::string path, Offset until) {
    const auto kept = co_await storage_.recycled().keep(path, until);
    if (!kept && kept.error() != disk_full) co_return kept.error();
    if (kept && *kept) co_return Result<>{};
    co_return co_await remove_file(storage_.io(), std::move(path));
}

uint64_t PartitionLog::size_bytes() const {
    uint64_t bytes = 0;
    for (const auto& segment : segments_) bytes += segment->size;
    return bytes;
}

}  // namespace millrace
