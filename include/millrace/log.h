// The log: partitions on disk and in memory, made durable by one journal per shard.
//
// A Storage belongs to one shard: its journal, the logs of its slots, its memory and descriptor budgets.
// What always holds: durable() <= written() <= end(), log_start() <= safe() <= end(); bytes below durable()
// survive a power cut, bytes below written() a killed process; an offset below written() never names other
// bytes later. A write or flush that fails or falls short takes the whole Storage offline for the life of the
// process.
#pragma once
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/device_use.h"
#include "millrace/homes.h"
#include "millrace/io.h"

namespace millrace {

// ---- Who this directory belongs to ----------------------------------------------------------------------

struct NodeIdentity {
    NodeId node{-1};
    Uuid directory_id;
    std::string cluster_id;  // At most 255 bytes.
};

// node.meta: two checksummed copies, of which one suffices. Nothing when the directory has none (it is new,
// never the old one come back); kafka_storage_error when both copies are bad or the directory is unreadable.
Task<Result<std::optional<NodeIdentity>>> read_identity(Io& io, std::string directory);
// Makes the directory if it is missing; durable when it returns. kafka_storage_error, also when
// the disk is full; invalid_request when the cluster id is too long.
Task<Result<>> write_identity(Io& io, std::string directory, NodeIdentity identity);

// ---- Settings -------------------------------------------------------------------------------------------

// Kafka's topic configs, in their units; -1 = no limit where Kafka says so.
struct LogConfig {
    int64_t retention_ms = 604'800'000;
    int64_t retention_bytes = -1;
    uint64_t segment_bytes = 1 << 30;
    int64_t segment_ms = 604'800'000;
    int64_t segment_jitter_ms = 0;
    uint32_t segment_index_bytes = 10 << 20;
    uint32_t index_interval_bytes = 4096;
    bool deletes = true;    // cleanup.policy has "delete": retention by time and size applies.
    bool compacts = false;  // It has "compact": of each key the newest record stays.
    int64_t delete_retention_ms = 86'400'000;   // Tombstones stay so long after the first cleaning.
    double min_cleanable_dirty_ratio = 0.5;     // Cleaned when a larger share of its bytes is dirty ...
    int64_t max_compaction_lag_ms = INT64_MAX;  // ... or dirty records are older than that,
    int64_t min_compaction_lag_ms = 0;          // and only what is older than this.
    // durability=memory: appends are safe() at once and go to the journal lazily. Then at most so many
    // records, for at most so long, are not flushed (Kafka's flush.messages and flush.ms).
    bool in_memory = false;
    int64_t flush_messages = INT64_MAX;
    int64_t flush_ms = INT64_MAX;
    bool uses_reserve = false;  // Appends go on while the disk has only its reserve left: the node's own.
    int64_t producer_id_expiration_ms = 86'400'000;
    uint32_t producers_max = 10'000;  // Beyond it the producer that was silent longest is forgotten.
};

struct LogSpec {
    Slot slot;
    Uuid topic_id;
    std::string topic;
    int32_t partition = 0;
    LogConfig config;
};

// The cleaner of a shard (log compaction).
struct CleanerConfig {
    bool enable = true;
    uint64_t map_bytes = 128 << 20;        // Memory for keys while it cleans; what does not fit comes later.
    double map_load_factor = 0.9;          // How full that may be.
    double bytes_per_second = 1e300;       // Read and written together.
    uint64_t backoff_ns = 15'000'000'000;  // Until it looks again after having found nothing to clean.
};

struct StorageConfig {
    DeviceUse* device = nullptr;  // Of all storages that share it; none: this one is alone.
    std::string directory;
    uint32_t journal_files = 4;              // At least 2.
    uint64_t journal_file_bytes = 64 << 20;  // A multiple of 4,096, at least 128 KiB.
    uint64_t tail_cache_bytes = 64 << 20;    // Recent bytes of all logs that stay in memory.
    uint64_t dirty_bytes_max = 128 << 20;    // Appended but not yet in segments: has_room() is false above.
    uint64_t direct_append_bytes = 64
                                   << 10;  // From here a commit writes a log's bytes to its segment at once.
    // What all logs together have appended since their last producer snapshots: a recovery reads it again.
    uint64_t unsaved_bytes_max = 128 << 20;
    uint32_t commits_in_flight = 4;
    uint64_t closing_ns_max =
        10'000'000'000;  // For writing all logs out at the end; then the journal has to do.
    // Bytes that nobody waits for are flushed this long after they were written. Who waits once will again:
    // for so long each commit is flushed as it is written.
    uint64_t flush_after_ns = 100'000'000, durable_habit_ns = 100'000'000;
    // Appends that nobody waits for (durability=memory) go to the journal so much later, or with others'.
    uint64_t lazy_commit_ns = 8'000'000;
    // Free bytes of the disk that are kept for the node's own records and for deletions; -1: a hundredth of
    // the disk and 256 MiB, but at most a sixteenth of it.
    int64_t reserve_bytes = -1;
    uint32_t descriptors_max = 256;
    uint64_t index_cache_bytes = 4 << 20;   // Indexes of sealed segments that stay in memory.
    uint64_t block_cache_bytes = 32 << 20;  // Blocks of 128 KiB of segment files, read for consumers.
    // Sealed segments are read again and compared with their sums: with so much of the disk's bandwidth (0:
    // not at all), and each one at most so often.
    uint32_t scrub_percent = 5;
    int64_t scrub_interval_ms = 604'800'000;
    CleanerConfig cleaner;
};

// ---- Reading --------------------------------------------------------------------------------------------

// What a Slice holds on to. Implemented in src/log only.
class SliceSource {
 public:
    virtual void unpin() = 0;

