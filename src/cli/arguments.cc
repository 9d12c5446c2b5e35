// Options given on a command line: sizes, times, and the values that commands ask for.
#include <charconv>
#include <cmath>

#include "command.h"

namespace millrace::cli {

namespace {

// The number that the text begins with, and what follows it.
std::optional<double> leading_number(std::string_view text, std::string_view& rest) {
    double x = 0;
    const auto [end, code] =
        std::from_chars(text.data(), text.data() + text.size(), x, std::chars_format::fixed);
    if (code != std::errc{} || x < 0 || !std::isfinite(x)) return std::nullopt;
    rest = text.substr(static_cast<size_t>(end - text.data()));
    return x;
}

}  // namespace

std::optional<uint64_t> parse_size(std::string_view text) {
    constexpr double size_max = 1e15;
    std::string_view unit;
    const auto number = leading_number(text, unit);
    if (!number) return std::nullopt;
    double bytes = *number;
    if (unit == "K" || unit == "k")
        bytes *= 1 << 10;
    else if (unit == "M")
        bytes *= 1 << 20;
    else if (unit == "G")
        bytes *= 1 << 30;
    else if (!unit.empty())
        return std::nullopt;
    if (bytes > size_max) return std::nullopt;
    return static_cast<uint64_t>(bytes);
}

std::optional<double> parse_seconds(std::string_view text) {
    constexpr double seconds_max = 1e7;
    std::string_view unit;
    const auto number = leading_number(text, unit);
    if (!number) return std::nullopt;
    double seconds = *number;
    if (unit == "ms")
        seconds /= 1000;
    else if (unit == "m")
        seconds *= 60;
    else if (unit == "h")
        seconds *= 3600;
    else if (unit != "s" && !unit.empty())
        return std::nullopt;
    if (seconds > seconds_max) return std::nullopt;
    return seconds;
}

std::optional<std::string> Arguments::text(std::string_view name) const {
    const auto found = options.find(name);
    if (found == options.end() || found->second.empty()) return std::nullopt;
    return found->second.back();
}

std::vector<std::string> Arguments::all(std::string_view name) const {
    const auto found = options.find(name);
    return found == options.end() ? std::vector<std::string>{} : found->second;
}

int64_t Arguments::number(std::string_view name, int64_t otherwise) const {
    const auto given = text(name);
    if (!given) return otherwise;
    int64_t x = otherwise;
    std::from_chars(given->data(), given->data() + given->size(), x);
    return x;
}

uint64_t Arguments::size(std::string_view name, uint64_t otherwise) const {
    const auto given = text(name);
    return given ? parse_size(*given).value_or(otherwise) : otherwise;
}

double Arguments::seconds(std::string_view name, double otherwise) const {
    const auto given = text(name);
    return given ? parse_seconds(*given).value_or(otherwise) : otherwise;
}

}  // namespace millrace::cli
