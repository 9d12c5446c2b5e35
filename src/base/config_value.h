// Parsing the text of configuration values: what the files of src/base/config*.cc share.
#pragma once
#include "millrace/config.h"

namespace millrace {

char lower(char c);  // Of ASCII.
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
// Kafka's lists: by comma, each trimmed; nothing at all is no item.
std::vector<std::string_view> list_items(std::string_view text);

std::optional<bool> parse_boolean(std::string_view text);
// Within the type's range, decimal, nothing behind it.
std::optional<int64_t> parse_whole(ConfigType type, std::string_view text);
std::optional<double> parse_double(std::string_view text);

}  // namespace millrace
