// Recovery's second half: one partition's directory and what the journals say of it become its log again.
//
// What always holds: nothing that was durable is cut off. What the journal vouches for and the segments do
// not hold is damage: the log then serves nothing, stays as it is, and a mark in its directory keeps it so.
#pragma once
#include "storage.h"

namespace millrace {

class Recovery {
 public:
    Recovery(StorageImpl& storage, PartitionLog& log, std::optional<RecoveredLog> journal)
        : storage_(storage), io_(storage.io()), log_(log), journal_(std::move(journal)) {}

    // kafka_storage_error, disk_full. A damaged log is a success: it has failed by itself.
    Task<Result<>> run();

 private:
    enum class Found : uint8_t { nothing, ours, foreign, damaged };
    struct End {
        Offset segment, next;
        uint64_t position = 0;
    };
    struct Scan {
        uint64_t from = 0, until = 0;
        bool index = true;
        Offset producers_from;
    };

    Task<Result<Found>> open_directory();
    Task<Result<>> set_aside();
    Task<Result<>> make_directory_files();
    Task<Result<>> list_segments();
    Task<Result<>> remove_files(Offset base);

    Task<Result<>> recover_known();
    Task<Result<>> recover_unknown();
    Task<Result<bool>> follow_pieces();
    Task<Result<bool>> range_is_there(const RecoveredPiece& piece);
    Task<Result<>> place_segments();
    Task<Result<>> apply_pieces(Segment& segment);
    Task<Result<>> flush_ranges(const Segment& segment);
    Task<Result<>> rebuild();
    Task<Result<Offset>> load_snapshot();
    Task<Result<>> rebuild_segment(Segment& segment, Offset producers_from);
    Task<Result<>> load_index(Segment& segment, Offset next);
    Task<Result<bool>> has_sound_index(Segment& segment, Offset next);
    Task<Result<>> read_epochs();
    Task<Result<>> write_epochs();
    // Where reading stopped: `until`, or the first byte that is no sound batch.
    Task<Result<uint64_t>> scan(Segment& segment, Scan what);
    Task<Result<>> finish();
    Task<Result<>> damaged(std::string_view why);

    bool is_dropped(Offset next) const { return next <= log_.log_start_; }

    StorageImpl& storage_;
    Io& io_;
    PartitionLog& log_;
    std::optional<RecoveredLog> journal_;
    std::map<Offset, uint64_t> files_;  // Base offset -> size of the .log file.
    std::vector<End> ends_;             // Of the segments that the journal speaks of.
    size_t pieces_used_ = 0;
    Offset end_;
    std::string epochs_text_;
};

}  // namespace millrace
