// Which offsets of a partition are damaged on disk, and the file `damaged` that remembers it.
//
// What always holds: ranges rise and do not overlap, in offsets and in places; what lies in one is never
// served. The file holds the same text twice, each with its checksum: one good copy suffices. Owned by its
// log.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/log.h"

namespace millrace {

enum class DamageCause : uint8_t {
    checksum,    // A batch is not what was written.
    unreadable,  // The device refuses to read it.
    missing,     // The file is not there, or too short.
    journal,     // It was lost in the journal, before it came to a segment.
    sum,         // The file's `.sum` does not agree, though each batch looks sound.
    identity,    // The whole partition: what it is cannot be told.
};
std::string_view name_of(DamageCause cause);

struct DamagedRange {
    Offset first, next;     // Offsets [first, next) are not served.
    Offset segment;         // Base of the segment; -1: the whole partition.
    uint64_t position = 0;  // Where the bytes are in its file,
    uint64_t length = 0;    // and how many; 0 where there are none.
    DamageCause cause{};
    int64_t found_ms = 0;  // By the wall clock.

    uint64_t end_position() const { return position + length; }
};

class Damage {
 public:
    // Takes over the range; one that touches another of its segment is joined with it. False when it was
    // known.
    bool add(DamagedRange range);
    // The range that holds the offset.
    const DamagedRange* find(Offset offset) const;
    // The first that begins at or above the offset.
    const DamagedRange* above(Offset offset) const;
    // The last one of that segment that ends at or below the offset.
    const DamagedRange* below(Offset segment, Offset offset) const;
    // A range lies in one that is known.
    bool contains(const DamagedRange& range) const;
    // Some bytes of that stretch of the segment's file are in a range.
    bool touches(Offset segment, uint64_t from, uint64_t to) const;
    // Forgets what is below the log's start; false when there was nothing.
    bool cut_front(Offset log_start);
    // It is sound again.
    void remove(const DamagedRange& range);
    void clear() { ranges_.clear(); }
    bool empty() const { return ranges_.empty(); }
    bool is_whole() const { return !ranges_.empty() && ranges_.front().segment.value < 0; }
    std::span<const DamagedRange> ranges() const { return ranges_; }

    // At most so many ranges are told apart; beyond it neighbours are joined.
    static constexpr size_t ranges_max = 1000;

    std::string to_text() const;
    // Nothing when neither copy is sound.
    static std::optional<Damage> from_text(std::string_view text);
    // Both copies are sound and equal.
    static bool is_intact(std::string_view text);

 private:
    void join_nearest();
    std::vector<DamagedRange> ranges_;
};

}  // namespace millrace
