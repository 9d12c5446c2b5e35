// The background of a storage: writes out what old journal files still hold, frees them, prepares files for
// direct writes, deletes what was dropped; beside it the cleaner. It sleeps while there is nothing to do.
#include "storage.h"

namespace millrace {

namespace {

constexpr size_t together = 8;             // Logs written out at a time.
constexpr uint64_t checkpoint_share = 32;  // A smaller part of unsaved_bytes_max is not worth its writes.
constexpr uint64_t full_pause_ns = 1'000'000'000;

}  // namespace

Task<> StorageImpl::run() {
    ASSERT(started_ && !running_);
    running_ = true;
    std::vector<Task<>> tasks;
    tasks.push_back(maintain());
    tasks.push_back(scrub());
    tasks.push_back(cleaner_.run());
    co_await gather(std::move(tasks));
    running_ = false;
    landed_.notify_all();
}

Task<> StorageImpl::maintain() {
    while (!closing_ && failure_ == Error::none) {
        if (!has_work()) {
            co_await wake_;
            continue;
        }
        auto result = co_await work();
        if (!result && result.error() == disk_full) {
            say_full("all appends wait until there is room");
            full_ = true;
        } else if (!result) {
            fail("background work on the disk failed");
            break;
        }
        co_await look_at_space();  // Work makes files.
        if (full_ && result) full_ = !co_await is_room_back();
        if (full_) co_await sleep_for(io_, full_pause_ns);
        if (!full_) notify_committed();
    }
}

// What clients meet while the disk has only its reserve left, and when that has passed, is said once each.
Task<> StorageImpl::look_at_space() {
    co_await space_.look(dirty_);
    if (space_.is_low() && !space_timer_.under_way && !closing_)
        space_timer_.size = full_pause_ns, io_.submit(space_timer_);
    if (space_.is_low() == low_said_) co_return;
    low_said_ = space_.is_low();
    if (!low_said_) co_return io_.log().info("log", "the disk has room again: clients' records are taken");
    io_.log().error("log", "the disk is nearly full: clients' records are refused",
                    {{"mend", "delete records or topics, shorten retention, or add space"},
                     {"directory", config_.directory},
                     {"available_bytes", space_.available()},
                     {"millrace.disk.reserve", space_.reserve()}});
}

// After the disk was full: a little more than a file's next step, so that it does not end again at once.
Task<bool> StorageImpl::is_room_back() {
    constexpr uint64_t enough_bytes = 128 << 10;
    co_await look_at_space();
    co_return space_.available() >= enough_bytes;
}

Task<bool> StorageImpl::has_space_for(uint64_t bytes) {
    co_await look_at_space();
    co_return !full_ && !space_.is_low() && space_.available() >= space_.reserve() + bytes;
}

// Deleting comes first: on a full disk it is what makes the rest possible.
Task<Result<>> StorageImpl::work() {
    Result<> result;
    if (full_ || space_.is_low()) result = co_await recycled_.clear();
    if (result) result = co_await remove_files();
    if (result) result = co_await say_damage();
    if (result && journal_.wants_file()) {
        result = co_await journal_.prepare_file(states_size());
        if (result) pump();
    }
    if (result) result = co_await prepare_logs();
    if (result) result = co_await write_out_old();
    if (result) result = co_await checkpoint_logs();
    if (result) co_await descriptors_.trim();
    co_return result;
}

// In proportion to the logs that have changed, not to all.
bool StorageImpl::has_work() {
    if (full_ || space_.is_due() || journal_.wants_file() || !doomed_directories_.empty() ||
        descriptors_.wants_trim())
        return true;
    if (journal_.oldest_file() < oldest_needed() && !freeing()) return true;
    for (auto it = calling_.begin(); it != calling_.end();) {
        const auto known = logs_.find(*it);
        if (known == logs_.end() || !known->second->calls()) {
            it = calling_.erase(it);
            continue;
        }
        const PartitionLog* log = workable(*it++);
        if (log && (log->wants_direct() || log->has_doomed() || log->has_unfinished() ||
                    log->can_drop_first() || log->has_damage_unsaid()))
            return true;
    }
    return has_due() || most_unsaved();
}

bool StorageImpl::has_due() {
    const bool pressed = under_pressure();
    for (const auto& [file, slot] : dirty_logs_) {
        if (!pressed && file >= journal_.current_file()) return false;
        const PartitionLog* log = workable(slot);
        if (log && is_due(*log, pressed)) return true;
    }
    return false;
}

// Nothing while it is being removed or moved, or has failed.
PartitionLog* StorageImpl::workable(Slot slot) {
    const auto it = logs_.find(slot);
    const bool works = it != logs_.end() && !it->second->is_resting() && it->second->failure() == Error::none;
    return works ? it->second.get() : nullptr;
}

// Files that are needed no more were named in the journal, but that is not yet durable.
bool StorageImpl::freeing() const { return freed_put_ >= oldest_needed(); }

uint64_t StorageImpl::oldest_needed() const {
    const uint64_t current = journal_.current_file();
    for (const auto& [file, slot] : dirty_logs_)
        if (const auto it = logs_.find(slot); it != logs_.end() && !it->second->removing)
            return std::min(current, file);
    return current;
}

// Memory that only waits for being written out.
bool StorageImpl::under_pressure() const {
    const uint64_t tails_max = tail_bytes_max();
    return dirty_ > dirty_bytes_max() / 2 || (chunks_.bytes() > tails_max && dirty_ > tails_max / 2) ||
           (chunks_.bytes() > 2 * tails_max && dirty_ > 0) || (rests_ && dirty_ > rest_bytes_max());
}

bool StorageImpl::is_due(const PartitionLog& log, bool pressed) const {
    if (log.dirty_file() == 0) return false;
    return log.dirty_file() < journal_.current_file() || (pressed && log.dirty_bytes() > 0);
}

Task<Result<>> StorageImpl::write_out_one(Slot slot) {
    PartitionLog* log = workable(slot);
    if (!log) co_return Result<>{};
    co_return co_await log->write_out();
}

Task<Result<>> StorageImpl::write_out_old() {
    std::vector<Slot> due;
    const bool pressed = under_pressure();
    for (const auto& [file, slot] : dirty_logs_) {
        const PartitionLog* log = workable(slot);
        if (log && (is_due(*log, pressed) || log->has_unfinished())) due.push_back(slot);
    }
    for (size_t i = 0; i < due.size();) {
        std::vector<Task<Result<>>> tasks;
        for (size_t n = 0; n < together && i < due.size(); n++) tasks.push_back(write_out_one(due[i++]));
        const auto results = co_await gather(std::move(tasks));
        for (const Result<>& result : results)
            if (!result && failure_ == Error::none) co_return result;
        co_await descriptors_.trim();
    }
    trim_cache(rests_ ? tries_pressed : tries_usual);
    if (rests_) chunks_.trim();
    free_journal_files();
    notify_committed();
    co_return Result<>{};
}

void StorageImpl::free_journal_files() {
    const uint64_t oldest = oldest_needed();
    if (failure_ != Error::none || oldest <= freed_put_) return;
    freed_put_ = oldest;
    journal_.put_oldest(oldest);
    journal_.flush();
}

// Of those that are written straight to their segments, the one with most to read again after a crash: what
// the others have is bounded by the journal.
PartitionLog* StorageImpl::most_unsaved() {
    if (unsaved_ < config_.unsaved_bytes_max) return nullptr;
    const uint64_t least = config_.unsaved_bytes_max / checkpoint_share;
    PartitionLog* most = nullptr;
    for (const Slot slot : direct_logs_) {
        PartitionLog* log = workable(slot);
        if (!log || log->has_unfinished() || log->bytes_since_snapshot() < least) continue;
        if (!most || log->bytes_since_snapshot() > most->bytes_since_snapshot()) most = log;
    }
    return most;
}

Task<Result<>> StorageImpl::checkpoint_logs() {
    PartitionLog* log = most_unsaved();
    if (!log) co_return Result<>{};
    co_return co_await log->checkpoint();
}

Task<Result<>> StorageImpl::prepare_logs() {
    std::vector<Slot> wanting;
    for (const Slot slot : calling_)
        if (const PartitionLog* log = workable(slot); log && log->wants_direct()) wanting.push_back(slot);
    for (const Slot slot : wanting) {
        auto* log = static_cast<PartitionLog*>(find(slot));
        if (!log || log->is_resting()) continue;
        std::erase(direct_logs_, slot);
        direct_logs_.push_back(slot);
        if (direct_logs_.size() > std::max<size_t>(config_.descriptors_max / 2, 1)) {
            if (auto* longest = static_cast<PartitionLog*>(find(direct_logs_.front())))
                longest->release_direct();
            direct_logs_.erase(direct_logs_.begin());
        }
        auto prepared = co_await log->prepare_direct();
        if (!prepared) co_return prepared;
    }
    co_return Result<>{};
}

Task<Result<>> StorageImpl::say_damage() {
    for (const Slot slot : std::vector<Slot>(calling_.begin(), calling_.end())) {
        PartitionLog* log = workable(slot);
        if (!log || !log->has_damage_unsaid()) continue;
        auto said = co_await log->write_damage();
        if (!said) co_return said;
    }
    co_return Result<>{};
}

Task<Result<>> StorageImpl::remove_files() {
    std::vector<Slot> slots;
    for (const Slot slot : std::vector<Slot>(calling_.begin(), calling_.end())) {
        PartitionLog* log = workable(slot);
        if (log && log->can_drop_first()) log->drop_below_start();
        if (log && log->has_doomed()) slots.push_back(slot);
    }
    for (const Slot slot : slots) {
        auto* log = static_cast<PartitionLog*>(find(slot));
        if (!log || log->is_resting()) continue;
        auto removed = co_await log->remove_doomed();
        if (!removed) co_return removed;
    }
    while (!doomed_directories_.empty()) {
        const std::string path = doomed_directories_.back();  // More may come meanwhile.
        auto removed = co_await remove_tree(io_, path);
        if (!removed) co_return removed;
        std::erase(doomed_directories_, path);
    }
    co_return Result<>{};
}

}  // namespace millrace
