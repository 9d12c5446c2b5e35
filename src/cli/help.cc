// Help, from the table of commands.
#include <fmt/format.h>

#include "command.h"
#include "output.h"

namespace millrace::cli {

namespace {

std::string option_text(const Option& option) {
    std::string left = option.letter ? fmt::format("-{}, ", option.letter) : "    ";
    left += fmt::format("--{}", option.name);
    if (!option.value.empty()) left += fmt::format(" {}", option.value);
    return fmt::format("  {:<37} {}\n", left, option.help);
}

// "topic create|delete|describe|list" and what the family is for.
struct Family {
    std::string_view name, summary;
};
constexpr Family families[] = {
    {"topic", "Topics"},
    {"group", "Consumer groups"},
    {"log", "Files of a stopped broker, and of Apache Kafka's"},
    {"bench", "Load, with percentiles free of coordinated omission"},
};

std::string family_line(const Family& family) {
    std::string verbs;
    for (const Command& command : commands())
        if (command.name.starts_with(std::string(family.name) + " "))
            verbs += (verbs.empty() ? "" : "|") + std::string(command.name.substr(family.name.size() + 1));
    return fmt::format("  {:<36} {}\n", fmt::format("{} {}", family.name, verbs), family.summary);
}

const Family* family_of(const Command& command) {
    for (const Family& family : families)
        if (command.name.starts_with(std::string(family.name) + " ")) return &family;
    return nullptr;
}

}  // namespace

std::string overview() {
    std::string text = fmt::format("millrace {}: a broker that speaks Kafka {}, and its tools\n\n",
                                   version_text, protocol_text);
    const Family* last = nullptr;
    for (const Command& command : commands()) {
        const Family* family = family_of(command);
        if (family && family != last) text += family_line(*family);
        if (!family) text += fmt::format("  {:<36} {}\n", command.name, command.summary);
        last = family;
    }
    text +=
        "\nFirst steps\n"
        "  millrace serve --data ./data\n"
        "  echo hi | millrace produce hello\n"
        "  millrace consume hello --from start\n"
        "\n`millrace help COMMAND` explains one, with an example.\n";
    return text;
}

std::string help_of(const Command& command) {
    std::string text = fmt::format("millrace {} [OPTIONS]{}{}\n{}.\n\n", command.name,
                                   command.words.empty() ? "" : " ", command.words, command.summary);
    for (const Option& option : all_options(command)) text += option_text(option);
    text += command.examples.size() > 1 ? "\nExamples\n" : "\nExample\n";
    for (std::string_view example : command.examples) text += fmt::format("  {}\n", example);
    return text;
}

int run_help(const Arguments& arguments) {
    if (arguments.words.empty()) {
        print(overview());
        return exit_ok;
    }
    const Found found = find_command(arguments.words);
    if (found.command) {
        print(help_of(*found.command));
        return exit_ok;
    }
    std::string family;
    for (const Command& command : commands())
        if (command.name.starts_with(arguments.words[0] + " "))
            family += (family.empty() ? "" : "\n") + help_of(command);
    if (!family.empty()) {
        print(family);
        return exit_ok;
    }
    return unknown_command(arguments.words);
}

int run_version(const Arguments&) {
    print(fmt::format("millrace {} (kafka protocol {})\n", version_text, protocol_text));
    return exit_ok;
}

}  // namespace millrace::cli