 protected:
    ~SliceSource() = default;
};

// Whole batches in offset order, pinned in memory until the Slice is destroyed, on the log's home shard. The
// pieces, laid end to end, are the bytes; a batch may lie across two pieces. It may outlive its Log but not
// its Storage.
class Slice {
 public:
    Slice() = default;
    Slice(Slice&& other) noexcept;
    Slice& operator=(Slice&& other) noexcept;
    ~Slice() { clear(); }

    const std::vector<Bytes>& pieces() const { return pieces_; }
    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    Offset first() const { return first_; }  // Base offset of the first batch; meaningful when not empty.
    Offset next() const { return next_; }    // One past the last record.

    // For src/log: takes over one pin of `source`.
    void add(Bytes piece, SliceSource* source);
    void set_offsets(Offset first, Offset next) { first_ = first, next_ = next; }
    // Cuts the end off: `size` bytes stay.
    void shorten(size_t size);

 private:
    void clear();
    std::vector<Bytes> pieces_;
    std::vector<SliceSource*> sources_;
    size_t size_ = 0;
    Offset first_, next_;
};

struct ReadRequest {
    Offset from;               // log_start() <= from <= end(), else offset_out_of_range.
    size_t max_bytes = 0;      // Whole batches up to here.
    Offset limit;              // Only batches that end at or below this offset (the high watermark, say).
    bool at_least_one = true;  // The first batch comes whole, however large (KIP-74).
};

struct TimestampOffset {
    Offset offset{-1};
    int64_t timestamp = -1;
    Epoch leader_epoch{-1};
};

struct EpochEnd {
    Epoch epoch{-1};
    Offset end{-1};
};

// ---- Appending ------------------------------------------------------------------------------------------

struct AppendRequest {
    Bytes batch;         // One validated record batch v2, also its timestamps. Copied.
    Epoch leader_epoch;  // Not below the last one.
};

struct Appended {
    Offset first, last;
    bool duplicate =
        false;  // One of the producer's last five batches: nothing was appended (first, last are its).
};

class Log;

// Told once per completed commit, or turn of appends in memory, for each log that moved on; may call anything
// but Storage::close.
class LogListener {
 public:
    virtual void on_progress(Log& log) = 0;             // written(), durable() or safe() have moved.
    virtual void on_failed(Log& log, Error error) = 0;  // Once; the log refuses everything from now on.
    // Cleaning stays below it: the high watermark, or the first offset of an open transaction.
    virtual Offset cleanable_end(const Log& log) const;

 protected:
    ~LogListener() = default;
};

// One partition's log. Owned by its Storage, gone when remove() has returned.
class Log {
 public:
    virtual const LogSpec& spec() const = 0;
    virtual void set_config(const LogConfig& config) = 0;
    virtual void set_listener(LogListener* listener) = 0;  // None: nullptr. Must outlive the log or be reset.

    virtual Offset log_start() const = 0;
    virtual Offset end() const = 0;      // The log end offset: the next record's offset.
    virtual Offset written() const = 0;  // Below: the device has it.
    virtual Offset durable() const = 0;  // Below: flushed.
    // Below: as safe as the topic asks. durable(), or with durability=memory what was appended, but for what
    // flush.messages has wait for its flush. Never goes back in this life, whatever is configured.
    virtual Offset safe() const = 0;
    // Somebody waits for safe() to come to end(), and more may follow: for a tenth of a second the whole
    // shard flushes each commit as it writes it (durable_habit_ns), else it waits a little (flush_after_ns).
    virtual void want_durable() = 0;
    virtual uint64_t size_bytes() const = 0;
    virtual size_t segment_count() const = 0;
    // none, or why the log serves nothing: kafka_storage_error (the disk failed, or damage left nothing that
    // could be served).
    virtual Error failure() const = 0;

