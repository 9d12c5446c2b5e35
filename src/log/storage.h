// A shard's storage: its logs by slot, the journal they share, memory and descriptor budgets, background
// work.
//
// What always holds: a log in `unstaged` has something for the journal; after the first failed write or flush
// nothing is written again. Owned by the shard.
#pragma once
#include <list>
#include <map>
#include <set>

#include "block_cache.h"
#include "cleaner.h"
#include "journal_reader.h"
#include "millrace/compression.h"
#include "partition_log.h"
#include "read_ahead.h"
#include "recycled.h"
#include "space.h"

namespace millrace {

// Indexes of finished segments, loaded when asked, the longest unused let go first.
class IndexCache {
 public:
    IndexCache(Io& io, uint64_t bytes_max) : io_(io), bytes_max_(bytes_max) {}

    // Valid until the next await. resource_not_found when a file is missing, corrupt_message when its `.sum`
    // says that one is not what was written.
    Task<Result<const SegmentIndex*>> get(FileKey key, std::string path_prefix, uint64_t segment_size);
    void put(FileKey key, SegmentIndex index);
    void forget(FileKey key);
    void limit(uint64_t bytes_max) { bytes_max_ = bytes_max, make_room(); }

 private:
    void make_room();
    struct Entry {
        FileKey key;
        SegmentIndex index;
    };
    Io& io_;
    uint64_t bytes_max_;
    uint64_t bytes_ = 0;
    std::list<Entry> entries_;  // Last used first.
    std::map<FileKey, std::list<Entry>::iterator> places_;
};

// When what was appended goes to the journal: at the end of the turn, or a little later, and then flushed at
// once or like everything that nobody waits for.
enum class Haste : uint8_t { at_once, lazily_durable, lazily };

class StorageImpl final : public Storage, JournalOwner, Letter {
 public:
    StorageImpl(Io& io, StorageConfig config, RecoveredJournals recovered);
    ~StorageImpl() override;

    Task<Result<Log*>> load(LogSpec spec) override;
    Task<Result<Log*>> take_over(LogSpec spec, LogState state) override;
    Task<Result<>> finish_recovery() override;
    Task<Result<>> start() override;
    Task<Result<>> forget_past() override;
    Task<> run() override;
    Task<Result<>> remove(Slot slot) override;
    Task<Result<>> prepare_leave(Slot slot) override;
    Task<Result<LogState>> leave(Slot slot, uint64_t generation) override;
    Task<Result<>> arrived(Slot slot) override;
    void forget_left(Slot slot) override { left_.erase(slot); }
    void end_waits() override { waits_ended_ = true, committed_.notify_all(); }
    Task<Result<>> close() override;
    Log* find(Slot slot) override;
    std::vector<Log*> logs() override;
    Error failure() const override { return failure_; }
    bool was_clean() const override { return recovered_.was_clean; }
    const StorageStats& stats() const override;
    bool has_room() const override;
    // Also on a full disk: what the journal can take.
    bool has_room_in_reserve() const;
    // How far ahead of what is written a file may grow.
    uint64_t limit_ahead(uint64_t bytes) const { return space_.limit_ahead(bytes); }
    void want_room() override { wake(); }
    void set_room_listener(RoomListener* listener) override { room_listener_ = listener; }
    bool is_low_on_space() const override { return space_.is_low(); }
    Task<bool> has_space_for(uint64_t bytes) override;
    void set_cleaner(const CleanerConfig& config) override { cleaner_.set_config(config); }
    void set_pressure(MemoryPressure pressure) override;
    void trim() override;

