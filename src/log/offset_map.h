// Key -> its newest offset, for one cleaning: 24 bytes per key, whatever the key's size.
//
// What always holds: memory is what the constructor was allowed, in pieces of at most 128 KiB; keys are told
// apart by XXH3-128. Owned by the cleaning, gone with it.
#pragma once
#include <memory>
#include <vector>

#include "millrace/base.h"

namespace millrace {

class OffsetMap {
 public:
    static constexpr size_t slot_bytes = 24;

    struct Limits {
        uint64_t bytes_max = 0;    // At least one piece is taken.
        double load_factor = 0.9;  // Of the slots that may be in use.
        uint64_t keys_wanted = 0;  // No more memory than these need.
    };
    explicit OffsetMap(Limits limits);

    // Offsets of a key only rise. False: the map is full and does not know the key.
    bool put(Bytes key, Offset offset);
    Offset find(Bytes key) const;  // -1 when unknown.

    // Everything up to here was put.
    Offset latest() const { return latest_; }
    void set_latest(Offset offset) { latest_ = std::max(latest_, offset); }

    uint64_t size() const { return size_; }
    uint64_t size_max() const { return size_max_; }
    uint64_t memory() const { return pieces_.size() * slots_per_piece * slot_bytes; }

 private:
    struct Entry {
        uint64_t low, high;
        int64_t offset;  // -1: free.
    };
    static_assert(sizeof(Entry) == slot_bytes);
    static constexpr size_t slots_per_piece = (128 << 10) / slot_bytes;

    Entry& at(uint64_t slot) const { return pieces_[slot / slots_per_piece][slot % slots_per_piece]; }
    // The key's entry, or the free one where it would be.
    Entry& place_of(Bytes key) const;

    std::vector<std::unique_ptr<Entry[]>> pieces_;
    uint64_t slots_ = 0, size_ = 0, size_max_ = 0;
    Offset latest_{-1};
};

}  // namespace millrace
