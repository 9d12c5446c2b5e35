// A log in memory: segments, tail chunks, epochs, producers, and how far each byte has come.
//
// A byte's way: appended to a tail chunk -> staged (its entry is in a commit) -> written (the device has that
// commit) -> durable (and has flushed it) -> out (durable in its segment; from here its chunk may go). What
// always holds: staged and out each follow appended; durable <= written <= end. Owned by the
// shard's Storage.
#pragma once
#include "chunks.h"
#include "damage.h"
#include "epochs.h"
#include "journal.h"
#include "millrace/log.h"
#include "producers.h"
#include "segment.h"
#include "segment_check.h"

namespace millrace {

class FileWindow;
class IndexCheck;
class SegmentWriter;
class StorageImpl;

// What cleaning could do for a log now.
struct DirtyRange {
    Offset first, end;  // Dirty from the one up to the other, a segment's beginning.
    uint64_t clean_bytes = 0, dirty_bytes = 0;
    bool is_overdue = false;  // By max.compaction.lag.ms.
    double ratio() const {
        const uint64_t all = clean_bytes + dirty_bytes;
        return all == 0 ? 0 : static_cast<double>(dirty_bytes) / static_cast<double>(all);
    }
};

// Segments that become one file.
struct CleanGroup {
    std::vector<Offset> bases;
    Offset until;  // The base of the segment behind them.
    uint64_t bytes = 0;
    Offset first() const { return bases.front(); }
};

class PartitionLog final : public Log {
 public:
    PartitionLog(StorageImpl& storage, LogSpec spec, std::string directory);
    PartitionLog(const PartitionLog&) = delete;
    ~PartitionLog();

    const LogSpec& spec() const override { return spec_; }
    void set_config(const LogConfig& config) override;
    void set_listener(LogListener* listener) override { listener_ = listener; }
    Offset log_start() const override { return log_start_; }
    Offset end() const override { return end_; }
    Offset written() const override { return written_; }
    Offset durable() const override { return durable_; }
    Offset safe() const override;
    void want_durable() override;
    uint64_t size_bytes() const override;
    size_t segment_count() const override { return segments_.size(); }
    Error failure() const override;
    Result<Appended> append(const AppendRequest& request) override;
    Result<> start_epoch(Epoch epoch) override;
    std::optional<Result<Slice>> read_cached(const ReadRequest& request) override;
    Task<Result<Slice>> read(ReadRequest request) override;
    Task<Result<TimestampOffset>> offset_for_timestamp(int64_t timestamp, Offset limit) override;
    EpochEnd epoch_end_offset(Epoch epoch) const override { return epochs_.end_of(epoch, end_); }
    Epoch last_epoch() const override { return epochs_.last(); }
    Epoch epoch_of(Offset offset) const override { return epochs_.at(offset); }
    Task<Result<>> set_log_start(Offset offset) override;
    size_t retain(int64_t wall_ms, Offset high_watermark) override;
    size_t producer_count() const override { return producers_.size(); }

    // ---- For the Storage.

    // Puts what was appended since the last time, and changes of shape, into the journal. False: stalled.
    bool stage(Journal& journal);
    void put_state(Journal& journal) const;
    void on_written(const CommitMark& mark);
    void on_committed(const CommitMark& mark);
    void tell_progress() {
        if (listener_) listener_->on_progress(*this);
    }
    void fail(Error error);
    bool has_unstaged() const;

    // Writes out what was appended up to now and finishes sealed segments. disk_full: come again.
    Task<Result<>> write_out();
    // At the end of a life: all out, the active segment's file exact, snapshot and indexes written.
    Task<Result<>> write_final();
    // Makes the active segment's file ready for direct writes, with room ahead.
    Task<Result<>> prepare_direct();
    bool wants_direct() const { return wants_direct_ || wants_growth_; }
    void release_direct();
    // At the storage's end: nothing is being written, though after a failure not all that was has landed.
    void release_files();
    // Files of dropped segments, once the new log start is durable.
    Task<Result<>> remove_doomed();
    bool has_doomed() const;
    // Segments below the log's start that nobody uses any more; how many went.
    bool can_drop_first() const { return can_drop(0); }
    size_t drop_below_start();
    // Lets go of the oldest chunk if nothing needs it.
    bool drop_oldest_chunk();
    void drop_first_chunk();
    // Lets go of all memory of the tail.
    void drop_chunks();