    // ---- For its logs.
    Io& io() { return io_; }
    const StorageConfig& config() const { return config_; }
    Journal& journal() { return journal_; }
    Chunks& chunks() { return chunks_; }
    Descriptors& descriptors() { return descriptors_; }
    RecycledFiles& recycled() { return recycled_; }
    // Dropped segments' files, for new ones.
    bool keeps_files() const { return !full_ && !space_.is_low() && !closing_; }
    IndexCache& indexes() { return indexes_; }
    BlockCache& blocks() { return blocks_; }
    ReadAhead& read_ahead() { return read_ahead_; }
    // Caches that know the file's content forget it; it goes, or is another from now on.
    void forget_file(FileKey key) {
        descriptors_.forget(key), indexes_.forget(key), blocks_.forget(key), read_ahead_.forget(key);
    }
    Decompressor& decompressor() { return decompressor_; }
    bool is_full() const { return full_; }
    const std::map<Slot, std::unique_ptr<PartitionLog>>& all_logs() const { return logs_; }
    // Resumes when files have been replaced, or on failure.
    Signal& replaced_files() { return replaced_files_; }
    StorageStats& counters() { return stats_; }
    uint64_t batch_bytes_max(const LogConfig& config) const {
        return std::min<uint64_t>(config.segment_bytes, config_.journal_file_bytes / 4);
    }
    bool is_started() const { return started_; }
    bool waits_ended() const { return waits_ended_; }
    void add_unstaged(PartitionLog& log, Haste haste);
    Haste haste_for(int64_t flush_ms) const;
    // At the end of the turn its listener hears of what was appended.
    void tell_soon(PartitionLog& log);
    void add_appended(size_t bytes) {
        dirty_ += bytes, unstaged_bytes_ += bytes, rests_ = false;
        if (space_.note_appended(bytes)) wake();
    }
    void sub_unstaged(size_t bytes) { unstaged_bytes_ -= bytes; }
    void sub_dirty(uint64_t bytes) { dirty_ -= bytes; }
    static constexpr int tries_usual = 64, tries_pressed = 100'000;
    void trim_cache(int tries_max = tries_usual);
    // For an append of so many bytes; caches give theirs where there is none. False: there is still none.
    bool has_memory_for(size_t size);
    void wake() { wake_.notify_all(); }
    // The log has something for the background, see PartitionLog::calls.
    void call(const PartitionLog& log) { calling_.insert(log.spec().slot), wake(); }
    // Which journal file a log needs; 0: none.
    void move_dirty(Slot slot, uint64_t from, uint64_t to);
    // Bytes that a recovery would read again, as no snapshot covers them.
    void add_unsaved(uint64_t bytes) { unsaved_ += bytes; }
    void sub_unsaved(uint64_t bytes) { unsaved_ -= bytes; }
    void wake_scrub() { scrub_wake_.notify_all(); }
    bool is_ending() const { return closing_ || failure_ != Error::none; }
    Task<> pace_scrub(uint64_t began_ns);
    // Somebody waits for the flush: of what is written now, and of what follows for a while.
    void want_durable();
    void fail(std::string_view what);
    // What outside is told. disk_full is no failure, and said once a minute; everything else is.
    Result<> judge(std::string_view what, Result<> result);
    void say_full(std::string_view effect);
    // Resumes after the next commit, or failure.
    Signal& committed() { return committed_; }
    void notify_committed();
    void add_doomed_directory(std::string path) { doomed_directories_.push_back(std::move(path)); }

 private:
    friend class Recovery;

    void deliver() override;  // The letter to self at the end of a turn with appends.
    void pump();
    void put_states() override;
    bool wants_durable() override;
    void on_written(std::vector<CommitMark>& marks) override;
    void on_committed(std::vector<CommitMark>& marks) override;
    void on_journal_failed(int32_t outcome) override;
    void on_landed() override {
        if (closing_ || failure_ != Error::none) wake_.notify_all(), landed_.notify_all();
    }
    void on_journal_file() override { wake(); }

    struct FlushTimer final : Op {
        explicit FlushTimer(StorageImpl& storage) : Op(Kind::sleep), storage(storage) {}
        void done(Outcome) override { storage.journal_.sync(), storage.landed_.notify_all(); }
        StorageImpl& storage;
    };
    struct LazyTimer final : Op {
        explicit LazyTimer(StorageImpl& storage) : Op(Kind::sleep), storage(storage) {}
        void done(Outcome) override { storage.commit_lazy(), storage.landed_.notify_all(); }
        StorageImpl& storage;
    };
    // When nothing follows a commit, see Journal::wants_watermark.
    struct IdleTimer final : Op {
        explicit IdleTimer(StorageImpl& storage) : Op(Kind::sleep), storage(storage) {}
        void done(Outcome) override { storage.on_idle_timer(), storage.landed_.notify_all(); }
        StorageImpl& storage;
    };
    // While records are refused for want of space, it looks again every second.
    struct SpaceTimer final : Op {
        explicit SpaceTimer(StorageImpl& storage) : Op(Kind::sleep), storage(storage) {}
        void done(Outcome) override {
            storage.space_.ask_again(), storage.wake(), storage.landed_.notify_all();
        }
        StorageImpl& storage;
    };
    void post_turn_end();
    void commit_lazy();
    void await_idle();
    void on_idle_timer();
    Task<> until_committed();
    void tell_progress();

