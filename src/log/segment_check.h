// Reads a stretch of a segment file batch by batch and says what of it is sound: for recovery, for the scrub,
// and for finding how far damage goes that a reader met.
//
// What always holds: nothing is called sound whose CRC, place in the order of offsets, or leader epoch is
// wrong; behind damage it goes on at the next sound batch, whose offset must still rise.
#pragma once
#include <functional>
#include <string>

#include "batch_header.h"
#include "damage.h"
#include "epochs.h"
#include "files.h"
#include "sums.h"

namespace millrace {

// How offsets follow each other: without a gap as they were appended, or with gaps that a compaction left.
enum class Order : uint8_t { gapless, rising };

struct CheckRequest {
    std::string path;
    Offset segment;                // Its base.
    uint64_t from = 0, until = 0;  // A batch begins at `from`; until: where the last one ends.
    Offset expected;               // The first offset from `from` on.
    Offset limit{INT64_MAX};       // All offsets are below it.
    Order order = Order::rising;
    const Epochs* epochs = nullptr;     // Known for all of it.
    const Damage* known = nullptr;      // Gaps that were found before.
    uint32_t percent = 100;             // Reading may take this share of the time.
    std::function<bool()> should_stop;  // Asked at each pause: then it ends with request_timed_out.
    std::function<void(const BatchHeader&, uint64_t position)> on_batch;  // Each sound one.
};

struct CheckReport {
    std::vector<DamagedRange> damaged;  // The last may have no end: its `next` is then the limit.
    uint64_t sound_end = 0;             // Where the last sound batch ends; `from` when there is none.
    Offset next;                        // One past its last offset; `expected` when there is none.
};

// A file that is missing or short is damage, too. kafka_storage_error: the file can be read nowhere.
Task<Result<CheckReport>> check_segment(Io& io, CheckRequest request);

// The file `.sum`; nothing when there is none, or a damaged one.
Task<Result<std::optional<SegmentSums>>> read_sums(Io& io, std::string path);

// The blocks of check_step bytes of a file, from `position` on, that are not what their sums say, or cannot
// be read: where they begin. `sums` outlives the await.
inline constexpr uint64_t check_step = 1 << 20;
struct SumRequest {
    std::string path;
    const SegmentSums* sums;
    uint64_t position;  // A multiple of check_step, below the file's size.
};
Task<Result<std::vector<uint64_t>>> wrong_blocks(Io& io, SumRequest request);

}  // namespace millrace
