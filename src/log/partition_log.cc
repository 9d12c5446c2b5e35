// A log's beginning and end, and its failing.
#include "storage.h"

namespace millrace {

PartitionLog::PartitionLog(StorageImpl& storage, LogSpec spec, std::string directory)
    : storage_(storage), spec_(std::move(spec)), directory_(std::move(directory)) {}

PartitionLog::~PartitionLog() { ASSERT(chunks_.empty()); }

Error PartitionLog::failure() const { return failure_ != Error::none ? failure_ : storage_.failure(); }

void PartitionLog::fail(Error error) {
    if (failure_ != Error::none) return;
    failure_ = error;
    if (listener_) listener_->on_failed(*this, error);
}

// At once, and nothing that was safe is less so: what was appended under the old settings follows the new.
void PartitionLog::set_config(const LogConfig& config) {
    const Offset safe_before = safe();
    safe_floor_ = safe_before;
    spec_.config = config;
    ASSERT(safe() >= safe_before);
    if (failure() != Error::none || !storage_.is_started()) return;
    if (has_unstaged()) touch();
    want_durable();
    if (safe() > safe_before) storage_.tell_soon(*this);
}

Offset PartitionLog::safe() const {
    const int64_t unflushed = end_ - durable_, allowed = spec_.config.flush_messages - 1;
    const Offset kept = spec_.config.in_memory ? durable_ + std::min(unflushed, allowed) : durable_;
    return std::max(kept, safe_floor_);
}

void PartitionLog::want_durable() {
    if (safe() < end_) storage_.want_durable();
}

void PartitionLog::wake_storage() { storage_.wake(); }

// The log is going: its memory and descriptors go back, its bytes are nobody's burden any more.
void PartitionLog::leave() {
    ASSERT(!busy());
    storage_.sub_dirty(dirty_bytes());
    storage_.sub_unstaged(unstaged_bytes());
    need_file(0);
    forget_unsaved();
    drop_chunks();
    for (const auto& segment : segments_) {
        if (segment->file) storage_.descriptors().release(std::exchange(segment->file, nullptr));
        storage_.forget_file(key_of(*segment));
    }
}

bool PartitionLog::calls() const {
    const bool has_old = segments_.size() > 1 && segments_[1]->base <= log_start_;
    return wants_direct() || has_old || !doomed_.empty() || has_unfinished() || damage_unsaid_;
}

bool PartitionLog::has_unfinished() const {
    return segments_.size() > 1 && !segments_[segments_.size() - 2]->final;
}

}  // namespace millrace
