// Options against the table: values of every kind, mistakes with suggestions.
#include <doctest/doctest.h>

#include "command.h"

using namespace millrace;
using namespace millrace::cli;

namespace {

Parsed parse(const std::string& command, const std::vector<std::string>& words) {
    std::vector<std::string> name;
    for (size_t at = 0; at < command.size();) {
        const size_t end = std::min(command.find(' ', at), command.size());
        name.push_back(command.substr(at, end - at));
        at = end + 1;
    }
    const Found found = find_command(name);
    REQUIRE(found.command != nullptr);
    return parse_arguments(*found.command, words);
}

}  // namespace

TEST_CASE("options and words may be mixed, long and short") {
    const Parsed parsed =
        parse("topic create", {"a", "-p", "3", "b", "--config=x=1", "-c", "y=2", "--dry-run"});
    REQUIRE(parsed.arguments.has_value());
    CHECK(parsed.arguments->words == std::vector<std::string>{"a", "b"});
    CHECK(parsed.arguments->number("partitions", 0) == 3);
    CHECK(parsed.arguments->all("config") == std::vector<std::string>{"x=1", "y=2"});
    CHECK(parsed.arguments->has("dry-run"));
    CHECK_FALSE(parsed.arguments->has("replicas"));
}

TEST_CASE("a misspelt option is refused with a suggestion") {
    CHECK(parse("topic create", {"a", "--partition", "3"}).problem ==
          "there is no option --partition; did you mean --partitions?");
    CHECK(parse("serve", {"--nonsense", "3"}).problem == "there is no option --nonsense");
}

TEST_CASE("values are checked against their kind") {
    CHECK(parse("topic create", {"a", "-p", "three"}).problem ==
          "--partitions: 'three' is not a whole number");
    CHECK(parse("topic create", {"a", "-p", "-1"}).problem != "");
    CHECK(parse("bench produce", {"--batch-size", "16Q"}).problem ==
          "--batch-size: '16Q' is not a size such as 16384, 16K or 1M");
    CHECK(parse("bench produce", {"-d", "soon"}).problem ==
          "--duration: 'soon' is not a time such as 10s, 500ms or 1m");
    CHECK(parse("topic create", {"a", "-p", "1", "-p", "2"}).problem == "--partitions is given twice");
    CHECK(parse("topic create", {"a", "-p"}).problem != "");
}

TEST_CASE("too few and too many words are refused") {
    CHECK(parse("topic create", {}).problem == "it needs NAME...");
    CHECK(parse("topic list", {"x"}).problem == "'x' is one word too many");
    CHECK(parse("topic create", {}).arguments.has_value() == false);
}

TEST_CASE("help is given even where arguments are missing") {
    CHECK(parse("topic create", {"--help"}).wants_help);
    CHECK(parse("topic create", {"-h"}).problem.empty());
}

TEST_CASE("sizes and times") {
    CHECK(parse_size("16384") == 16384);
    CHECK(parse_size("16K") == 16384);
    CHECK(parse_size("1.5M") == 1572864);
    CHECK_FALSE(parse_size("K").has_value());
    CHECK_FALSE(parse_size("-1").has_value());
    CHECK_FALSE(parse_size("1e3x").has_value());
    CHECK(parse_seconds("10") == 10.0);
    CHECK(parse_seconds("500ms") == 0.5);
    CHECK(parse_seconds("2m") == 120.0);
    CHECK_FALSE(parse_seconds("fast").has_value());
}

TEST_CASE("no command lacks help or an example, and the example is one of its own") {
    for (const Command& command : commands()) {
        CAPTURE(command.name);
        CHECK(command.summary.size() > 5);
        CHECK_FALSE(command.summary.ends_with('.'));
        REQUIRE(!command.examples.empty());
        CHECK(command.examples[0].find("millrace " + std::string(command.name)) != std::string_view::npos);
        CHECK(static_cast<bool>(command.run));
        const std::string help = help_of(command);
        CHECK(help.find("xample") != std::string::npos);
        for (const Option& option : all_options(command)) {
            CAPTURE(option.name);
            CHECK(option.help.size() > 3);
            CHECK((option.kind == ValueKind::none) == option.value.empty());
            CHECK(help.find("--" + std::string(option.name)) != std::string::npos);
        }
    }
}

TEST_CASE("no two options of a command share a name or a letter") {
    for (const Command& command : commands()) {
        std::map<std::string, int> seen;
        for (const Option& option : all_options(command)) {
            seen[std::string(option.name)]++;
            if (option.letter) seen[std::string("-") + option.letter]++;
        }
        for (const auto& [name, count] : seen) {
            CAPTURE(command.name);
            CAPTURE(name);
            CHECK(count == 1);
        }
    }
}

TEST_CASE("the overview fits into 20 lines of a terminal") {
    const std::string text = overview();
    CHECK(std::ranges::count(text, '\n') <= 20);
    for (size_t at = 0; at < text.size();) {
        const size_t end = text.find('\n', at);
        CHECK(end - at <= 100);
        at = end + 1;
    }
}
