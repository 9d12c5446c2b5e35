// A shard's storage: opening, loading, committing, removing, closing.
#include "storage.h"

#include <bit>

#include "recovery.h"

namespace millrace {

namespace {

constexpr uint64_t full_silence_ns = 60'000'000'000;

bool is_sane(const StorageConfig& config) {
    constexpr uint64_t journal_file_min = 128 << 10;
    return !config.directory.empty() && config.journal_files >= 2 && config.commits_in_flight >= 1 &&
           config.journal_file_bytes >= journal_file_min && config.journal_file_bytes % block_size == 0;
}

// A small disk gets a small ring: a quarter of it at most for the journals of all shards, where that holds
// batches of 2 MiB.
Task<StorageConfig> fit_to_disk(Io& io, StorageConfig config) {
    constexpr uint64_t file_bytes_min = 8 << 20;
    DiskSpace space;
    const int32_t outcome =
        co_await Once{io, Op::Kind::disk_space, {.path = config.directory.c_str(), .space = &space}};
    if (outcome < 0) co_return config;
    const uint64_t share = space.total / 4 / io.shard_count();
    const uint64_t fitting = std::max(std::bit_floor(share / config.journal_files), file_bytes_min);
    config.journal_file_bytes = std::min(config.journal_file_bytes, fitting);
    if (config.journal_file_bytes == file_bytes_min && config.journal_files * file_bytes_min > share)
        config.journal_files = 2;
    co_return config;
}

// As much as the journal may have, in files of which a few make a difference.
RecycledFiles::Limits recycled_limits(const StorageConfig& config) {
    const uint64_t bytes = 4 * config.journal_file_bytes;
    return {.files = 4, .bytes = bytes, .least = bytes / 256};
}

}  // namespace

Task<Result<std::unique_ptr<Storage>>> Storage::open(Io& io, StorageConfig config,
                                                     std::optional<Homes> homes) {
    if (!homes) homes = Homes{.shards = io.shard_count()};
    if (!is_sane(config)) co_return Error::invalid_config;
    const std::string journals = config.directory + "/journal";
    auto made = co_await make_root(io, config.directory);
    if (made) made = co_await make_directory(io, journals);
    if (made) made = co_await make_directory(io, journal_directory(config.directory, io.shard().value));
    if (made) made = co_await sync_directory(io, journals);
    if (made) made = co_await sync_directory(io, config.directory);
    if (!made) co_return told_outside(made.error());
    config = co_await fit_to_disk(io, std::move(config));
    auto recovered = co_await read_journals(io, config.directory, std::move(*homes));
    if (!recovered) co_return recovered.error();
    if (recovered->homes_disagree) co_return Error::not_leader_or_follower;
    if (recovered->damaged_entries > 0)
        io.log().error("log", "journal entries that were durable cannot be read",
                       {{"entries", recovered->damaged_entries}});
    std::unique_ptr<Storage> storage =
        std::make_unique<StorageImpl>(io, std::move(config), std::move(*recovered));
    co_return std::move(storage);
}

StorageImpl::StorageImpl(Io& io, StorageConfig config, RecoveredJournals recovered)
    : io_(io),
      config_(std::move(config)),
      recovered_(std::move(recovered)),
      chunks_(io_, config_.tail_cache_bytes),
      descriptors_(io, config_.descriptors_max),
      recycled_(io, config_.directory, recycled_limits(config_)),
      indexes_(io, config_.index_cache_bytes),
      device_(config_.device ? *config_.device : own_device_),
      blocks_(io, descriptors_, stats_, config_, device_),
      journal_(io, *this,
               {.directory = journal_directory(config_.directory, io.shard().value),
                .files = config_.journal_files,
                .file_bytes = config_.journal_file_bytes,
                .commits_in_flight = config_.commits_in_flight}),
      space_(io, config_.directory, config_.reserve_bytes) {
    stats_.damaged_entries = recovered_.damaged_entries;
}

StorageImpl::~StorageImpl() {
    for (auto& [slot, log] : logs_) log->drop_chunks();
}

// ---- Starting ------------------------------------------------------------------------------------------

Task<Result<Log*>> StorageImpl::load(LogSpec spec) {
    std::optional<RecoveredLog> known;
    if (const auto it = recovered_.logs.find(spec.slot); it != recovered_.logs.end()) {
        known = std::move(it->second);
        recovered_.logs.erase(it);
    } else if (recovered_.lost_unspoken > 0 && !started_) {
        known = RecoveredLog{.no_place = true, .lost_after = recovered_.lost_unspoken};
    }
    co_return co_await load_known(std::move(spec), std::move(known));
}

Task<Result<Log*>> StorageImpl::load_known(LogSpec spec, std::optional<RecoveredLog> known) {
    const Slot slot = spec.slot;
    ASSERT(!logs_.contains(slot));
    if (failure_ != Error::none) co_return failure_;
    std::string directory = partition_directory(config_.directory, spec.topic, spec.partition);
    auto log = std::make_unique<PartitionLog>(*this, std::move(spec), std::move(directory));
    loading_++;
    Recovery recovery{*this, *log, std::move(known)};
    auto result = co_await recovery.run();
    loading_--;
    result = judge("loading a partition failed", result);
    if (!result) log->forget_unsaved();
    if (!result) co_return result.error();
    PartitionLog* loaded = log.get();
    ASSERT(!logs_.contains(slot));
    logs_.emplace(slot, std::move(log));
    if (loaded->calls()) call(*loaded);
    if (started_ && loaded->failure() == Error::none && loaded->has_unstaged())
        add_unstaged(*loaded, Haste::at_once);
    co_await descriptors_.trim();
    co_return loaded;
}

Task<Result<>> StorageImpl::finish_recovery() {
    if (failure_ != Error::none) co_return failure_;
    ASSERT(loading_ == 0);
    // Deleted just before the end. If it is the metadata that is wrong, its directory is a stray, and said.
    for (const auto& [slot, log] : recovered_.logs)
        if (!log.removed && !log.left)
            io_.log().info("log", "the journal speaks of a partition that is no more",
                           {{"slot", slot}, {"pieces", log.pieces.size()}});
    recovered_.logs.clear();
    co_return Result<>{};
}

// What earlier lives journalled is in the segments: a new chain begins, which needs nothing of theirs.
Task<Result<>> StorageImpl::start() {
    if (failure_ != Error::none) co_return failure_;
    ASSERT(!started_ && recovered_.logs.empty());
    constexpr uint64_t sequence_gap = 1 << 20;  // Above whatever was put but never read.
    auto opened = co_await journal_.open({.incarnation = recovered_.incarnation_max + 1,
                                          .sequence = recovered_.sequence_max + sequence_gap,
                                          .file = recovered_.file_max + 1,
                                          .names = recovered_.own_files});
    opened = judge("the journal cannot be made", opened);
    if (!opened) co_return opened;
    auto looking = look_at_space();
    co_await looking;
    started_ = true;
    const bool begun = journal_.switch_file();
    ASSERT(begun);
    journal_.flush();
    co_await until_committed();
    co_return failure_;
}

Task<Result<>> StorageImpl::forget_past() {
    if (failure_ != Error::none) co_return failure_;
    ASSERT(started_ && !running_);
    co_return judge("what the last life left cannot be removed", co_await remove_leftovers());
}

Task<Result<>> StorageImpl::remove_leftovers() {
    const std::string own = journal_directory(config_.directory, io_.shard().value);
    for (const uint32_t name : recovered_.own_files) {
        const auto removed = co_await remove_file(io_, own + "/" + std::to_string(name));
        if (!removed) co_return removed;
    }
    // No power cut brings them back: homes have changed by then, and what they say of them is old.
    if (!std::exchange(recovered_.own_files, {}).empty()) {
        const auto synced = co_await sync_directory(io_, own);
        if (!synced) co_return synced;
    }
    const auto cleared = co_await recycled_.remove_leftovers();
    if (!cleared) co_return cleared;
    if (io_.shard().value != 0) co_return Result<>{};
    const auto removed = co_await remove_vanished_journals();
    if (!removed) co_return removed;
    const std::string recycled = config_.directory + "/recycled";
    const auto shards = co_await list_directory(io_, recycled);
    if (!shards) co_return shards.error();
    for (const std::string& name : *shards)
        if (std::strtoul(name.c_str(), nullptr, 10) >= io_.shard_count())
            doomed_directories_.push_back(recycled + "/" + name);
    for (const std::string& directory : {config_.directory, config_.directory + "/journal"}) {
        const auto names = co_await list_directory(io_, directory);
        if (!names) co_return names.error();
        for (const std::string& name : *names)  // Also deletions that the last life began.
            if (name.ends_with("-delete")) doomed_directories_.push_back(directory + "/" + name);
    }
    co_return Result<>{};
}

// As a whole, by a name that no recovery reads: a journal that has lost files looks damaged.
Task<Result<>> StorageImpl::remove_vanished_journals() {
    Result<> result;
    for (const uint16_t shard : std::exchange(recovered_.shards, {})) {
        if (shard < io_.shard_count()) continue;
        const std::string from = journal_directory(config_.directory, shard), to = from + "-delete";
        result = co_await remove_tree(io_, to);
        if (result) result = co_await rename_file(io_, from, to);
        if (!result) co_return result;
    }
    co_return co_await sync_directory(io_, config_.directory + "/journal");
}

// ---- Failing, and room ----------------------------------------------------------------------------------

Result<> StorageImpl::judge(std::string_view what, Result<> result) {
    if (result) return result;
    if (result.error() == disk_full)
        say_full(what);
    else
        fail(what);
    return told_outside(result.error());
}

void StorageImpl::say_full(std::string_view effect) {
    if (full_said_ns_ != 0 && io_.now_ns() < full_said_ns_ + full_silence_ns) return;
    full_said_ns_ = io_.now_ns();
    io_.log().error("log", "the disk is full", {{"effect", effect}, {"directory", config_.directory}});
}

// Nothing is tried again: what the device has of the last writes is not known.
void StorageImpl::fail(std::string_view what) {
    if (failure_ != Error::none) return;
    failure_ = Error::kafka_storage_error;
    io_.log().error("log", "the data directory is offline",
                    {{"why", what}, {"directory", config_.directory}});
    std::vector<PartitionLog*> all;
    for (const auto& [slot, log] : logs_) all.push_back(log.get());
    for (PartitionLog* log : all) log->fail(failure_);
    notify_committed();
    wake_.notify_all();
    wake_scrub();
    replaced_files_.notify_all();
    cleaner_.stop();
}

bool StorageImpl::has_room() const { return !full_ && has_room_in_reserve(); }

bool StorageImpl::has_room_in_reserve() const {
    return started_ && failure_ == Error::none && !closing_ && dirty_ < dirty_bytes_max() &&
           unstaged_bytes_ < config_.journal_file_bytes / 8;
}

void StorageImpl::notify_committed() {
    committed_.notify_all();
    if (room_listener_ && (has_room() || failure_ != Error::none)) room_listener_->on_room();
}

// ---- Memory --------------------------------------------------------------------------------------------

uint64_t StorageImpl::tail_bytes_max() const {
    return pressure_ == MemoryPressure::none ? config_.tail_cache_bytes : config_.tail_cache_bytes / 8;
}

uint64_t StorageImpl::dirty_bytes_max() const {
    return pressure_ == MemoryPressure::scarce ? config_.dirty_bytes_max / 4 : config_.dirty_bytes_max;
}

// Slabs count whole as long as that leaves half of the budget for bytes: what is left of old ones is not to
// empty the cache.
bool StorageImpl::has_tails_to_drop() const {
    const uint64_t most = tail_bytes_max();
    return chunks_.bytes() > most || (chunks_.used_bytes() > most / 4 * 5 && chunks_.bytes() > most / 2);
}

void StorageImpl::trim_cache(int tries_max) {
    for (int tries = 0; chunks_.oldest() && has_tails_to_drop() && tries < tries_max; tries++) {
        // The first of its log, which it may not be itself: those that were put last are out of order.
        Chunk* chunk = chunks_.oldest();
        // One that waits for being written out would hide the others.
        if (!chunk->log->drop_oldest_chunk()) chunks_.put_last(chunk);
    }
    if (under_pressure() || unsaved_ >= config_.unsaved_bytes_max) wake();
}

void StorageImpl::set_pressure(MemoryPressure pressure) {
    const bool rose = pressure_ < pressure;
    pressure_ = pressure;
    blocks_.limit(pressure == MemoryPressure::none ? config_.block_cache_bytes
                                                   : config_.block_cache_bytes / 8);
    indexes_.limit(pressure == MemoryPressure::none ? config_.index_cache_bytes
                                                    : config_.index_cache_bytes / 8);
    if (pressure == MemoryPressure::none) return notify_committed();
    trim_cache(tries_pressed);
    chunks_.trim();
    blocks_.trim();
    if (rose) wake();
}

void StorageImpl::trim() {
    chunks_.trim();
    blocks_.trim();
    rests_ = true;
    if (under_pressure()) wake();
}

bool StorageImpl::has_memory_for(size_t size) {
    if (chunks_.prepare(size)) return true;
    blocks_.shrink(0);
    chunks_.trim();
    return chunks_.prepare(size);
}

// ---- Logs ----------------------------------------------------------------------------------------------

Log* StorageImpl::find(Slot slot) {
    const auto it = logs_.find(slot);
    return it == logs_.end() || it->second->removing ? nullptr : it->second.get();
}

std::vector<Log*> StorageImpl::logs() {
    std::vector<Log*> all;
    for (const auto& [slot, log] : logs_)
        if (!log->removing) all.push_back(log.get());
    return all;
}

const StorageStats& StorageImpl::stats() const {
    stats_.commits = journal_.commits(), stats_.journal_bytes = journal_.bytes_written();
    stats_.direct_bytes = journal_.direct_bytes();
    stats_.cached_bytes = chunks_.bytes(), stats_.dirty_bytes = dirty_;
    stats_.disk_available = space_.available(), stats_.disk_reserve = space_.reserve();
    stats_.block_cache_bytes = blocks_.bytes();
    stats_.damaged_ranges = 0;
    for (const auto& [slot, log] : logs_) stats_.damaged_ranges += log->damage().ranges().size();
    stats_.cleaner_map_bytes = cleaner_.map_bytes();
    stats_.descriptors = static_cast<uint32_t>(descriptors_.size());
    return stats_;
}

Task<Result<>> StorageImpl::remove(Slot slot) {
    PartitionLog* log = static_cast<PartitionLog*>(find(slot));
    if (!log) co_return Result<>{};
    if (failure_ != Error::none) co_return failure_;
    log->removing = true;
    log->set_listener(nullptr);
    log->fail(Error::unknown_topic_or_partition);
    const std::string from = log->directory(), to = from + "." + std::to_string(slot.value) + "-delete";
    while (log->busy() && failure_ == Error::none) co_await wake_;
    if (failure_ != Error::none) co_return failure_;
    auto result = co_await rename_file(io_, from, to);
    if (result) result = co_await sync_directory(io_, config_.directory);
    result = judge("a partition cannot be removed", result);
    if (!result) co_return result;
    while (log->busy() && failure_ == Error::none) co_await wake_;
    if (failure_ != Error::none) co_return failure_;
    forget(*log);
    doomed_directories_.push_back(to);
    removed_unsaid_.push_back(slot);
    post_turn_end();
    wake();
    co_return Result<>{};
}

// Takes the log out of everything that points to it.
void StorageImpl::forget(PartitionLog& log) {
    PartitionLog** link = &unstaged_first_;
    PartitionLog* before = nullptr;
    for (; *link && *link != &log; link = &(*link)->next_unstaged) before = *link;
    if (*link) {
        *link = log.next_unstaged;
        if (unstaged_last_ == &log) unstaged_last_ = before;
    }
    std::erase(told_soon_, &log);
    journal_.forget(log);
    log.leave();
    const Slot slot = log.spec().slot;
    calling_.erase(slot);
    logs_.erase(slot);
}

Task<Result<>> StorageImpl::close() {
    closing_ = true;
    ASSERT(loading_ == 0);
    wake(), wake_scrub();
    cleaner_.stop();
    committed_.notify_all();
    while (running_) co_await landed_;
    Result<> result = failure_;
    if (started_ && result) result = judge("closing failed", co_await close_logs());
    const std::array<Op*, 4> timers{&flush_timer_, &lazy_timer_, &idle_timer_, &space_timer_};
    for (Op* timer : timers)
        if (timer->under_way) io_.cancel(*timer);
    const auto is_under_way = [](const Op* timer) { return timer->under_way; };
    while (journal_.in_flight() || std::ranges::any_of(timers, is_under_way)) co_await landed_;
    co_await blocks_.close();
    for (auto& [slot, log] : logs_) log->release_files();
    co_await descriptors_.close_all();
    co_await journal_.close_files();
    started_ = false;
    if (failure_ == Error::none) failure_ = Error::kafka_storage_error;
    co_return result;
}

Task<Result<>> StorageImpl::close_logs() {
    commit_due_ = true;
    pump();
    journal_.sync();
    while ((unstaged_first_ || !journal_.idle()) && failure_ == Error::none) {
        if (journal_.stalled()) {
            auto freed = co_await write_out_old();
            if (!freed) co_return freed;
            // Nothing will be free: what is unstaged needs another file.
            if (journal_.idle() && journal_.wants_file()) {
                const auto prepared = co_await journal_.prepare_file(states_size());
                if (!prepared) co_return prepared;
            }
        }
        pump();
        if (unstaged_first_ || !journal_.idle()) co_await committed_;
    }
    const auto all = co_await finish_logs();
    if (!all) co_return all.error();
    if (!*all) co_return failure_;
    auto removed = co_await remove_files();
    if (!removed) co_return removed;
    if (!journal_.has_free_file()) {
        auto prepared = co_await journal_.prepare_file(states_size());
        if (!prepared) co_return prepared;
    }
    const bool begun = journal_.switch_file();
    ASSERT(begun);
    journal_.put_oldest(journal_.current_file());
    journal_.flush();
    co_await until_committed();
    if (failure_ != Error::none) co_return failure_;
    journal_.put({.kind = EntryKind::clean});  // Its watermark speaks for all before it.
    journal_.flush();
    co_await until_committed();
    co_return failure_;
}

// Many at a time: their flushes share what the file system writes for each. False: the time was over; the
// journal has what is left, as after a kill.
Task<Result<bool>> StorageImpl::finish_logs() {
    constexpr size_t at_once = 32;
    const uint64_t deadline_ns = io_.now_ns() + config_.closing_ns_max;
    std::vector<PartitionLog*> open;
    for (auto& [slot, log] : logs_)
        if (log->failure() == Error::none) open.push_back(log.get());
    for (size_t done = 0; done < open.size();) {
        if (failure_ != Error::none) co_return failure_;
        if (io_.now_ns() >= deadline_ns) {
            io_.log().info("log", "closed before all logs were written out: the journal has the rest",
                           {{"left", static_cast<int64_t>(open.size() - done)},
                            {"of", static_cast<int64_t>(open.size())}});
            co_return false;
        }
        std::vector<Task<Result<>>> tasks;
        for (size_t n = 0; n < at_once && done < open.size(); n++)
            tasks.push_back(open[done++]->write_final());
        const auto results = co_await gather(std::move(tasks));
        for (const Result<>& result : results)
            if (!result) co_return result.error();
        co_await descriptors_.trim();
    }
    co_return true;
}

Task<> StorageImpl::until_committed() {
    while (!journal_.idle() && failure_ == Error::none) co_await committed_;
}

}  // namespace millrace