    // Sealed segments that were not checked since then: the one that waited longest; and checking it.
    Segment* next_to_scrub(int64_t due_before_ms);
    Task<Result<>> scrub(Offset base);
    // Writes the file `damaged` when what it must say has changed.
    Task<Result<>> write_damage();
    bool has_damage_unsaid() const { return damage_unsaid_; }
    const Damage& damage() const { return damage_; }
    // ---- For the cleaner (cleanable.cc, replace.cc).
    std::optional<DirtyRange> dirty_range(int64_t wall_ms) const;
    // Segments below `until` are whole in their files, and the journal says so, durably.
    Task<Result<>> settle(Offset until);
    // The next segments from `from` on, below `end`, that together make one of a segment's size. They stay
    // until released.
    std::optional<CleanGroup> hold_group(Offset from, Offset end);
    void release_group();
    bool is_held() const { return held_until_ > held_from_; }
    // Its files are being held against their sums: none is replaced meanwhile.
    bool is_examined() const { return examining_ || scrubbing_; }
    Signal& examined() { return examined_; }  // One of these has ended.
    // The written file takes the group's place, durably.
    Task<Result<>> replace(const CleanGroup& group, SegmentWriter& writer);
    void enter_cleaning() { readers_++; }
    void leave_cleaning() { leave_reader(); }
    std::optional<Offset>
        first_dirty;              // Below it nothing is superseded by a record below it; none: not read.
    bool is_uncleanable = false;  // A batch could not be read: for the life of the process.

    uint64_t dirty_file() const { return dirty_file_; }
    uint64_t bytes_since_snapshot() const { return bytes_since_snapshot_; }
    // Producers and index of the active segment to disk, so that a recovery reads little of it again.
    Task<Result<>> checkpoint();
    void forget_unsaved();
    // Something for the background to do, now or once what hinders it has gone.
    bool calls() const;
    uint64_t dirty_bytes() const;
    bool needs_write_out() const;
    bool has_unfinished() const;  // A sealed segment that is not final.
    void leave();
    bool busy() const { return writing_out_ || checkpointing_ || direct_flights_ > 0 || readers_ > 0; }
    // Being moved to another shard: the background leaves it alone.
    bool is_resting() const { return removing || leaving; }
    LogState state() const;
    // The journal will hold its state, also where it is the usual one of a log that it does not know.
    void tell_state() { state_due_ = true; }
    // The state's place in the journal, or nothing while it has none.
    std::optional<uint64_t> state_sequence() const {
        return state_due_ ? std::nullopt : std::optional(state_sequence_);
    }
    bool removing = false, leaving = false;
    PartitionLog* next_unstaged = nullptr;
    bool is_unstaged = false;
    bool is_told_soon = false;
    const std::string& directory() const { return directory_; }

 private:
    friend class Cleaner;
    friend class Cleaning;
    friend class Recovery;

    Segment& active() { return *segments_.back(); }
    const Segment& active() const { return *segments_.back(); }
    Segment* segment_at(Offset offset);
    Segment* find_segment(Offset base);
    std::string path_of(const Segment& segment, std::string_view suffix) const;
    FileKey key_of(const Segment& segment) const { return {spec_.slot, segment.base, segment.version}; }
    void touch();
    void need_file(uint64_t journal_file);
    void count_unsaved(uint64_t bytes);
    void touch_appended();
    void leave_reader() {
        ASSERT(readers_ > 0);
        if (--readers_ == 0 && is_resting()) wake_storage();
    }
    void wake_storage();