    Task<Result<>> remove_leftovers();
    Task<Result<>> remove_vanished_journals();
    Task<Result<>> close_logs();
    Task<Result<bool>> finish_logs();
    void forget(PartitionLog& log);
    uint64_t states_size() const { return 8 * (logs_.size() + 1) * (sizeof(Entry) + sizeof(StatePayload)); }

    Task<Result<Log*>> load_known(LogSpec spec, std::optional<RecoveredLog> known);

    // moving.cc
    struct Left {
        LogState state;
        uint64_t generation = 0;
    };
    Task<Result<>> come_to_rest(PartitionLog& log);
    Task<Result<>> reserve_left();
    void put_left(Slot slot, const Left& left);
    // scrub.cc
    Task<> scrub();

    // maintenance.cc
    Task<> maintain();
    Task<Result<>> work();
    Task<> look_at_space();
    Task<bool> is_room_back();
    bool has_work();
    bool has_due();
    PartitionLog* workable(Slot slot);
    PartitionLog* most_unsaved();
    Task<Result<>> checkpoint_logs();
    bool freeing() const;
    bool under_pressure() const;
    uint64_t tail_bytes_max() const;
    uint64_t dirty_bytes_max() const;
    bool has_tails_to_drop() const;
    // Left where it is while nobody comes.
    uint64_t rest_bytes_max() const { return config_.dirty_bytes_max / 16; }
    bool is_due(const PartitionLog& log, bool pressed) const;
    uint64_t oldest_needed() const;
    Task<Result<>> write_out_one(Slot slot);
    Task<Result<>> write_out_old();
    Task<Result<>> prepare_logs();
    Task<Result<>> remove_files();
    Task<Result<>> say_damage();
    void free_journal_files();

    Io& io_;
    const StorageConfig config_;
    RecoveredJournals recovered_;
    Chunks chunks_;
    Descriptors descriptors_;
    RecycledFiles recycled_;
    IndexCache indexes_;
    DeviceUse own_device_;
    DeviceUse& device_;
    BlockCache blocks_;
    ReadAhead read_ahead_{blocks_};
    Decompressor decompressor_;
    Journal journal_;
    SpaceWatch space_;
    Cleaner cleaner_{*this};
    std::map<Slot, std::unique_ptr<PartitionLog>> logs_;
    mutable StorageStats stats_;
    uint64_t dirty_ = 0, unstaged_bytes_ = 0, unsaved_ = 0;
    std::set<std::pair<uint64_t, Slot>> dirty_logs_;  // By the oldest journal file that each needs.
    std::set<Slot> calling_;                          // May have work for the background.
    PartitionLog* unstaged_first_ = nullptr;
    PartitionLog* unstaged_last_ = nullptr;
    std::map<Slot, Left> left_;         // For other shards, whose journals may not name them yet.
    std::vector<Slot> removed_unsaid_;  // Their `removed` entries are not staged yet.
    std::vector<std::string> doomed_directories_;
    std::vector<PartitionLog*> progressed_, told_;  // Two, so that neither gives its memory up.
    std::vector<Slot> direct_logs_;                 // With a file held open, longest first.
    uint64_t freed_put_ = 0;                        // All journal files before it were put as free.
    Signal wake_, committed_, landed_, scrub_wake_, replaced_files_;
    FlushTimer flush_timer_{*this};
    LazyTimer lazy_timer_{*this};
    IdleTimer idle_timer_{*this};
    SpaceTimer space_timer_{*this};
    std::vector<PartitionLog*> told_soon_, telling_;
    uint64_t idle_since_ns_ = 0;     // All that was put is durable since then.
    uint64_t durable_until_ns_ = 0;  // Till then commits are durable as they are written.
    RoomListener* room_listener_ = nullptr;
    Error failure_ = Error::none;
    MemoryPressure pressure_ = MemoryPressure::none;
    bool posted_ = false, started_ = false, closing_ = false, running_ = false, full_ = false;
    bool waits_ended_ = false;
    bool commit_due_ = false;  // What is unstaged goes to the journal as soon as there is a place.
    bool low_said_ = false;
    bool rests_ = false;         // Nobody has come for a while: what is in memory may as well be written out.
    bool lazy_durable_ = false;  // Some of it is to be flushed when its time has come.
    uint64_t full_said_ns_ = 0;
    uint32_t loading_ = 0;
};

}  // namespace millrace
