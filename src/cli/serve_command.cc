// `millrace serve`: flags, environment and file become a configuration, or errors that say how to mend them.
#include "command.h"
#include "millrace/host.h"
#include "output.h"
#include "serve.h"

namespace millrace::cli {

namespace {

// Flags that stand for a setting; the later ones of the table win over --set.
struct FlagKey {
    std::string_view flag, key;
};
constexpr FlagKey flag_keys[] = {{"data", "log.dirs"}, {"shards", "millrace.shards"}, {"node-id", "node.id"}};

std::vector<ConfigFlag> flags_of(const Arguments& arguments, std::string& problem) {
    std::vector<ConfigFlag> flags;
    for (const std::string& setting : arguments.all("set")) {
        const size_t equals = setting.find('=');
        if (equals == std::string::npos || equals == 0)
            problem = "--set: '" + setting + "' is not KEY=VALUE";
        else
            flags.push_back({setting.substr(0, equals), setting.substr(equals + 1), "--set"});
    }
    for (const FlagKey& entry : flag_keys)
        if (const auto value = arguments.text(entry.flag))
            flags.push_back({std::string(entry.key), *value, "--" + std::string(entry.flag)});
    if (const auto address = arguments.text("listen")) {
        flags.push_back({"listeners", "PLAINTEXT://" + *address, "--listen"});
        flags.push_back({"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT", "--listen"});
    }
    return flags;
}

ConfigMap settings_from_environment() {
    ConfigMap found;
    for (const char* prefix : {"KAFKA_", "MILLRACE_"})
        for (auto& [name, value] : environment_with(prefix)) found[name] = value;
    found.erase("MILLRACE_BOOTSTRAP");  // The other commands' own.
    return found;
}

}  // namespace

int run_serve(const Arguments& arguments) {
    std::string problem;
    ConfigInput input{.flags = flags_of(arguments, problem), .environment = settings_from_environment()};
    if (!problem.empty()) return fail(exit_usage, "serve: " + problem, "`millrace help serve` shows how");
    if (const auto file = arguments.text("config")) {
        FileText read = read_small_file(*file);
        if (read.error != 0)
            return fail(exit_config, "cannot read " + *file + ": " + errno_text(read.error),
                        "give the path of a server.properties file, or leave --config out");
        input.file_name = *file;
        input.file_text = std::move(read.text);
    }
    LoadedConfig loaded = load_broker_config(input);
    if (!loaded.ok()) {
        for (const std::string& error : loaded.errors) fail(exit_config, error);
        return exit_config;
    }
    ServeOptions options{.config = std::move(loaded.config), .notices = std::move(loaded.notices)};
    if (arguments.has("ready-fd")) options.ready_fd = static_cast<int>(arguments.number("ready-fd", -1));
    return run_broker(options);
}

}  // namespace millrace::cli
