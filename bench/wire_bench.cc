// What a message costs: decoding a Produce request, encoding Fetch and Metadata responses.
#include <benchmark/benchmark.h>

#include "millrace/wire/fetch.h"
#include "millrace/wire/frame.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/produce.h"

namespace millrace::wire {
namespace {

void produce_request_decode(benchmark::State& state) {
    const std::vector<uint8_t> batch(static_cast<size_t>(state.range(0)), 7);
    ProduceRequest::Partition partitions[] = {{.index = 3, .records = Records{batch}}};
    ProduceRequest::Topic topics[] = {{.name = "clicks", .partition_data = partitions}};
    const ProduceRequest request{.acks = 1, .timeout_ms = 30000, .topic_data = topics};
    Writer out;
    encode_request(out, request, 11, 1, "producer-1");
    const std::vector<uint8_t> frame = out.copy();

    Arena memory;
    for (auto _ : state) {
        memory.reset();
        const auto header = parse_request(Bytes(frame).subspan(4));
        auto decoded = decode<ProduceRequest>(header->body, header->version, memory);
        benchmark::DoNotOptimize(decoded);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(produce_request_decode)->Arg(170)->Arg(16384);

void fetch_response_encode(benchmark::State& state) {
    const std::vector<uint8_t> batch(static_cast<size_t>(state.range(1)), 7);
    std::vector<FetchResponse::Partition> partitions(static_cast<size_t>(state.range(0)));
    for (auto& partition : partitions) partition.records = Records{batch};
    FetchResponse::Topic topics[] = {{.partitions = partitions}};
    const FetchResponse response{.responses = topics};
    Writer out;
    size_t size = 0;
    for (auto _ : state) {
        out.clear();
        encode_response(out, response, 17, 1);
        size = out.size();
        benchmark::DoNotOptimize(size);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fetch_response_encode)->Args({1, 170})->Args({1, 1 << 20})->Args({100, 65536});

void metadata_response_encode(benchmark::State& state) {
    int32_t replicas[] = {1, 2, 3};
    std::vector<MetadataResponse::Partition> partitions(
        10, {.leader_id = 1, .replica_nodes = replicas, .isr_nodes = replicas});
    std::vector<MetadataResponse::Topic> topics(static_cast<size_t>(state.range(0)),
                                                {.name = "clicks-of-a-day", .partitions = partitions});
    const MetadataResponse response{.topics = topics};
    Writer out;
    for (auto _ : state) {
        out.clear();
        encode_response(out, response, 12, 1);
        benchmark::DoNotOptimize(out.view());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}
BENCHMARK(metadata_response_encode)->Arg(1)->Arg(1000);

}  // namespace
}  // namespace millrace::wire

BENCHMARK_MAIN();
