// The shape of the rows in which the tables of configuration keys are written.
//
// A table is constant data; config_keys.cc turns the rows into ConfigKeys, sorted by name.
#pragma once
#include "millrace/config.h"

namespace millrace {

namespace config_rows {

using enum ConfigType;

enum class Change : uint8_t { fixed, dynamic, hidden };  // Hidden: fixed, and not shown by DescribeConfigs.
using enum Change;

inline constexpr std::nullopt_t none = std::nullopt;
inline constexpr ConfigRule any{};
inline constexpr ConfigRule non_empty{.kind = ConfigRule::Kind::non_empty};
inline constexpr ConfigRule gzip_level{.kind = ConfigRule::Kind::gzip_level};
inline constexpr ConfigRule throttled_replicas{.kind = ConfigRule::Kind::throttled_replicas};

inline constexpr double no_bound = __builtin_inf();

constexpr ConfigRule between(double least, double most) {
    return {.kind = ConfigRule::Kind::range, .least = least, .most = most};
}
constexpr ConfigRule at_least(double least) { return between(least, no_bound); }
constexpr ConfigRule one_of(std::string_view choices) {
    return {.kind = ConfigRule::Kind::one_of, .choices = choices};
}
constexpr ConfigRule one_of_ignoring_case(std::string_view choices) {
    return {.kind = ConfigRule::Kind::one_of_ignoring_case, .choices = choices};
}

}  // namespace config_rows

struct KeyRow {
    std::string_view name;
    ConfigType type;
    std::optional<std::string_view> default_value;
    ConfigRule rule;
    config_rows::Change change;
    std::string_view documentation;
};

std::span<const KeyRow> honoured_broker_rows();
std::span<const KeyRow> mapped_broker_rows();
std::span<const KeyRow> ignored_broker_rows();
std::span<const KeyRow> refused_broker_rows();
std::span<const KeyRow> topic_rows();
std::span<const KeyRow> group_rows();

}  // namespace millrace
