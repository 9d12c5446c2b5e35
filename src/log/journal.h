// The shard's journal: entries become commits, each one aligned write; a ring of recycled files.
//
// A commit is written, then durable. Where somebody waits for that, both are one durable write; else it is a
// plain write, and one flush of the files makes many commits durable.
// What always holds: entries get their sequence in the order of put(); commits are written, and become
// durable, in that order; a file is written over only after an `oldest` entry that frees it is durable. Owned
// by the shard's Storage.
#pragma once
#include <memory>
#include <vector>

#include "journal_format.h"
#include "millrace/fifo.h"
#include "millrace/io.h"
#include "millrace/log.h"

namespace millrace {

class PartitionLog;
struct Chunk;

// How far a log has come when the commit that carries this is durable.
struct CommitMark {
    PartitionLog* log = nullptr;  // None when the log went in the meantime.
    Offset end, log_start;
    uint64_t out = 0;  // Bytes of `segment` that are in the segment itself by then; 0: unchanged.
    Offset segment;
    uint64_t file = 0;  // The journal file it was staged in.
    Offset settled;     // The log's `settled` entry.
};

class JournalOwner {
 public:
    // Puts a state entry for every log.
    virtual void put_states() = 0;
    // Whether commits are made durable as they are written.
    virtual bool wants_durable() = 0;
    // The marks of a commit that the device has, but has not flushed; commits come in their order.
    virtual void on_written(std::vector<CommitMark>& marks) = 0;
    // The marks of a commit that is durable; commits come in their order. Those that were durable when
    // written come here only.
    virtual void on_committed(std::vector<CommitMark>& marks) = 0;
    virtual void on_journal_failed(int32_t outcome) = 0;
    virtual void on_landed() = 0;  // A write or a flush came back; see in_flight().
    // A file was begun, or none is free to begin one: see wants_file().
    virtual void on_journal_file() = 0;

 protected:
    ~JournalOwner() = default;
};

class Journal {
 public:
    struct Settings {
        std::string directory;
        uint32_t files = 4;
        uint64_t file_bytes = 64 << 20;
        uint32_t commits_in_flight = 4;
    };
    Journal(Io& io, JournalOwner& owner, Settings settings);
    Journal(const Journal&) = delete;
    ~Journal();

    // ---- Its files: steps of the background.
    struct Continuation {
        uint64_t incarnation = 1, sequence = 1, file = 1;
        std::vector<uint32_t> names;  // Taken by files of earlier lives.
    };
    // Makes a first file; then begin() may be called.
    Task<Result<>> open(Continuation from);
    // Another file for the ring, of at least this size. disk_full when there is no room.
    Task<Result<>> prepare_file(uint64_t size_min);
    bool has_free_file() const;
    bool wants_file() const;  // The next switch would find none free, and the ring is not complete.
    Task<> close_files();

    // ---- Writing.
    // Begins the first file, or the next one: its states, then what follows. False when none is free.
    bool switch_file();
    // Entries of so many bytes in all will fit into the current file, or a new one is begun. False: stalled
    // until a file is free.
    bool reserve(size_t bytes);
    // Takes a place in the open commit. Data payloads up to payload_max; a range's hash is the caller's.
    void put(Entry entry, Bytes payload = {});
    // The open commit also waits for these bytes (whole blocks) of the chunk to be durable in the segment.
    struct Direct {
        int fd = -1;
        Chunk* chunk = nullptr;
        uint32_t from = 0, size = 0;  // Within the chunk.
    };
    void put_direct(const Direct& direct);
    void mark(const CommitMark& mark);
    // Frees all files before this number once it is durable.
    void put_oldest(uint64_t file);
    // Everything is durable, but no entry says so yet of all that is: a recovery would take damage to the
    // last of it for a torn tail.
    bool wants_watermark() const { return idle() && current_ && news_until_ > told_durable_; }
    // An entry that says so.
    void put_watermark();
    // What was put goes to the device as soon as a place is free.
    void flush();
    // Makes all durable that is written by now; on_committed tells.
    void sync();
    void forget(const PartitionLog& log);  // In marks not yet told.
    // Of the entry that was put last; and up to where entries are durable.
    uint64_t last_sequence() const { return next_sequence_ - 1; }
    uint64_t durable_until() const { return durable_until_; }

