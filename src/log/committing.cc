// From appends to commits: when what logs have goes to the journal, what becomes of it when it is written and
// durable, and the word about it when nothing follows. Owned by the shard's storage.
#include "storage.h"

namespace millrace {

namespace {

constexpr uint64_t idle_after_ns = 10'000'000;  // Longer than a lone producer takes for its next request.

}  // namespace

void StorageImpl::add_unstaged(PartitionLog& log, Haste haste) {
    if (!log.is_unstaged) {
        log.is_unstaged = true;
        log.next_unstaged = nullptr;
        (unstaged_last_ ? unstaged_last_->next_unstaged : unstaged_first_) = &log;
        unstaged_last_ = &log;
    }
    lazy_durable_ |= haste == Haste::lazily_durable;
    commit_due_ |= haste == Haste::at_once || unstaged_bytes_ >= config_.journal_file_bytes / 32;
    if (commit_due_) return post_turn_end();
    if (!lazy_timer_.under_way && started_)
        lazy_timer_.size = config_.lazy_commit_ns, io_.submit(lazy_timer_);
}

void StorageImpl::post_turn_end() {
    if (posted_ || !started_) return;
    posted_ = true;
    io_.post(io_.shard(), *this);
}

Haste StorageImpl::haste_for(int64_t flush_ms) const {
    constexpr uint64_t at_the_device_ns = 2'000'000, ns_per_ms = 1'000'000;
    const uint64_t lazy_ns = config_.lazy_commit_ns + at_the_device_ns;
    const uint64_t within_ns = flush_ms > 1000 ? UINT64_MAX : static_cast<uint64_t>(flush_ms) * ns_per_ms;
    if (within_ns < lazy_ns) return Haste::at_once;
    return within_ns < lazy_ns + config_.flush_after_ns ? Haste::lazily_durable : Haste::lazily;
}

void StorageImpl::commit_lazy() {
    if (!unstaged_first_) return;
    commit_due_ = true;
    if (std::exchange(lazy_durable_, false)) want_durable();
    pump();
}

void StorageImpl::tell_soon(PartitionLog& log) {
    if (!std::exchange(log.is_told_soon, true)) told_soon_.push_back(&log);
    post_turn_end();
}

void StorageImpl::deliver() {
    posted_ = false;
    telling_.swap(told_soon_);
    for (PartitionLog* log : telling_) log->is_told_soon = false;
    for (PartitionLog* log : telling_) log->tell_progress();
    telling_.clear();
    pump();
}

// Whatever was appended since the last commit becomes one, or a few, as long as the device has places free.
void StorageImpl::pump() {
    if (failure_ != Error::none || !journal_.is_open()) return;
    while (!removed_unsaid_.empty() && !journal_.busy() && journal_.reserve(sizeof(Entry))) {
        journal_.put({.kind = EntryKind::removed, .slot = removed_unsaid_.back().value});
        removed_unsaid_.pop_back();
    }
    while (commit_due_ && unstaged_first_ && !journal_.busy()) {
        PartitionLog& log = *unstaged_first_;
        if (!log.stage(journal_)) break;
        unstaged_first_ = log.next_unstaged;
        if (!unstaged_first_) unstaged_last_ = nullptr;
        log.is_unstaged = false;
    }
    commit_due_ &= unstaged_first_ != nullptr;
    journal_.flush();
}

void StorageImpl::move_dirty(Slot slot, uint64_t from, uint64_t to) {
    if (from != 0) dirty_logs_.erase({from, slot});
    if (to != 0) dirty_logs_.emplace(to, slot);
}

void StorageImpl::put_states() {
    for (const auto& [slot, log] : logs_)
        if (log->failure() == Error::none && !log->removing) log->put_state(journal_);
    for (const auto& [slot, left] : left_) put_left(slot, left);
}

void StorageImpl::want_durable() {
    durable_until_ns_ = io_.now_ns() + config_.durable_habit_ns;
    journal_.sync();
}

bool StorageImpl::wants_durable() { return closing_ || io_.now_ns() < durable_until_ns_; }

void StorageImpl::on_written(std::vector<CommitMark>& marks) {
    device_.note_write(io_.now_ns());
    for (const CommitMark& mark : marks) {
        if (!mark.log || mark.end.value < 0) continue;
        mark.log->on_written(mark);
        progressed_.push_back(mark.log);
    }
    if (wants_durable())
        journal_.sync();
    else if (!flush_timer_.under_way)
        flush_timer_.size = config_.flush_after_ns, io_.submit(flush_timer_);
    tell_progress();
    pump();
}

void StorageImpl::on_committed(std::vector<CommitMark>& marks) {
    device_.note_write(io_.now_ns());
    for (const CommitMark& mark : marks) {
        if (!mark.log) continue;
        mark.log->on_committed(mark);
        if (mark.end.value >= 0) progressed_.push_back(mark.log);
    }
    tell_progress();
    pump();
    notify_committed();
    await_idle();
}

void StorageImpl::await_idle() {
    if (!journal_.wants_watermark() || closing_) return;
    idle_since_ns_ = io_.now_ns();
    if (!idle_timer_.under_way) idle_timer_.size = idle_after_ns, io_.submit(idle_timer_);
}

// Once per idle time: what is put now is no news. While commits follow one another, the timer does too.
void StorageImpl::on_idle_timer() {
    if (!journal_.wants_watermark() || closing_ || failure_ != Error::none) return;
    const uint64_t idle_ns = io_.now_ns() - idle_since_ns_;
    if (idle_ns >= idle_after_ns) return journal_.put_watermark();
    idle_timer_.size = idle_after_ns - idle_ns;
    io_.submit(idle_timer_);
}

// A listener may append, but no log goes before the next turn.
void StorageImpl::tell_progress() {
    std::vector<PartitionLog*> logs = std::move(told_);
    logs.swap(progressed_);
    for (PartitionLog* log : logs) log->tell_progress();
    logs.clear();
    told_ = std::move(logs);
}

void StorageImpl::on_journal_failed(int32_t outcome) {
    io_.log().error("log", "a journal or segment write failed", {{"outcome", outcome}});
    fail("the journal cannot be written");
}

}  // namespace millrace