    // append.cc
    bool must_roll(const BatchHeader& batch) const;
    void roll();
    void copy_batch(const BatchHeader& batch, Bytes bytes);
    void copy(Bytes bytes);
    Chunk& tail_with_room(size_t wanted);

    // stage.cc
    size_t unstaged_bytes() const;
    void stage_segment(Journal& journal, Segment& segment, Offset next);
    bool nears_end_of_file(const Segment& segment) const;
    Task<Result<>> grow_ahead();
    bool can_go_direct(const Segment& segment);
    uint64_t stage_direct(Journal& journal, Segment& segment, uint64_t from, Offset next);
    static uint64_t hash_range(const Chunk& chunk, uint64_t from, uint64_t to);
    void sum_pages(Segment& segment, uint64_t out);
    void stage_data(Journal& journal, const Segment& segment, uint64_t from, Offset next);

    // read.cc
    Chunk* chunk_at(const Segment& segment, uint64_t position);
    std::optional<BatchHeader> header_at(const Segment& segment, uint64_t position);
    std::optional<uint64_t> cached_place(const Segment& segment, Offset from);
    Result<Slice> collect(const Segment& segment, uint64_t position, const ReadRequest& request);
    void add_pieces(Slice& slice, const Segment& segment, uint64_t from, uint64_t to);
    Segment* after(Offset base);
    std::optional<Result<Slice>> collect_cached(const ReadRequest& request);
    Task<Result<Slice>> read_anywhere(ReadRequest request);
    Task<Result<std::optional<Slice>>> read_between(Offset base, ReadRequest request);
    Task<Result<std::optional<Slice>>> read_segment(Offset base, ReadRequest request);
    // Where in a file to begin to look; by_index: a batch there begins at or below the offset, or the index
    // is wrong.
    struct Begin {
        uint64_t position = 0;
        bool by_index = false;
        Order order = Order::rising;
    };
    Task<Result<uint64_t>> skip_to(FileWindow& window, Begin begin, ReadRequest request);
    Task<Result<Slice>> collect_from(FileWindow& window, Begin begin, ReadRequest request);
    Task<Result<Begin>> begin_of(Offset base, Offset from);
    bool is_as_written(FileWindow& window, uint64_t at, const BatchHeader& batch);
    Task<Result<>> load_sums(Offset base);

    // damaged.cc
    Error bound_by_damage(ReadRequest& request) const;
    Offset behind_damage(Offset from) const;
    struct Suspect {
        uint64_t from, to;                  // A block that its file's sums call wrong.
        std::optional<DamagedRange> range;  // The batches that touch it.
        void see(const BatchHeader& batch, uint64_t position);
    };
    Task<Result<std::vector<Suspect>>> find_suspects(Offset base);
    bool note_report(const Segment& segment, const CheckReport& report);
    bool note_suspects(const Segment& segment, const std::vector<Suspect>& suspects);
    Task<Result<bool>> examine(Offset base, uint32_t percent);
    Task<Result<bool>> examine_file(Offset base, uint32_t percent);
    Task<Result<>> forget_growing_sums(const Segment& segment);
    Task<> say_bad_sums(std::string path, uint64_t size);
    Task<Result<std::optional<IndexCheck>>> load_index_check(Offset base);
    Task<Result<>> replace_index(Offset base, SegmentIndex index);
    void note_damage(const DamagedRange& range);

    // timestamps.cc
    Task<Result<TimestampOffset>> search_segments(int64_t timestamp, Offset limit);
    Task<Result<Offset>> time_floor(Offset base, int64_t timestamp);
    Task<Result<TimestampOffset>> search_batches(Offset from, Offset until, int64_t timestamp);

