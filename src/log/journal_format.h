// The bytes of a journal file: entries one after the other, each commit beginning on a block.
//
// What always holds: sequence numbers rise by one from entry to entry, through files and starts; an entry's
// header names the hash of the one before it, its own hash covers its header, which covers its payload's
// hash.
#pragma once
#include "layout.h"
#include "millrace/base.h"

namespace millrace {

enum class EntryKind : uint8_t {
    file = 1,  // First in every file. position: number of the file; segment: incarnation; next: oldest file
               // needed; slot: how many shards there are, so that others know what cannot be in it.
    state =
        2,  // After it, one per log: segment, position and next offset it has reached. Payload: StatePayload.
    states_end = 3,  // The file is complete as a place to begin.
    data = 4,        // Payload: bytes of a segment, to be at `position`.
    range = 5,  // `length` bytes at `position` are in the segment itself; payload_hash is their PagedHash.
    epoch = 6,  // position: epoch; next: the offset where it starts.
    log_start = 7,  // next: the log's new start.
    oldest = 8,     // position: the oldest file that is still needed.
    removed = 9,    // The slot's log was deleted.
    clean = 10,     // Everything is in the segments; nothing follows.
    left = 11,      // As state: all of it is in the segments, and another shard has it. Payload: LeftPayload.
    settled = 12,   // Segments below `segment` are whole in their files, which may be replaced by cleaned
                    // ones: earlier entries of theirs are void.
    watermark = 13,  // Nothing but the watermark that every entry carries: put when nothing follows for a
                     // while, so that damage to what is durable by then is not taken for a torn tail.
};

struct Entry {
    static constexpr uint32_t magic_number = 0x4a4c524d;  // "MRLJ"

    uint32_t magic = magic_number;
    EntryKind kind{};
    uint8_t part = 0;  // 1: the bytes end inside a batch; what completes it follows.
    uint16_t reserved = 0;
    uint32_t length = 0;  // Of the payload, or of the range.
    uint32_t slot = 0;
    uint64_t sequence = 0;
    uint64_t watermark = 0;  // All entries up to this sequence were durable when this one was written.
    uint64_t previous = 0;   // header_hash of the entry before.
    int64_t segment = 0;
    uint64_t position = 0;
    int64_t next = 0;  // The log's next offset once this is applied.
    uint64_t payload_hash = 0;
    uint64_t header_hash = 0;

    bool has_payload() const {
        return kind == EntryKind::data || kind == EntryKind::state || kind == EntryKind::left;
    }
    // Else its slot says nothing.
    bool is_of_a_log() const {
        return kind != EntryKind::file && kind != EntryKind::states_end && kind != EntryKind::oldest &&
               kind != EntryKind::clean && kind != EntryKind::watermark;
    }
    size_t payload_size() const { return has_payload() ? (length + 7) & ~size_t{7} : 0; }  // Padded to 8.
    size_t size() const { return sizeof(Entry) + payload_size(); }
};
static_assert(sizeof(Entry) == 80 && sizeof(Entry) % 8 == 0);

struct StatePayload {
    std::array<uint8_t, 16> topic_id{};
    int64_t log_start = 0;
};
static_assert(sizeof(StatePayload) == 24);

struct LeftPayload {
    StatePayload state;
    uint64_t generation = 0;  // Of the homes that the move makes.
};
static_assert(sizeof(LeftPayload) == 32);

uint64_t header_hash_of(const Entry& entry);

// The header at the beginning of `bytes`, if it is one: magic, kind, length and hash are right.
std::optional<Entry> parse_entry(Bytes bytes);

// Payloads are cut to this, so that an entry fits into a commit's buffer.
inline constexpr size_t payload_max = 128 << 10;
inline constexpr size_t commit_size_max = 256 << 10;
// The end of every file is kept for what sets other files free.
inline constexpr size_t file_reserve = 4 * block_size;

}  // namespace millrace
