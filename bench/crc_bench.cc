// CRC-32C: every implementation that this processor has, at the sizes that matter.
#include <benchmark/benchmark.h>

#include "../src/base/crc32c.h"

namespace millrace {
namespace {

void run(benchmark::State& state, crc::Function function, bool available) {
    if (!available) return state.SkipWithError("not on this processor");
    std::vector<uint8_t> data(state.range(0), 0x5a);
    uint32_t crc = 0;
    for (auto _ : state) benchmark::DoNotOptimize(crc = function(data, crc));
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}

void sizes(benchmark::internal::Benchmark* bench) {
    for (int size : {61, 100, 200, 500, 1024, 4096, 16384, 131072, 1048576}) bench->Arg(size);
}

BENCHMARK_CAPTURE(run, portable, crc::portable, true)->Apply(sizes);
BENCHMARK_CAPTURE(run, interleaved, crc::interleaved, crc::has_interleaved())->Apply(sizes);
BENCHMARK_CAPTURE(run, folded, crc::folded, crc::has_folded())->Apply(sizes);
BENCHMARK_CAPTURE(run, chosen, crc32c, true)->Apply(sizes);

}  // namespace
}  // namespace millrace

BENCHMARK_MAIN();