    // write_out.cc
    Task<Result<>> write_segment(Segment& segment);
    Task<Result<>> write_piece(Segment& segment, int fd, uint64_t end);
    Result<> written(Segment& segment, uint64_t out, uint64_t size, int32_t outcome);
    Task<Result<>> reuse_file(Segment& segment, uint64_t size_max);
    Task<Result<>> grow_file(Segment& segment, int fd, uint64_t size);
    Task<Result<>> fill_front(Segment& segment, Chunk& chunk, int fd);
    Task<Result<>> finish_segment(Segment& segment);
    Task<Result<>> make_exact(Segment& segment);
    std::optional<std::vector<uint64_t>> take_sums(Segment& segment);
    Task<Result<>> write_sum_file(Segment& segment, std::vector<uint64_t> blocks);
    Task<Result<>> write_indexes(Segment& segment);
    Task<Result<>> write_index_sums(const Segment& segment);
    Task<Result<>> write_derived(Sync all);
    Task<Result<>> write_snapshot(Offset offset, std::vector<uint8_t> bytes);
    void advance_out(Segment& segment, uint64_t out);

    // scrub.cc
    Task<Result<>> scrub_segment(Offset base);
    Task<bool> has_wrong_indexes(std::string path, SegmentSums sums);
    Task<Result<>> find_damage(Offset base);
    Task<Result<>> check_snapshots();
    Task<Result<>> make_sums(Offset base);
    Task<Result<std::vector<uint64_t>>> sum_file(std::string path, uint64_t size);
    Task<Result<>> write_sums(FileKey key, SegmentSums sums);
    // replace.cc
    void take_over(const CleanGroup& group, SegmentWriter& writer);
    Task<Result<>> rename_into_place(const CleanGroup& group, const SegmentWriter& writer);
    Task<Result<>> await_replaced();

    // retention.cc
    Task<Result<>> remove_segment_file(std::string path, Offset until);
    bool is_expired(const Segment& segment, int64_t wall_ms) const;
    bool can_drop(size_t i) const;
    void move_log_start(Offset offset);

    StorageImpl& storage_;
    LogSpec spec_;
    const std::string directory_;
    LogListener* listener_ = nullptr;
    Error failure_ = Error::none;

    std::vector<std::unique_ptr<Segment>> segments_;  // Rising bases; never empty once loaded.
    std::vector<Chunk*> chunks_;                      // The newest bytes without a gap; may span segments.
    Epochs epochs_;
    Producers producers_;
    Offset log_start_, end_, written_, durable_;
    Offset safe_floor_;       // What was safe under earlier settings.
    Offset durable_start_;    // The log start that the journal holds.
    Offset staged_start_;     // The one that is in a commit.
    Epoch staged_epoch_{-1};  // The last one that is in a commit.
    Offset staged_segment_;   // How far staging has come.
    uint64_t staged_position_ = 0;
    Offset staged_end_;

    uint64_t dirty_file_ = 0;  // Oldest journal file with something not yet out; 0: none.
    Epoch written_epoch_{-1};  // The last one in the checkpoint file.
    uint32_t direct_flights_ = 0;
    uint32_t readers_ = 0;
    bool writing_out_ = false, checkpointing_ = false;
    bool state_due_ = false;       // The journal does not yet know where this log began.
    uint64_t state_sequence_ = 0;  // Of the entry that told it.
    bool wants_direct_ = false, wants_growth_ = false;
    int64_t jitter_ms_ = 0;
    Damage damage_;
    bool damage_unsaid_ = false;  // The file does not say it yet.
    bool examining_ = false;

    struct Snapshot {
        Offset offset;
        std::vector<uint8_t> bytes;
    };
    std::vector<Snapshot> snapshots_due_;    // Taken at rolls.
    std::vector<Offset> snapshots_on_disk_;  // Rising.
    uint64_t bytes_since_snapshot_ = 0;
    Offset settled_, settle_wanted_, settle_staged_;  // Durable, asked for, in a commit.
    Offset held_from_, held_until_;                   // The cleaner's group; it is not dropped.
    uint32_t versions_ = 0;                           // Of segments' files, given so far.
    bool scrubbing_ = false;
    Signal examined_;
    bool replacing_ = false;      // Files are being renamed: none is opened.
    std::vector<Offset> doomed_;  // Bases of dropped segments that still have files.
    Offset doomed_until_;         // They may go when this log start is durable.
};

}  // namespace millrace
