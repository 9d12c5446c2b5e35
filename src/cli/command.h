// The command line's one table: every command with its options, help and example, and what it runs.
//
// Help, parsing and the tests that no command lacks help all read this table.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base.h"

namespace millrace::cli {

enum ExitCode : int {
    exit_ok = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_unreachable = 3,
    exit_not_authorised = 4,
    exit_not_found = 5,
    exit_timed_out = 6,
    exit_partly_done = 7,
    exit_config = 78,
    exit_interrupted = 130,
    exit_terminated = 143,
};

enum class ValueKind : uint8_t { none, text, whole_number, size, seconds };

struct Option {
    std::string_view name;  // Without dashes.
    char letter;            // 0: none.
    ValueKind kind;
    std::string_view value;  // What help calls the value: "FILE".
    std::string_view help;
    bool repeats = false;
};

// What a command was given; every value was checked against its kind.
class Arguments {
 public:
    std::map<std::string, std::vector<std::string>, std::less<>> options;
    std::vector<std::string> words;  // What is no option.

    bool has(std::string_view name) const { return options.find(name) != options.end(); }
    std::optional<std::string> text(std::string_view name) const;
    std::vector<std::string> all(std::string_view name) const;
    int64_t number(std::string_view name, int64_t otherwise) const;
    uint64_t size(std::string_view name, uint64_t otherwise) const;  // "16384", "16K", "1M".
    double seconds(std::string_view name, double otherwise) const;   // "10", "0.5", "500ms", "1m".
};

struct Command {
    std::string_view name;   // "topic create".
    std::string_view words;  // "NAME..."; what stands after the options. Empty: nothing may.
    size_t words_min = 0;
    size_t words_max = SIZE_MAX;
    std::string_view summary;  // One line, no full stop.
    std::vector<Option> options;
    bool talks_to_brokers = true;  // Then it has --bootstrap-server, --output and --timeout too.
    std::vector<std::string_view> examples;
    int (*run)(const Arguments& arguments);
};

std::span<const Command> commands();
// Options of every command that talks to brokers.
std::span<const Option> broker_options();
std::vector<Option> all_options(const Command& command);

// The command whose name the words begin with, and how many words its name has.
struct Found {
    const Command* command = nullptr;
    size_t words = 0;
};
Found find_command(std::span<const std::string> words);

// Either the arguments, or why they are wrong (one sentence with a suggestion).
struct Parsed {
    std::optional<Arguments> arguments;
    std::string problem;
    bool wants_help = false;
};
Parsed parse_arguments(const Command& command, const std::vector<std::string>& words);

std::optional<uint64_t> parse_size(std::string_view text);
std::optional<double> parse_seconds(std::string_view text);

std::string overview();  // Bare `millrace`: at most 20 lines.
std::string help_of(const Command& command);

// Runs a whole command line, without the program's name; the exit code.
int run(const std::vector<std::string>& words);

// What the table runs.
int run_serve(const Arguments& arguments);
int run_topic_create(const Arguments& arguments);
int run_topic_list(const Arguments& arguments);
int run_topic_describe(const Arguments& arguments);
int run_topic_delete(const Arguments& arguments);
int run_produce(const Arguments& arguments);
int run_consume(const Arguments& arguments);
int run_group_list(const Arguments& arguments);
int run_group_describe(const Arguments& arguments);
int run_group_lag(const Arguments& arguments);
int run_partition_list(const Arguments& arguments);
int run_partition_move(const Arguments& arguments);
int run_bench_produce(const Arguments& arguments);
int run_bench_consume(const Arguments& arguments);
int run_bench_e2e(const Arguments& arguments);
int run_log_dump(const Arguments& arguments);
int run_log_import(const Arguments& arguments);
int run_log_repair(const Arguments& arguments);
int run_log_verify(const Arguments& arguments);
int run_version(const Arguments& arguments);
int run_help(const Arguments& arguments);

inline constexpr std::string_view version_text = "0.1.0";
inline constexpr std::string_view protocol_text = "4.3";

}  // namespace millrace::cli
