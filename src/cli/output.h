// What commands print: tables and JSON on stdout, failures with their cause and mend on stderr.
#pragma once
#include <string>
#include <vector>

#include "command.h"

namespace millrace::cli {

void print(std::string_view text);        // To stdout, at once.
void print_error(std::string_view text);  // To stderr.

// "millrace: WHAT" and below it how to mend it; returns the code.
int fail(ExitCode code, const std::string& what, const std::string& mend = "");
int unknown_command(std::span<const std::string> words);
// The code of a broker's error, e.g. exit_not_found for unknown_topic_or_partition.
ExitCode exit_code_of(Error error);
// fail() with the error's sentence, `detail` (the broker's words or why it cannot be reached) and a mend that
// fits it.
int fail_with(const std::string& what, Error error, const std::string& detail = "");

enum class Format : uint8_t { table, json, jsonl, csv, name };
// Nothing when -o names none of them.
std::optional<Format> format_of(const Arguments& arguments);

struct Column {
    std::string_view name;
    bool is_number = false;  // Right in a table, bare in JSON.
};
struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<std::string>> rows;  // The first column is what -o name prints.
};
// Aligned for a terminal `width` columns wide (0: not a terminal, then columns are separated by tabs).
std::string format_table(const Table& table, Format format, size_t width);
// For this process's stdout.
void print_table(const Table& table, Format format);

std::string json_text(std::string_view text);  // Quoted and escaped; what is not UTF-8 becomes U+FFFD.

// A JSON object in the making: members in the order in which they were added.
class JsonObject {
 public:
    JsonObject& text(std::string_view name, std::string_view value) { return raw(name, json_text(value)); }
    JsonObject& number(std::string_view name, int64_t value) { return raw(name, std::to_string(value)); }
    JsonObject& number(std::string_view name, double value);
    JsonObject& raw(std::string_view name, std::string_view json);
    std::string done() const { return "{" + members_ + "}"; }

 private:
    std::string members_;
};

// "1,234,567"; "12.3 MB/s" and the like for people.
std::string with_commas(uint64_t number);

}  // namespace millrace::cli
