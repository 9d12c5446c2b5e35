// Renders log lines. What comes from outside cannot forge a line: control characters and quotes are escaped.
#include "millrace/log_line.h"

#include <fmt/format.h>

namespace millrace {
namespace {

std::string_view level_text(Level level) {
    static constexpr std::string_view texts[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    return texts[static_cast<int>(level)];
}

struct Date {
    int64_t year;
    int month;
    int day;
};

// The proleptic Gregorian date of a day counted from 1970-01-01; years are counted from March in between.
Date date_of(int64_t days) {
    days += 719468;                                                   // From 0000-03-01.
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;  // 400 years each.
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int month_from_march = static_cast<int>((5 * day_of_year + 2) / 153);
    const int day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    const int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {.year = year_of_era + era * 400 + (month <= 2), .month = month, .day = day};
}

std::string time_text(int64_t ms) {
    constexpr int64_t day_ms = 86'400'000;
    const int64_t days = ms >= 0 ? ms / day_ms : (ms - day_ms + 1) / day_ms;
    const int64_t rest = ms - days * day_ms;
    const Date date = date_of(days);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", date.year, date.month, date.day,
                       rest / 3'600'000, rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
}

bool is_plain(std::string_view value) {
    const auto plain = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > ' ' && byte != '"' && byte != '\\' && byte != '=' && byte != 0x7f;
    };
    return !value.empty() && std::all_of(value.begin(), value.end(), plain);
}

void append_escaped(std::string& out, std::string_view value) {
    for (char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\', out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
}

void append_value(std::string& out, std::string_view value) {
    if (is_plain(value)) {
        out += value;
        return;
    }
    out += '"';
    append_escaped(out, value);
    out += '"';
}

// Cuts at a character's edge, so that what was UTF-8 stays so.
void cut(std::string& text, size_t size_max) {
    constexpr std::string_view ending = "...";
    if (text.size() <= size_max) return;
    size_t size = size_max - ending.size();
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) size--;
    text.resize(size);
    text += ending;
}

}  // namespace

void Logger::line(Level level, std::string_view module, std::string_view event,
                  std::initializer_list<Field> fields) {
    std::string text = fmt::format("{} shard={} {}  ", level_text(level), shard_, module);
    append_escaped(text, event);
    for (const Field& field : fields) {
        if (text.size() > line_size_max) break;
        text += ' ';
        text += field.name;
        text += '=';
        append_value(text, std::string_view(field.value).substr(0, line_size_max));
    }
    cut(text, line_size_max);
    const int64_t now_ms = sink_.wall_ms();
    const bool again = text == last_;
    if (again) {
        repeats_++;
        if (now_ms - last_ms_ < repeat_ms) return;
    }
    flush();
    if (again) return;
    last_ = std::move(text), last_level_ = level, last_ms_ = now_ms;
    sink_.write(level, fmt::format("{} {}", time_text(now_ms), last_));
}

void Logger::flush() {
    if (repeats_ == 0) return;
    last_ms_ = sink_.wall_ms();
    sink_.write(last_level_, fmt::format("{} {} repeated={}", time_text(last_ms_), last_, repeats_));
    repeats_ = 0;
}

}  // namespace millrace
