// Whole nodes with clients, from seeds: those that once found a bug, and fresh ones when asked for.
//
// MILLRACE_SIM_SEEDS=N runs N fresh seeds from MILLRACE_SIM_BASE (else 1'000'000) on.
#include <cstdlib>

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

uint64_t number_from(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

}  // namespace

TEST_CASE("a seed has one trace") { CHECK(run_seed(3).trace_hash == run_seed(3).trace_hash); }

TEST_CASE("a frame of a coroutine is freed once when a client's node dies in a call") { run_seed(2); }
TEST_CASE("a read from disk whose first batch does not fit is empty") { run_seed(4); }
TEST_CASE("a large append to blocks that were written out before goes through the journal") { run_seed(9); }

TEST_CASE("fresh seeds find nothing") {
    const uint64_t base = number_from("MILLRACE_SIM_BASE", 1'000'000);
    const uint64_t count = number_from("MILLRACE_SIM_SEEDS", 0);
    sim::FaultCounts faults;
    uint64_t simulated_ns = 0;
    for (uint64_t seed = base; seed < base + count; seed++) {
        const sim::TrialResult result = run_seed(seed);
        faults.add(result.faults);
        simulated_ns += result.simulated_ns;
    }
    fmt::print("seeds {} to {}: {:.2f} simulated hours, {} faults; {}\n", base, base + count,
               static_cast<double>(simulated_ns) / 3.6e12, faults.total(), faults.to_text());
}
