// One cleaning of one log, as Kafka's cleaner does it: the newest offsets of all keys in the dirty part go
// into a map, then every segment up to there is written anew without what the map says is superseded.
//
// What always holds: offsets, leader epochs and what is above the map's last offset stay as they are. The log
// stays while it runs: whoever has it called enter_cleaning.
#pragma once
#include "batch_filter.h"
#include "batch_stream.h"
#include "cleaner.h"
#include "segment_writer.h"
#include "storage.h"

namespace millrace {

// The storage ends, the cleaner is switched off, the log is being deleted. Stays inside src/log.
inline constexpr Error cleaning_stopped = static_cast<Error>(-4);

class Cleaning {
 public:
    Cleaning(Cleaner& cleaner, StorageImpl& storage, PartitionLog& log, const DirtyRange& range)
        : cleaner_(cleaner), storage_(storage), io_(storage.io()), log_(log), range_(range) {}

    // disk_full, cleaning_stopped, or what takes the storage offline. A log with an unreadable batch is set
    // aside as uncleanable, which is a success.
    Task<Result<>> run();

 private:
    struct Totals {
        uint64_t read = 0, written = 0, groups = 0, batches = 0;
    };

    Task<Result<>> clean();
    // False: the map was full before the dirty part's end.
    Task<Result<bool>> fill(OffsetMap& map);
    Task<Result<bool>> add_segment(OffsetMap& map, Offset base);
    Result<bool> add_batch(OffsetMap& map, const BatchView& batch);
    Task<Result<>> rewrite(BatchFilter& filter, Offset end);
    Task<Result<>> rewrite_group(BatchFilter& filter, const CleanGroup& group);
    Task<Result<>> filter_group(BatchFilter& filter, const CleanGroup& group, SegmentWriter& writer);
    Task<Result<>> filter_segment(BatchFilter& filter, Offset base, SegmentWriter& writer);
    Task<Result<FileHold>> open(Offset base);
    Task<Result<>> next(BatchStream& stream);
    bool must_end() const;
    void tell(uint64_t bytes_before, uint64_t began_ns) const;

    Cleaner& cleaner_;
    StorageImpl& storage_;
    Io& io_;
    PartitionLog& log_;
    const DirtyRange range_;
    bool changed_ = false;
    Totals totals_;
};

// How far the log in the directory has been cleaned: Kafka's cleaner-offset-checkpoint, one per log. 0 when
// nobody knows.
Task<Offset> read_cleaned_until(Io& io, std::string directory);

}  // namespace millrace