    // Checks the producer's sequence (idempotence, KIP-98), gives offsets, copies, schedules a commit. Fails
    // with kafka_storage_error (also: see Storage::is_low_on_space), corrupt_message (not one batch),
    // record_list_too_large (larger than a segment or a quarter of a journal file),
    // out_of_order_sequence_number, invalid_producer_epoch, fenced_leader_epoch, request_timed_out (no room:
    // see Storage::has_room), unknown_topic_or_partition (it is being removed).
    virtual Result<Appended> append(const AppendRequest& request) = 0;
    // Starts a leader epoch at end(), before its first append; durable with the next commit.
    // fenced_leader_epoch when it is below the last one.
    virtual Result<> start_epoch(Epoch epoch) = 0;

    // From memory only: nothing (nullopt) when bytes on disk are needed. An empty slice when there is nothing
    // below the limit. Fails with offset_out_of_range, kafka_storage_error.
    virtual std::optional<Result<Slice>> read_cached(const ReadRequest& request) = 0;
    // From memory or disk. Fails as read_cached, and with corrupt_message when the bytes on disk are not what
    // was written: then their range of offsets is remembered as damaged, durably, and what is below and above
    // it goes on to be served.
    virtual Task<Result<Slice>> read(ReadRequest request) = 0;

    // The first record with a timestamp >= `timestamp` at or above log_start() and below `limit`; offset -1
    // when there is none. -3 (max timestamp, KIP-734): the first record with the largest one. Other
    // negatives: invalid_request. Fails as read, too. Times are in ms since 1970.
    virtual Task<Result<TimestampOffset>> offset_for_timestamp(int64_t timestamp, Offset limit) = 0;

    // OffsetForLeaderEpoch: the largest epoch <= `epoch` and where it ends; -1, -1 when the log knows none
    // that high (KIP-101, KIP-279).
    virtual EpochEnd epoch_end_offset(Epoch epoch) const = 0;
    virtual Epoch last_epoch() const = 0;             // -1 when none.
    virtual Epoch epoch_of(Offset offset) const = 0;  // -1 when unknown.

    // DeleteRecords: durable when it returns. At or below the old start: nothing happens. Above end():
    // offset_out_of_range.
    virtual Task<Result<>> set_log_start(Offset offset) = 0;
    // Rolls the active segment when its time has come, and drops whole old segments by time and size that
    // end at or below `high_watermark`. Files go in the background once the new start is durable.
    // Returns how many segments were dropped.
    virtual size_t retain(int64_t wall_ms, Offset high_watermark) = 0;
    virtual size_t producer_count() const = 0;

 protected:
    ~Log() = default;
};

inline Offset LogListener::cleanable_end(const Log& log) const { return log.durable(); }

// ---- Moving ---------------------------------------------------------------------------------------------

// Where a log stands that leaves one shard's storage for another's: all of it is durable in its segments.
struct LogState {
    Uuid topic_id;
    Offset segment;         // The base of the active one,
    uint64_t position = 0;  // and how long it is.
    Offset next, log_start;
};

// ---- A shard's storage ----------------------------------------------------------------------------------

struct StorageStats {
    uint64_t commits = 0, journal_bytes = 0;         // Journal writes and their bytes since start.
    uint64_t direct_bytes = 0, write_out_bytes = 0;  // To segments: with the commit, and later.
    uint64_t cached_bytes = 0, dirty_bytes = 0;      // Now, in memory.
    uint64_t disk_reads = 0, disk_read_bytes = 0;
    uint32_t descriptors = 0;
    uint64_t disk_available = 0, disk_reserve = 0;  // As last looked at, while something was written.
    uint64_t damaged_entries =
        0;  // Journal entries at or below the durable watermark that recovery could not read.
    uint64_t damaged_ranges = 0;  // Of offsets, now: not served.
    uint64_t block_hits = 0, block_misses = 0, block_cache_bytes = 0;
    uint64_t scrubbed_bytes = 0, scrub_damaged = 0;  // Read by the scrub; ranges that it found damaged.
    uint64_t cleanings = 0, cleaner_failures = 0;    // Logs cleaned; logs set aside as uncleanable.
    uint64_t cleaner_read_bytes = 0, cleaner_write_bytes = 0;
    uint64_t cleaner_map_bytes = 0;  // Now, in memory.
};

// Told when there is room for appends, or the storage has failed; also when it knows already.
class RoomListener {
 public:
    virtual void on_room() = 0;  // May not append.

