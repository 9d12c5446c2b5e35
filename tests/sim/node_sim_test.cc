// Whole nodes with clients, always from the same seeds. Fresh ones are run by tools/simulate.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "src/sim/trial.h"

using namespace millrace;

namespace {

sim::TrialResult run_seed(uint64_t seed) {
    sim::Trial trial({.seed = seed});
    sim::TrialResult result = trial.run();
    for (const std::string& problem : result.problems) FAIL_CHECK(fmt::format("seed {}: {}", seed, problem));
    return result;
}

}  // namespace

TEST_CASE("a seed has one trace") { CHECK(run_seed(3).trace_hash == run_seed(3).trace_hash); }

TEST_CASE("the first seeds end well, and meet faults") {
    uint64_t errors = 0, full = 0, crashes = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const sim::FaultCounts faults = run_seed(seed).faults;
        errors += faults.met.read_errors + faults.met.write_errors + faults.met.sync_errors;
        full += faults.met.full;
        crashes += faults.kills + faults.power_cuts;
    }
    CHECK(errors > 0);
    CHECK(full > 0);
    CHECK(crashes > 10);
}
