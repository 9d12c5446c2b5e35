// Reads what earlier lives left in the journals: for each slot, the state it had reached and the bytes and
// changes since, in order.
//
// What always holds: nothing above the first entry that cannot be read is used, unless later entries say that
// it had been durable: then it is damage, counted and laid at the door of its slot, or, where that cannot be
// known, of all slots that nothing later speaks of; and reading goes on behind it.
#pragma once
#include <map>

#include "journal_format.h"
#include "millrace/homes.h"
#include "millrace/io.h"

namespace millrace {

// Bytes of one segment that the journal vouches for.
struct RecoveredPiece {
    Offset segment;
    uint64_t position = 0;
    uint32_t length = 0;
    bool in_segment = false;    // A range: the bytes are in the segment, `hash` is theirs.
    bool is_part = false;       // Ends inside a batch.
    bool known_durable = true;  // At or below the watermark: complete, or damaged.
    bool lost = false;          // The journal no longer has these bytes, or entries before this one.
    Offset next;
    uint64_t hash = 0;
    size_t bytes_at = 0;  // In RecoveredLog::bytes, when not in_segment.
    uint64_t sequence = 0;
};

struct RecoveredEpoch {
    Epoch epoch;
    Offset start;
};

struct RecoveredLog {
    uint64_t incarnation = 0;
    bool has_state = false;  // Else it began empty, with the first piece.
    bool no_place =
        false;      // Its state was lost and nothing came after: the segments alone say where it ends.
    Uuid topic_id;  // With has_state.
    Offset segment, next, log_start;
    uint64_t position = 0;
    std::vector<RecoveredPiece> pieces;
    std::vector<uint8_t> bytes;
    std::vector<RecoveredEpoch> epochs;
    bool removed = false;
    bool left = false;  // For another shard, in the state that is here; without pieces.
    uint64_t left_generation = 0;
    uint64_t lost_after = 0;     // Durable entries that may have been of this slot, after all that is known.
    uint64_t last_sequence = 0;  // Of the newest entry that speaks of it.
};

// Entries in a row that were durable and cannot be read.
struct JournalDamage {
    std::string file;
    int64_t position = -1;  // Where reading stopped; -1: the file is missing.
    uint64_t sequence = 0, entries = 0;
};

inline constexpr size_t damages_max = 1000;

struct RecoveredJournals {
    std::map<Slot, RecoveredLog> logs;
    uint64_t incarnation_max = 0, sequence_max = 0, file_max = 0;
    uint64_t damaged_entries = 0;
    uint64_t lost_unspoken = 0;          // Lost entries that may have been of slots that are not in `logs`.
    std::vector<JournalDamage> damages;  // Those, one by one; the first damages_max.
    // This shard's own journal has slots whose home is elsewhere by `homes`: that file is not of its last
    // life.
    bool homes_disagree = false;
    bool was_clean = false;           // The one of this shard.
    bool all_clean = true;            // All that were read.
    std::vector<uint32_t> own_files;  // Names of the files in this shard's directory.
    std::vector<uint16_t> shards;     // Whose directories exist.
};

// All journals under `root`/journal that may speak of slots whose home is io.shard(); what they say of them.
Task<Result<RecoveredJournals>> read_journals(Io& io, std::string root, Homes homes);

}  // namespace millrace
