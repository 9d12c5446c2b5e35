// millrace-sim SEED [--minutes M] [--log]: one seed of the simulated node, told as a story.
#include <cstdlib>
#include <string_view>

#include <fmt/core.h>

#include "trial.h"

namespace {

constexpr int exit_usage = 2;

int usage() {
    fmt::print(stderr,
               "usage: millrace-sim SEED [--minutes M] [--log]\n"
               "  --minutes M  simulated time under faults (default: a few lives)\n"
               "  --log        the nodes' log lines too\n");
    return exit_usage;
}

}  // namespace

int main(int count, char** arguments) {
    millrace::sim::TrialOptions options{.print_story = true};
    if (count < 2) return usage();
    char* end = nullptr;
    options.seed = std::strtoull(arguments[1], &end, 0);
    if (*end != '\0') return usage();
    for (int i = 2; i < count; i++) {
        const std::string_view argument = arguments[i];
        if (argument == "--log")
            options.print_log = true;
        else if (argument == "--minutes" && i + 1 < count)
            options.minutes = std::strtoull(arguments[++i], nullptr, 10);
        else
            return usage();
    }
    millrace::sim::Trial trial(options);
    const auto result = trial.run();
    fmt::print("{}\n{}\n{} sent, {} acknowledged, {} read; {:.1f} simulated s, {} turns, trace {:016x}\n",
               result.faults.to_text(), result.faults.met_text(), result.sent, result.acknowledged,
               result.read, static_cast<double>(result.simulated_ns) / 1e9, result.turns, result.trace_hash);
    for (const auto& problem : result.problems) fmt::print("PROBLEM: {}\n", problem);
    fmt::print("seed {}: {}\n", options.seed, result.ok() ? "nothing is wrong" : "FAILED");
    return result.ok() ? 0 : 1;
}
