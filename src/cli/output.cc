// What commands print.
#include "output.h"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "millrace/config.h"
#include "millrace/host.h"

namespace millrace::cli {

namespace {

bool wants_color_on_stderr() { return terminal_facts().stderr_is_terminal && !environment("NO_COLOR"); }

// How many columns the text takes on a terminal: its code points.
size_t width_of(std::string_view text) {
    return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string cut(std::string_view text, size_t width) {
    if (width_of(text) <= width) return std::string(text);
    std::string kept;
    size_t columns = 0;
    for (char c : text) {
        if ((c & 0xc0) != 0x80 && ++columns >= width) break;
        kept += c;
    }
    return kept + "…";
}

std::string padded(std::string_view text, size_t width, bool to_the_right) {
    const std::string spaces(width - std::min(width, width_of(text)), ' ');
    return to_the_right ? spaces + std::string(text) : std::string(text) + spaces;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '_' ? '-' : c;
    return out;
}

std::string aligned(const Table& table, size_t width) {
    std::vector<size_t> widths;
    for (size_t i = 0; i < table.columns.size(); i++) {
        size_t widest = width_of(table.columns[i].name);
        for (const auto& row : table.rows) widest = std::max(widest, width_of(row[i]));
        widths.push_back(widest);
    }
    const auto line = [&](auto cell) {
        std::string text;
        for (size_t i = 0; i < widths.size(); i++)
            text += (i == 0 ? "" : "  ") + padded(cell(i), widths[i], table.columns[i].is_number);
        text.erase(text.find_last_not_of(' ') + 1);
        return cut(text, width) + "\n";
    };
    std::string text = line([&](size_t i) { return upper(table.columns[i].name); });
    for (const auto& row : table.rows) text += line([&](size_t i) { return row[i]; });
    return text;
}

std::string tabbed(const Table& table) {
    std::string text;
    for (size_t i = 0; i < table.columns.size(); i++)
        text.append(i == 0 ? "" : "\t").append(upper(table.columns[i].name));
    text += '\n';
    for (const auto& row : table.rows) {
        for (size_t i = 0; i < row.size(); i++) {
            text += i == 0 ? "" : "\t";
            for (char c : row[i]) text += c == '\t' || c == '\n' ? ' ' : c;
        }
        text += '\n';
    }
    return text;
}

std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string csv(const Table& table) {
    std::string text;
    for (size_t i = 0; i < table.columns.size(); i++)
        text.append(i == 0 ? "" : ",").append(table.columns[i].name);
    text += "\n";
    for (const auto& row : table.rows) {
        for (size_t i = 0; i < row.size(); i++) text.append(i == 0 ? "" : ",").append(csv_cell(row[i]));
        text += "\n";
    }
    return text;
}

std::string json_row(const Table& table, const std::vector<std::string>& row) {
    JsonObject object;
    for (size_t i = 0; i < row.size(); i++) {
        if (!table.columns[i].is_number)
            object.text(table.columns[i].name, row[i]);
        else
            object.raw(table.columns[i].name, row[i].empty() || row[i] == "-" ? "null" : row[i]);
    }
    return object.done();
}

// The length of the UTF-8 sequence that the text begins with; 0 when it is none.
size_t utf8_length(std::string_view text) {
    const auto c = static_cast<uint8_t>(text[0]);
    const size_t length = c < 0x80                ? 1
                          : c >= 0xc2 && c < 0xe0 ? 2
                          : c >= 0xe0 && c < 0xf0 ? 3
                          : c >= 0xf0 && c < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || text.size() < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return length;
}

std::string mend_for(Error error) {
    switch (exit_code_of(error)) {
        case exit_unreachable:
            return "start one with `millrace serve`, or name one with --bootstrap-server HOST:PORT";
        case exit_not_found: return "`millrace topic list` and `millrace group list` show what there is";
        case exit_timed_out: return "try again, with a longer --timeout if need be";
        default: return "";
    }
}

}  // namespace

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_error(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int fail(ExitCode code, const std::string& what, const std::string& mend) {
    const bool color = wants_color_on_stderr();
    std::string text = (color ? "\x1b[31mmillrace:\x1b[0m " : "millrace: ") + what + "\n";
    if (!mend.empty()) text += "  " + mend + "\n";
    print_error(text);
    return code;
}

int unknown_command(std::span<const std::string> words) {
    std::vector<std::string_view> names;
    for (const Command& command : commands()) names.push_back(command.name);
    for (std::string_view family : {"topic", "group", "bench", "log"}) names.push_back(family);
    std::string asked = words[0];
    if (words.size() > 1 && !words[1].starts_with('-')) asked += " " + words[1];
    auto nearest = nearest_word(asked, names);
    if (!nearest) nearest = nearest_word(words[0], names);
    const std::string mend = nearest ? "did you mean `millrace " + std::string(*nearest) + "`?"
                                     : "`millrace help` lists the commands";
    return fail(exit_usage, "there is no command '" + asked + "'", mend);
}

ExitCode exit_code_of(Error error) {
    switch (error) {
        case Error::none: return exit_ok;
        case Error::network_exception:
        case Error::broker_not_available: return exit_unreachable;
        case Error::topic_authorization_failed:
        case Error::group_authorization_failed:
        case Error::cluster_authorization_failed:
        case Error::transactional_id_authorization_failed:
        case Error::sasl_authentication_failed: return exit_not_authorised;
        case Error::unknown_topic_or_partition:
        case Error::unknown_topic_id:
        case Error::group_id_not_found:
        case Error::resource_not_found: return exit_not_found;
        case Error::request_timed_out: return exit_timed_out;
        default: return exit_failed;
    }
}

int fail_with(const std::string& what, Error error, const std::string& detail) {
    const bool unreached = error == Error::network_exception && !detail.empty();
    std::string text = what + ": " + (unreached ? "no broker answers" : std::string(error_message(error)));
    if (!detail.empty()) text += " (" + detail + ")";
    return fail(exit_code_of(error), text, mend_for(error));
}

std::optional<Format> format_of(const Arguments& arguments) {
    const std::string name = arguments.text("output").value_or("table");
    if (name == "table") return Format::table;
    if (name == "json") return Format::json;
    if (name == "jsonl") return Format::jsonl;
    if (name == "csv") return Format::csv;
    if (name == "name") return Format::name;
    return std::nullopt;
}

std::string format_table(const Table& table, Format format, size_t width) {
    std::string text;
    switch (format) {
        case Format::table: return width > 0 ? aligned(table, width) : tabbed(table);
        case Format::csv: return csv(table);
        case Format::name:
            for (const auto& row : table.rows) text += row[0] + "\n";
            return text;
        case Format::jsonl:
            for (const auto& row : table.rows) text += json_row(table, row) + "\n";
            return text;
        case Format::json:
            for (const auto& row : table.rows)
                text += (text.empty() ? "\n  " : ",\n  ") + json_row(table, row);
            return "[" + text + (text.empty() ? "" : "\n") + "]\n";
    }
    return text;
}

void print_table(const Table& table, Format format) {
    const TerminalFacts terminal = terminal_facts();
    print(format_table(table, format, terminal.stdout_is_terminal ? terminal.width : 0));
}

std::string json_text(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        const char c = text[0];
        if (length == 0)
            out += "\\ufffd";
        else if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (c == '\r')
            out += "\\r";
        else if (length == 1 && static_cast<uint8_t>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<int>(c));
        else
            out += text.substr(0, length);
        text.remove_prefix(std::max<size_t>(length, 1));
    }
    return out + "\"";
}

JsonObject& JsonObject::number(std::string_view name, double value) {
    return raw(name, std::isfinite(value) ? fmt::format("{:.6g}", value) : "null");
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    members_ += (members_.empty() ? "" : ", ") + json_text(name) + ": " + std::string(json);
    return *this;
}

std::string with_commas(uint64_t number) {
    std::string text = std::to_string(number);
    for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

}  // namespace millrace::cli
