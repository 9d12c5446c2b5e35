// Open addressing over pieces.
#include "offset_map.h"

#include "millrace/hash128.h"

namespace millrace {

OffsetMap::OffsetMap(Limits limits) {
    const double load = std::clamp(limits.load_factor, 0.01, 0.99);
    const auto wanted = static_cast<uint64_t>(static_cast<double>(limits.keys_wanted) / load) + 1;
    const uint64_t allowed = limits.bytes_max / (slots_per_piece * slot_bytes);
    const uint64_t needed = (wanted + slots_per_piece - 1) / slots_per_piece;
    pieces_.resize(std::max<uint64_t>(std::min(allowed, needed), 1));
    for (auto& piece : pieces_) {
        piece = std::make_unique_for_overwrite<Entry[]>(slots_per_piece);
        for (size_t i = 0; i < slots_per_piece; i++) piece[i].offset = -1;
    }
    slots_ = pieces_.size() * slots_per_piece;
    size_max_ = static_cast<uint64_t>(static_cast<double>(slots_) * load);
    ASSERT(size_max_ < slots_);
}

OffsetMap::Entry& OffsetMap::place_of(Bytes key) const {
    const Hash128 hash = hash128(key);
    auto slot = static_cast<uint64_t>((static_cast<unsigned __int128>(hash.low) * slots_) >> 64);
    for (;; slot = slot + 1 == slots_ ? 0 : slot + 1) {
        Entry& entry = at(slot);
        if (entry.offset >= 0 && (entry.low != hash.low || entry.high != hash.high)) continue;
        if (entry.offset < 0) entry.low = hash.low, entry.high = hash.high;
        return entry;
    }
}

bool OffsetMap::put(Bytes key, Offset offset) {
    ASSERT(offset.value >= 0);
    Entry& entry = place_of(key);
    if (entry.offset < 0) {
        if (size_ >= size_max_) return false;
        size_++;
    }
    entry.offset = std::max(entry.offset, offset.value);
    return true;
}

Offset OffsetMap::find(Bytes key) const { return Offset{place_of(key).offset}; }

}  // namespace millrace
