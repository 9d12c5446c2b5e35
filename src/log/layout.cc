// Names in a data directory.
#include "layout.h"

#include <charconv>

#include <fmt/format.h>

namespace millrace {

std::string offset_name(Offset offset, std::string_view suffix) {
    ASSERT(offset.value >= 0);
    return fmt::format("{:020}{}", offset.value, suffix);
}

std::optional<Offset> offset_of_name(std::string_view name, std::string_view suffix) {
    constexpr size_t digits = 20;
    if (name.size() != digits + suffix.size() || !name.ends_with(suffix)) return {};
    int64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + digits, value);
    if (error != std::errc{} || end != name.data() + digits || value < 0) return {};
    return Offset{value};
}

std::string swap_name(SwapName swap) {
    return offset_name(swap.base, "." + offset_name(swap.until, ".swap"));
}

std::optional<SwapName> swap_of_name(std::string_view name) {
    constexpr size_t split = 21;
    if (name.size() < split || name[split - 1] != '.') return {};
    const auto base = offset_of_name(name.substr(0, split), ".");
    const auto until = offset_of_name(name.substr(split), ".swap");
    if (!base || !until || *until <= *base) return {};
    return SwapName{*base, *until};
}

std::string partition_directory(std::string_view root, std::string_view topic, int32_t partition) {
    return fmt::format("{}/{}-{}", root, topic, partition);
}

std::string journal_directory(std::string_view root, uint16_t shard) {
    return fmt::format("{}/journal/{}", root, shard);
}

}  // namespace millrace
