// Whole nodes with clients, from the seeds that once found a bug. Fresh seeds are millrace-sim's.
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

TEST_CASE("a frame of a coroutine is freed once when a client's node dies in a call") { run_seed(2); }
TEST_CASE("a read from disk whose first batch does not fit is empty") { run_seed(4); }
TEST_CASE("a large append to blocks that were written out before goes through the journal") { run_seed(9); }