    bool is_open() const { return current_ != nullptr; }
    // Two commits keep a device busy that has many bytes to write; more would only be smaller ones, each
    // with its cost for the device and for those who wait.
    bool busy() const {
        const size_t places = flying_bytes_ < large_bytes ? settings_.commits_in_flight
                                                          : std::min(settings_.commits_in_flight, 2u);
        return flying_.size() + ready_.size() >= places || written_.size() >= written_max;
    }
    // Everything that was put is durable.
    bool idle() const { return flying_.empty() && ready_.empty() && written_.empty() && !open_; }
    bool in_flight() const;  // Writes are under way; after a failure too.
    uint64_t current_file() const { return current_ ? current_->number : 0; }
    uint64_t oldest_file() const { return oldest_; }  // As durably known.
    bool stalled() const { return stalled_; }
    uint64_t bytes_written() const { return bytes_; }
    uint64_t commits() const { return commits_; }
    uint64_t prewritten_bytes() const { return prewritten_bytes_; }
    uint64_t direct_bytes() const { return direct_bytes_; }

 private:
    struct Commit;
    struct DirectWrite;
    struct Sync;
    struct Prewrite;
    // A commit that the device has.
    struct Written {
        uint64_t last_sequence = 0;
        uint64_t frees = 0;  // Files before this number, once durable.
        bool is_durable = false;
        std::vector<int> files;  // To be flushed.
        std::vector<CommitMark> marks;
    };
    struct File {
        uint32_t name = 0;
        int fd = -1;
        uint64_t size = 0, number = 0, used = 0;  // number 0: free.
        uint64_t prewritten = 0;                  // Zeros were written up to here, or what was put.
    };

    Commit& open_commit();
    void close_commit();
    void submit_ready();
    void land(Commit& commit, bool good, int32_t outcome);
    void complete(Commit& commit);
    void settle();
    void on_durable(Written& written);
    void on_synced(int32_t outcome);
    void prewrite();
    File* next_to_prewrite();
    void on_prewritten(bool good, int32_t outcome);
    bool is_held_up(const Commit& commit) const;
    File* free_file();
    std::string path_of(uint32_t name) const;

    Io& io_;
    JournalOwner& owner_;
    const Settings settings_;
    std::vector<std::unique_ptr<File>> files_;
    std::vector<uint32_t> foreign_names_;
    File* current_ = nullptr;
    uint64_t next_file_ = 1, oldest_ = 1, oldest_put_ = 1, incarnation_ = 1;
    uint64_t next_sequence_ = 1, last_hash_ = 0;
    uint64_t written_until_ = 0, durable_until_ = 0, synced_until_ = 0;  // Sequences.
    uint64_t news_until_ = 0;    // Of the last entry that is more than a watermark.
    uint64_t told_durable_ = 0;  // The watermark in the last entry.
    std::unique_ptr<Commit> open_;
    Fifo<std::unique_ptr<Commit>> ready_, flying_;
    std::vector<std::unique_ptr<Commit>> spare_;
    std::vector<std::unique_ptr<DirectWrite>> spare_directs_;
    static constexpr size_t written_max = 512, large_bytes = 128 << 10;
    static constexpr uint64_t unsynced_bytes_max = 8 << 20;  // Memory waits for it, and so does room.
    Fifo<Written> written_;                                  // Not durable, or behind one that is not.
    std::vector<Written> spare_written_;
    std::vector<std::unique_ptr<Sync>> syncs_;
    std::vector<int> to_sync_;  // Only while a round begins.
    size_t syncs_under_way_ = 0;
    uint64_t syncing_until_ = 0, unsynced_bytes_ = 0;
    uint64_t flying_bytes_ = 0;  // Of commits, and what they write to segments.
    bool sync_again_ = false;
    std::unique_ptr<Prewrite> prewrite_;
    static constexpr uint64_t prewrite_ahead = 4;  // Pieces.
    bool failed_ = false, stalled_ = false;
    uint64_t bytes_ = 0, commits_ = 0, direct_bytes_ = 0, prewritten_bytes_ = 0;
};

}  // namespace millrace
