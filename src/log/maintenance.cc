// The background of a storage: writes out what old journal files still hold, frees them, prepares files for
// direct writes, deletes what was dropped. One loop; it sleeps while there is nothing to do.
#include "storage.h"

namespace millrace {

namespace {

constexpr size_t together = 8;  // Logs written out at a time.
constexpr uint64_t full_pause_ns = 1'000'000'000;

}  // namespace

Task<> StorageImpl::run() {
    ASSERT(started_ && !running_);
    running_ = true;
    while (!closing_ && failure_ == Error::none) {
        if (!has_work()) {
            co_await wake_;
            continue;
        }
        auto result = co_await work();
        if (!result && result.error() == disk_full) {
            if (!full_) io_.log().error("log", "the disk is full: appends are refused until there is room");
            full_ = true;
            co_await sleep_for(io_, full_pause_ns);
            continue;
        }
        if (result && full_) {
            full_ = false;
            io_.log().info("log", "the disk has room again");
            notify_committed();
        }
        if (!result) fail("background work on the disk failed");
    }
    running_ = false;
    landed_.notify_all();
}

// Deleting comes first: on a full disk it is what makes the rest possible.
Task<Result<>> StorageImpl::work() {
    auto result = co_await remove_files();
    if (result && journal_.wants_file()) {
        result = co_await journal_.prepare_file(states_size());
        if (result) pump();
    }
    if (result) result = co_await prepare_logs();
    if (result) result = co_await write_out_old();
    if (result) co_await descriptors_.trim();
    co_return result;
}

bool StorageImpl::has_work() const {
    if (full_ || journal_.wants_file() || !doomed_directories_.empty() || descriptors_.wants_trim())
        return true;
    if (journal_.oldest_file() < oldest_needed() && !freeing()) return true;
    const bool pressed = under_pressure();
    for (const auto& [slot, log] : logs_) {
        if (log->is_resting() || log->failure() != Error::none) continue;
        if (log->wants_direct() || log->has_doomed() || log->has_unfinished()) return true;
        if (log->can_drop_first()) return true;
        if (is_due(*log, pressed)) return true;
    }
    return false;
}

// Files that are needed no more were named in the journal, but that is not yet durable.
bool StorageImpl::freeing() const { return freed_put_ >= oldest_needed(); }

uint64_t StorageImpl::oldest_needed() const {
    uint64_t oldest = journal_.current_file();
    for (const auto& [slot, log] : logs_)
        if (log->dirty_file() != 0 && !log->removing) oldest = std::min(oldest, log->dirty_file());
    return oldest;
}

// Memory that only waits for being written out.
bool StorageImpl::under_pressure() const {
    return dirty_ > config_.dirty_bytes_max / 2 ||
           (chunks_.bytes() > config_.tail_cache_bytes && dirty_ > config_.tail_cache_bytes / 2);
}

bool StorageImpl::is_due(const PartitionLog& log, bool pressed) const {
    if (log.dirty_file() == 0) return false;
    return log.dirty_file() < journal_.current_file() || (pressed && log.dirty_bytes() > 0);
}

Task<Result<>> StorageImpl::write_out_one(Slot slot) {
    const auto it = logs_.find(slot);
    if (it == logs_.end() || it->second->is_resting() || it->second->failure() != Error::none)
        co_return Result<>{};
    co_return co_await it->second->write_out();
}

Task<Result<>> StorageImpl::write_out_old() {
    std::vector<Slot> due;
    const bool pressed = under_pressure();
    for (const auto& [slot, log] : logs_)
        if (!log->is_resting() && log->failure() == Error::none &&
            (is_due(*log, pressed) || log->has_unfinished()))
            due.push_back(slot);
    for (size_t i = 0; i < due.size();) {
        std::vector<Task<Result<>>> tasks;
        for (size_t n = 0; n < together && i < due.size(); n++) tasks.push_back(write_out_one(due[i++]));
        const auto results = co_await gather(std::move(tasks));
        for (const Result<>& result : results)
            if (!result && failure_ == Error::none) co_return result;
        co_await descriptors_.trim();
    }
    trim_cache();
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

Task<Result<>> StorageImpl::prepare_logs() {
    std::vector<Slot> wanting;
    for (const auto& [slot, log] : logs_)
        if (!log->is_resting() && log->failure() == Error::none && log->wants_direct())
            wanting.push_back(slot);
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

Task<Result<>> StorageImpl::remove_files() {
    std::vector<Slot> slots;
    for (const auto& [slot, log] : logs_) {
        if (log->is_resting() || log->failure() != Error::none) continue;
        if (log->can_drop_first()) log->drop_below_start();
        if (log->has_doomed()) slots.push_back(slot);
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