 protected:
    ~RoomListener() = default;
};

// Order at start: open -> load each partition -> finish_recovery -> (all shards of the node have come so far)
// -> start -> (all shards, again) -> forget_past -> run. Before start nothing can be appended; reading works
// from load on.
class Storage : public MemoryUser {
 public:
    // Reads all journals in the directory, whatever the number of shards was, and keeps what belongs to slots
    // of this shard. kafka_storage_error when the directory cannot be used or the disk is full,
    // invalid_config when the settings make no sense. `io` must outlive it.
    // `homes`: none: slot mod shards. not_leader_or_follower: they are not what the journal was written by.
    static Task<Result<std::unique_ptr<Storage>>> open(Io& io, StorageConfig config,
                                                       std::optional<Homes> homes = {});
    virtual ~Storage() = default;  // After close(), or after a failure; not while anything awaits it.

    // Opens the partition's directory, re-applies what its segments lack, rebuilds what is derived; makes it
    // when it is new. A directory of the same name with another topic id is set aside as "-stray".
    // Also after start. Many may run at once. The log stays where it is until removed. A damaged partition is
    // a success whose log has failed by itself. kafka_storage_error: the Storage is offline, or
    // the disk is full: then nothing was changed, and after start it may be tried again.
    virtual Task<Result<Log*>> load(LogSpec spec) = 0;
    // Everything re-applied is durable in the segments; journal entries of slots that were not loaded are
    // dropped (each slot is logged).
    virtual Task<Result<>> finish_recovery() = 0;
    // Begins a new journal and lets appends in.
    virtual Task<Result<>> start() = 0;
    // Removes what earlier lives journalled: until every shard has begun a new journal, the old ones say
    // where its logs begin and end. Shard 0 removes the journals of vanished shards.
    virtual Task<Result<>> forget_past() = 0;

    // The background work: writes out, recycles journal files, deletes, cleans. The owner starts it once
    // after start() and lets it run (detached); it ends after close() or a failure. Until it has ended, keep
    // the Storage.
    virtual Task<> run() = 0;
    virtual void set_cleaner(const CleanerConfig& config) = 0;  // From the next step on.

    // Deletes a log (no-op when unknown). Its Log is gone when this returns, and so is the directory's name,
    // durably; the files go in the background. Slices stay valid.
    virtual Task<Result<>> remove(Slot slot) = 0;
    // ---- Moving a log to another shard of the node: leave -> the homes are written -> take_over there ->
    // arrived there -> forget_left here. Whenever it is broken off, the homes and the journals say what
    // holds.

    // Brings what is in memory to the segments while the log is used on, so that leave() has little to do.
    virtual Task<Result<>> prepare_leave(Slot slot) = 0;
    // Ends the log here: all of it durable in its segments, as after close(), and the journal durably says
    // that it left with this generation of the homes, until forget_left(). Nobody appends or reads any more,
    // and the listener is gone. Slices stay valid. After an error find() knows the log, or it left all the
    // same and the storage has failed.
    virtual Task<Result<LogState>> leave(Slot slot, uint64_t generation) = 0;
    // As load(), of a log that left another storage of the node, or this one before, in that state.
    virtual Task<Result<Log*>> take_over(LogSpec spec, LogState state) = 0;
    // Ends when the journal durably names a log that has arrived. kafka_storage_error: the storage failed;
    // request_timed_out: it ends before.
    virtual Task<Result<>> arrived(Slot slot) = 0;
    virtual void forget_left(Slot slot) = 0;

    // At a stop: a set_log_start that waits for its commit gives up with request_timed_out; it may still come
    // to be.
    virtual void end_waits() = 0;
    // Everything into segments, flushed, with a mark that lets the next start read little. Stop all users
    // first. After it (or a failure) destroy the Storage.
    virtual Task<Result<>> close() = 0;

    virtual Log* find(Slot slot) = 0;      // nullptr when not loaded.
    virtual std::vector<Log*> logs() = 0;  // In order of slots.
    virtual Error failure() const = 0;     // none, or kafka_storage_error once the disk has failed.
    virtual bool was_clean() const = 0;    // The last life of this shard's journal ended with close().
    virtual const StorageStats& stats() const = 0;

    // Back-pressure: while has_room() is false appends are refused. Who wants room says so, and is told when
    // there may be some. The listener must outlive the storage or be reset with nullptr.
    virtual bool has_room() const = 0;
    virtual void want_room() = 0;
    virtual void set_room_listener(RoomListener* listener) = 0;

    // The disk has only its reserve left: appends to logs without uses_reserve fail with
    // kafka_storage_error until there is more again. Everything else goes on.
    virtual bool is_low_on_space() const = 0;
    // Whether files of so many bytes can be made without touching the reserve, as the disk is now.
    virtual Task<bool> has_space_for(uint64_t bytes) = 0;
};

}  // namespace millrace
