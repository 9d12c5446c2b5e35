// Values of configuration keys: whether one fits its key, in Kafka's words when it does not, and the form in
// which Kafka shows it. And Java's properties files.
#include "config_value.h"

#include <charconv>

namespace millrace {

namespace {

constexpr std::string_view blanks = " \t\n\r\f";

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, {}, [](char c) { return lower(c); }, [](char c) { return lower(c); });
}

std::string_view type_word(ConfigType type) {
    switch (type) {
        case ConfigType::int16: return "SHORT";
        case ConfigType::int32: return "INT";
        case ConfigType::int64: return "LONG";
        case ConfigType::float64: return "DOUBLE";
        default: return "STRING";
    }
}

std::string number_text(double x) {
    char text[64];
    const bool whole = x == static_cast<double>(static_cast<int64_t>(x));
    const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<int64_t>(x))
                           : std::to_chars(text, text + sizeof text, x);
    return {text, end.ptr};
}

// The checks return the reason, or nothing.

std::optional<double> parse_number(ConfigType type, std::string_view text) {
    if (type == ConfigType::float64) return parse_double(text);
    const auto whole = parse_whole(type, text);
    if (!whole) return std::nullopt;
    return static_cast<double>(*whole);
}

std::string check_number(const ConfigKey& key, std::string_view text) {
    const std::optional<double> number = parse_number(key.type, text);
    if (!number) return "Not a number of type " + std::string(type_word(key.type));
    if (key.rule.kind == ConfigRule::Kind::gzip_level) {
        const bool fits = *number == -1 || (*number >= 1 && *number <= 9);
        return fits ? "" : "Value must be between 1 and 9 or equal to -1";
    }
    if (key.rule.kind != ConfigRule::Kind::range) return "";
    if (*number < key.rule.least) return "Value must be at least " + number_text(key.rule.least);
    if (*number > key.rule.most) return "Value must be no more than " + number_text(key.rule.most);
    return "";
}

std::string check_choice(const ConfigRule& rule, std::string_view text) {
    const std::vector<std::string_view> choices = split(rule.choices, ' ');
    const bool any_case = rule.kind == ConfigRule::Kind::one_of_ignoring_case;
    for (std::string_view choice : choices)
        if (any_case ? same_ignoring_case(choice, text) : choice == text) return "";
    std::string reason = any_case ? "String must be one of (case insensitive): " : "String must be one of: ";
    for (size_t i = 0; i < choices.size(); i++) reason.append(i == 0 ? "" : ", ").append(choices[i]);
    return reason;
}

bool is_throttled_replica(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    return parse_whole(ConfigType::int32, text.substr(0, colon)) &&
           parse_whole(ConfigType::int32, text.substr(colon + 1));
}

std::string check_throttled_replicas(std::span<const std::string_view> items) {
    if (items.size() == 1 && items[0] == "*") return "";
    if (std::ranges::all_of(items, is_throttled_replica)) return "";
    return "The value must be the literal '*' or a list of replicas in the following format: "
           "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
}

std::string check_string(const ConfigRule& rule, std::string_view text) {
    using Kind = ConfigRule::Kind;
    if (rule.kind == Kind::non_empty && text.empty()) return "String must be non-empty";
    if (rule.kind == Kind::one_of || rule.kind == Kind::one_of_ignoring_case) return check_choice(rule, text);
    return "";
}

std::string reason_against(const ConfigKey& key, std::string_view text) {
    switch (key.type) {
        case ConfigType::boolean:
            return parse_boolean(text) ? "" : "Expected value to be either true or false";
        case ConfigType::int16:
        case ConfigType::int32:
        case ConfigType::int64:
        case ConfigType::float64: return check_number(key, text);
        default: return check_string(key.rule, text);
    }
}

bool has_duplicates(std::vector<std::string_view> items) {
    std::ranges::sort(items);
    return std::ranges::adjacent_find(items) != items.end();
}

std::string invalid(const ConfigKey& key, std::string_view text, const std::string& reason) {
    if (reason.empty()) return "";
    return "Invalid value " + std::string(text) + " for configuration " + std::string(key.name) + ": " +
           reason;
}

// Of a list of words Kafka names the word that is wrong.
std::string check_list(const ConfigKey& key, std::string_view text) {
    const std::vector<std::string_view> items = list_items(text);
    if (key.rule.kind == ConfigRule::Kind::throttled_replicas)
        return invalid(key, text, check_throttled_replicas(items));
    if (has_duplicates(items))
        return "Configuration '" + std::string(key.name) + "' values must not be duplicated.";
    if (key.rule.kind != ConfigRule::Kind::one_of) return "";
    for (std::string_view item : items)
        if (const std::string reason = check_choice(key.rule, item); !reason.empty())
            return invalid(key, item, reason);
    return "";
}

}  // namespace

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
    const size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::vector<std::string_view> list_items(std::string_view text) {
    text = trim(text);
    if (text.empty()) return {};
    std::vector<std::string_view> items = split(text, ',');
    for (std::string_view& item : items) item = trim(item);
    return items;
}

std::optional<bool> parse_boolean(std::string_view text) {
    if (same_ignoring_case(text, "true")) return true;
    if (same_ignoring_case(text, "false")) return false;
    return std::nullopt;
}

std::optional<int64_t> parse_whole(ConfigType type, std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    int64_t x = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (type == ConfigType::int32 && x != static_cast<int32_t>(x)) return std::nullopt;
    if (type == ConfigType::int16 && x != static_cast<int16_t>(x)) return std::nullopt;
    return x;
}

std::optional<double> parse_double(std::string_view text) {
    double x = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return x;
}

std::string check_config_value(const ConfigKey& key, std::string_view value) {
    const std::string_view text = trim(value);
    if (key.type == ConfigType::list) return check_list(key, text);
    return invalid(key, text, reason_against(key, text));
}

std::string normal_config_value(const ConfigKey& key, std::string_view value) {
    const std::string_view text = trim(value);
    if (key.type == ConfigType::boolean) {
        const auto parsed = parse_boolean(text);
        return parsed ? (*parsed ? "true" : "false") : std::string(text);
    }
    if (key.type != ConfigType::list) return std::string(text);
    std::string joined;
    const std::vector<std::string_view> items = list_items(text);
    for (size_t i = 0; i < items.size(); i++) joined.append(i == 0 ? "" : ",").append(items[i]);
    return joined;
}

}  // namespace millrace
