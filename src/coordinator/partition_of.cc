// Which partition of `__consumer_offsets` a group belongs to: Java's String.hashCode over UTF-16 units.
#include "millrace/coordinator.h"

namespace millrace {
namespace {

constexpr uint32_t replacement = 0xfffd;  // What Java decodes malformed UTF-8 to.

// The code point at text[at], and past it. A malformed byte is one replacement.
uint32_t next_code_point(std::string_view text, size_t& at) {
    const auto lead = static_cast<uint8_t>(text[at++]);
    if (lead < 0x80) return lead;
    const size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || at + more > text.size()) return replacement;
    uint32_t point = lead & (0x3fu >> more);
    for (size_t i = 0; i < more; i++) {
        const auto byte = static_cast<uint8_t>(text[at + i]);
        if ((byte & 0xc0) != 0x80) return replacement;
        point = point << 6 | (byte & 0x3f);
    }
    at += more;
    return point;
}

uint32_t java_hash(std::string_view text) {
    uint32_t hash = 0;
    for (size_t at = 0; at < text.size();) {
        const uint32_t point = next_code_point(text, at);
        if (point >= 0x10000) hash = hash * 31 + (0xd7c0 + (point >> 10));
        hash = hash * 31 + (point >= 0x10000 ? 0xdc00 + (point & 0x3ff) : point);
    }
    return hash;
}

}  // namespace

int32_t coordinator_partition(std::string_view group_id, int32_t partition_count) {
    ASSERT(partition_count > 0);
    const auto hash = static_cast<int32_t>(java_hash(group_id));
    // Kafka's Utils.abs: the one number without an absolute value becomes 0.
    return (hash == INT32_MIN ? 0 : std::abs(hash)) % partition_count;
}

}  // namespace millrace
