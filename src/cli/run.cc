// From the words of a command line to a command's exit code.
#include "command.h"
#include "output.h"

namespace millrace::cli {

int run(const std::vector<std::string>& words) {
    if (words.empty() || words[0] == "--help" || words[0] == "-h") {
        print(overview());
        return exit_ok;
    }
    if (words[0] == "--version" || words[0] == "-V") return run_version({});
    std::vector<std::string> asked = words;
    if (asked[0] == "start") asked[0] = "serve";
    const Found found = find_command(asked);
    const bool is_family_help = asked.size() == 1 || asked[1] == "--help" || asked[1] == "-h";
    if (!found.command)
        return is_family_help ? run_help({.options = {}, .words = {asked[0]}}) : unknown_command(asked);
    asked.erase(asked.begin(), asked.begin() + static_cast<ptrdiff_t>(found.words));
    const Parsed parsed = parse_arguments(*found.command, asked);
    const std::string name(found.command->name);
    if (!parsed.arguments)
        return fail(exit_usage, name + ": " + parsed.problem, "`millrace help " + name + "` shows how");
    if (parsed.wants_help) {
        print(help_of(*found.command));
        return exit_ok;
    }
    if (found.command->talks_to_brokers && !format_of(*parsed.arguments))
        return fail(exit_usage,
                    name + ": there is no output format '" + *parsed.arguments->text("output") + "'",
                    "-o takes table, json, jsonl, csv or name");
    return found.command->run(*parsed.arguments);
}

}  // namespace millrace::cli
