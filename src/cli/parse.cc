// Parsing a command's options with Boost.Program_options. The only file that catches exceptions: none leave
// it.
#include <charconv>

#include <boost/program_options.hpp>

#include "command.h"
#include "millrace/config.h"

namespace millrace::cli {

namespace {

namespace po = boost::program_options;

std::string boost_name(const Option& option) {
    std::string name(option.name);
    if (option.letter) name += std::string(",") + option.letter;
    return name;
}

po::options_description description_of(std::span<const Option> options) {
    po::options_description description;
    for (const Option& option : options) {
        const std::string help(option.help);
        if (option.kind == ValueKind::none)
            description.add_options()(boost_name(option).c_str(), help.c_str());
        else
            description.add_options()(boost_name(option).c_str(),
                                      po::value<std::vector<std::string>>()->composing(), help.c_str());
    }
    description.add_options()("words", po::value<std::vector<std::string>>()->composing(), "");
    return description;
}

bool fits(ValueKind kind, const std::string& value) {
    if (kind == ValueKind::size) return parse_size(value).has_value();
    if (kind == ValueKind::seconds) return parse_seconds(value).has_value();
    if (kind != ValueKind::whole_number) return true;
    int64_t x = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), x);
    return code == std::errc{} && end == value.data() + value.size() && x >= 0 && x <= INT32_MAX;
}

std::string kind_text(ValueKind kind) {
    if (kind == ValueKind::size) return "a size such as 16384, 16K or 1M";
    if (kind == ValueKind::seconds) return "a time such as 10s, 500ms or 1m";
    return "a whole number";
}

std::string problem_with(const Arguments& arguments, const Command& command,
                         std::span<const Option> options) {
    for (const Option& option : options) {
        const std::vector<std::string> values = arguments.all(option.name);
        if (values.size() > 1 && !option.repeats) return "--" + std::string(option.name) + " is given twice";
        for (const std::string& value : values)
            if (option.kind != ValueKind::none && !fits(option.kind, value))
                return "--" + std::string(option.name) + ": '" + value + "' is not " + kind_text(option.kind);
    }
    if (arguments.words.size() < command.words_min) return "it needs " + std::string(command.words);
    if (arguments.words.size() > command.words_max)
        return "'" + arguments.words[command.words_max] + "' is one word too many";
    return "";
}

std::string unknown_option(const std::string& name, std::span<const Option> options) {
    std::vector<std::string_view> known;
    for (const Option& option : options) known.push_back(option.name);
    const size_t dashes = std::min(name.find_first_not_of('-'), name.size());
    std::string problem = "there is no option " + name;
    if (const auto nearest = nearest_word(std::string_view(name).substr(dashes), known))
        problem += "; did you mean --" + std::string(*nearest) + "?";
    return problem;
}

Arguments arguments_of(const po::variables_map& values) {
    Arguments arguments;
    for (const auto& [name, value] : values) {
        std::vector<std::string> texts;
        if (const auto* list = boost::any_cast<std::vector<std::string>>(&value.value())) texts = *list;
        if (name == "words")
            arguments.words = texts;
        else
            arguments.options[name] = texts;
    }
    return arguments;
}

}  // namespace

Parsed parse_arguments(const Command& command, const std::vector<std::string>& words) {
    const std::vector<Option> options = all_options(command);
    Parsed parsed;
    try {
        po::positional_options_description positional;
        positional.add("words", -1);
        using namespace po::command_line_style;
        po::variables_map values;
        const po::options_description description = description_of(options);
        po::store(po::command_line_parser(words)
                      .options(description)
                      .positional(positional)
                      .style(unix_style & ~allow_guessing)
                      .run(),
                  values);
        Arguments arguments = arguments_of(values);
        parsed.wants_help = arguments.has("help");
        parsed.problem = parsed.wants_help ? "" : problem_with(arguments, command, options);
        if (parsed.problem.empty()) parsed.arguments = std::move(arguments);
    } catch (const po::unknown_option& error) {
        parsed.problem = unknown_option(error.get_option_name(), options);
    } catch (const std::exception& error) {
        parsed.problem = error.what();
    }
    return parsed;
}

}  // namespace millrace::cli
