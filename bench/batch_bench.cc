// What it costs to judge, walk, patch and build record batches: 16 KB batches of 100-byte values, and one
// record.
#include <benchmark/benchmark.h>

#include "millrace/batch.h"

namespace millrace {
namespace {

constexpr int64_t now_ms = 1'700'000'000'000;

std::vector<uint8_t> batch_of(size_t size, Codec codec) {
    BatchBuilder builder({.codec = codec});
    uint32_t state = 1;
    int i = 0;
    do {
        std::array<uint8_t, 100> value;
        for (auto& byte : value) state = state * 1664525 + 1013904223, byte = "abcdefghijklmnop"[state >> 28];
        builder.add({.timestamp = now_ms + i++, .key = {}, .value = Bytes(value), .headers = {}});
    } while (builder.size() + 110 < size);
    Compressor compressor;
    return builder.build(compressor);
}

void validate(benchmark::State& state, Codec codec) {
    const auto batch = batch_of(static_cast<size_t>(state.range(0)), codec);
    const ClientBatchRules rules{.produce_version = 9, .now_ms = now_ms};
    Decompressor decompressor;
    for (auto _ : state) {
        const auto verdict = validate_client_batch(batch, rules, decompressor);
        if (!verdict.ok()) return state.SkipWithError("refused");
        benchmark::DoNotOptimize(verdict.max_timestamp);
    }
    state.counters["records"] = BatchView::parse(batch)->record_count();
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * batch.size()));
}
BENCHMARK_CAPTURE(validate, none, Codec::none)->Arg(0)->Arg(16384);
BENCHMARK_CAPTURE(validate, gzip, Codec::gzip)->Arg(16384);
BENCHMARK_CAPTURE(validate, snappy, Codec::snappy)->Arg(16384);
BENCHMARK_CAPTURE(validate, lz4, Codec::lz4)->Arg(16384);
BENCHMARK_CAPTURE(validate, zstd, Codec::zstd)->Arg(16384);

void crc_alone(benchmark::State& state) {
    const auto batch = batch_of(16384, Codec::none);
    const auto view = *BatchView::parse(batch);
    for (auto _ : state) benchmark::DoNotOptimize(view.crc_matches());
}
BENCHMARK(crc_alone);

void read_records(benchmark::State& state) {
    const auto batch = batch_of(16384, Codec::none);
    Decompressor decompressor;
    for (auto _ : state) {
        auto reader = RecordReader::open(*BatchView::parse(batch), decompressor);
        size_t size = 0;
        while (auto record = reader->next()) size += record->value->size();
        benchmark::DoNotOptimize(size);
    }
}
BENCHMARK(read_records);

void build(benchmark::State& state) {
    const std::array<uint8_t, 100> value{};
    BatchBuilder builder;
    for (auto _ : state) {
        for (int i = 0; i < 150; i++)
            builder.add({.timestamp = now_ms, .key = {}, .value = Bytes(value), .headers = {}});
        benchmark::DoNotOptimize(builder.build());
    }
}
BENCHMARK(build);

}  // namespace
}  // namespace millrace

BENCHMARK_MAIN();
