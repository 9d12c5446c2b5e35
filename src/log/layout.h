// Names of directories and files in a data directory; Kafka's where Kafka has one.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "millrace/base.h"

namespace millrace {

inline constexpr size_t block_size = 4096;  // What O_DIRECT wants of memory, sizes and offsets.

inline constexpr size_t range_max = 1 << 20;  // Bytes of a segment that the journal names by one hash.

constexpr uint64_t align_down(uint64_t x) { return x & ~uint64_t{block_size - 1}; }
constexpr uint64_t align_up(uint64_t x) { return align_down(x + block_size - 1); }

// "00000000000000000042" + suffix (".log", ".index", ".timeindex", ".snapshot").
std::string offset_name(Offset offset, std::string_view suffix);
// The offset, if the name is 20 digits and exactly that suffix.
std::optional<Offset> offset_of_name(std::string_view name, std::string_view suffix);

// A cleaned segment file that replaces all segments with bases from `base` to below `until`.
struct SwapName {
    Offset base, until;
};
std::string swap_name(SwapName swap);
std::optional<SwapName> swap_of_name(std::string_view name);

std::string partition_directory(std::string_view root, std::string_view topic, int32_t partition);
std::string journal_directory(std::string_view root, uint16_t shard);

}  // namespace millrace
