// Hashing and recognising journal entries.
#include "journal_format.h"

namespace millrace {

uint64_t header_hash_of(const Entry& entry) {
    return hash64({reinterpret_cast<const uint8_t*>(&entry), offsetof(Entry, header_hash)});
}

std::optional<Entry> parse_entry(Bytes bytes) {
    Entry entry;
    if (bytes.size() < sizeof entry) return {};
    std::memcpy(&entry, bytes.data(), sizeof entry);
    if (entry.magic != Entry::magic_number || entry.header_hash != header_hash_of(entry)) return {};
    if (entry.kind < EntryKind::file || entry.kind > EntryKind::watermark) return {};
    if (entry.has_payload() && entry.length > payload_max) return {};
    if (entry.kind == EntryKind::range && entry.length > range_max) return {};
    return entry;
}

}  // namespace millrace
