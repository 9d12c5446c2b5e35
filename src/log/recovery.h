// Recovery's second half: one partition's directory and what the journals say of it become its log again.
//
// What always holds: nothing that was durable is cut off. What the journal or a file's sums vouch for and the
// segments do not hold is damage: its offsets are remembered (damage.h), all else is served and goes on.
#pragma once
#include "checkpoint.h"
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
        Offset expected, limit{INT64_MAX};
        bool index = true;
        Offset producers_from;
    };
    // What the journal lost: from one boundary between batches to another.
    struct Hole {
        Offset segment;
        uint64_t from = 0, until = 0;
        Offset first, next;
        DamageCause cause{};
    };

    Task<Result<Found>> open_directory();
    Task<Result<bool>> is_young();
    Task<Result<>> set_aside();
    Task<Result<>> make_directory_files();
    Task<Result<>> list_segments();
    Task<Result<>> finish_swaps();
    Task<Result<>> finish_swap(SwapName swap, std::vector<std::string> names);
    Task<Result<>> remove_files(Offset base);

    Task<Result<>> recover_known();
    Task<Result<>> recover_unknown();
    void go_on_behind_lost(Segment& active);
    Task<Result<>> follow_pieces();
    bool enter(const RecoveredPiece& piece, const End& complete);
    void end_hole();
    void leave_room_for_lost();
    Task<Result<bool>> range_is_there(const RecoveredPiece& piece);
    Task<Result<>> place_segments();
    Task<Result<>> place_old();
    Task<Result<>> place(size_t i);
    void add_segment(Segment segment);
    uint64_t known_there(const Segment& segment) const;
    Task<Result<>> apply_pieces(Segment& segment);
    Task<Result<>> fill_up(Segment& segment);
    Task<Result<>> flush_ranges(const Segment& segment);
    Task<Result<>> rebuild();
    Task<Result<Offset>> load_snapshot();
    Task<Result<>> rebuild_segment(Segment& segment, Offset producers_from);
    Task<Result<>> load_index(Segment& segment, Offset next);
    Task<Result<bool>> load_sum(Segment& segment, Offset next);
    Task<Result<bool>> has_sound_index(Segment& segment, Offset next);
    Task<Result<>> read_epochs();
    Task<Result<>> write_epochs();
    // What is not sound of it is in the report, and not taken over.
    Task<Result<CheckReport>> scan(Segment& segment, Scan what);
    Task<Result<>> read_first_batch(Segment& segment);
    Task<Result<>> load_growing_index(Segment& segment);
    Task<Result<>> finish();

    // recovery_damage.cc
    Task<Result<bool>> read_damage();
    Task<Result<>> check_known_damage();
    Task<Result<>> check_holes();
    void note(const std::vector<DamagedRange>& ranges);
    void note_missing(Offset first, Offset next);
    void note_lost_end(const Hole& hole, Offset first);
    Task<Result<>> refuse(std::string_view why);

    bool is_dropped(Offset next) const { return next <= log_.log_start_; }

    StorageImpl& storage_;
    Io& io_;
    PartitionLog& log_;
    std::optional<RecoveredLog> journal_;
    std::map<Offset, uint64_t> files_;  // Base offset -> size of the .log file.
    std::vector<End> ends_;             // Of the segments that the journal speaks of.
    size_t pieces_used_ = 0;
    std::vector<Hole> holes_;
    bool hole_open_ = false;
    bool epochs_lost_ = false;  // To be read from the batches.
    Offset end_;
    std::string epochs_text_;
};

}  // namespace millrace
