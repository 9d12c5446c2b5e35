// The frames that the load generator sends, and what all benches begin with.
#include <fmt/format.h>

#include "bench.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/produce.h"

namespace millrace::cli {

namespace {

std::optional<int16_t> parse_acks(const std::string& text) {
    if (text == "all" || text == "-1") return -1;
    if (text == "1") return 1;
    return std::nullopt;
}

size_t find_placeholder(Bytes bytes) {
    uint8_t wanted[8];
    store_big(wanted, placeholder);
    const auto found = std::search(bytes.begin(), bytes.end(), std::begin(wanted), std::end(wanted));
    ASSERT(found != bytes.end());
    return static_cast<size_t>(found - bytes.begin());
}

}  // namespace

std::optional<BenchSettings> bench_settings(const Arguments& arguments, std::string name, int64_t rate) {
    BenchSettings settings{.name = std::move(name),
                           .topic = arguments.text("topic").value_or("bench"),
                           .partitions = static_cast<int32_t>(arguments.number("partitions", 1)),
                           .connections = arguments.number("connections", 1),
                           .record_size = arguments.size("record-size", 100),
                           .batch_size = arguments.size("batch-size", 16384),
                           .in_flight = arguments.number("in-flight", 5),
                           .rate = arguments.number("rate", rate),
                           .fetch_size = arguments.size("fetch-size", 1 << 20),
                           .seconds = arguments.seconds("duration", 10),
                           .warm_up_seconds = arguments.seconds("warm-up", 1)};
    const auto acks = parse_acks(arguments.text("acks").value_or("1"));
    std::string problem;
    if (!acks)
        problem = "--acks takes 1 or all: without an answer there is nothing to measure";
    else
        settings.acks = *acks;
    if (settings.connections < 1 || settings.connections > 10000) problem = "--connections takes 1 to 10000";
    if (settings.in_flight < 1 || settings.in_flight > 10000) problem = "--in-flight takes 1 to 10000";
    if (settings.partitions < 1 || settings.partitions > 10000) problem = "--partitions takes 1 to 10000";
    if (settings.record_size < 8 || settings.record_size > (100u << 20))
        problem = "--record-size takes 8 to 100M";
    if (settings.fetch_size < 1 || settings.fetch_size > (1u << 30)) problem = "--fetch-size takes 1 to 1G";
    if (settings.batch_size > (100u << 20)) problem = "--batch-size takes up to 100M";
    if (settings.seconds <= 0) problem = "--duration must be above 0";
    if (settings.name == "e2e" && settings.rate < 1) problem = "--rate must be above 0";
    if (problem.empty()) return settings;
    fail(exit_usage, "bench " + settings.name + ": " + problem);
    return std::nullopt;
}

Task<Result<int32_t>> prepare_topic(Session& session, BenchSettings settings) {
    Result<> known = co_await session.client.refresh({settings.topic});
    if (!known && known.error() == Error::unknown_topic_or_partition && settings.name != "consume") {
        const CreatedTopic created = co_await create_topic(
            session.client, {.name = settings.topic, .partitions = settings.partitions});
        if (!created.outcome.ok() && created.outcome.error != Error::topic_already_exists) {
            fail_with("cannot create " + settings.topic, created.outcome.error, created.outcome.message);
            co_return created.outcome.error;
        }
        // A broker may tell of a new topic a moment later.
        for (int tries = 0; tries < 50; tries++) {
            known = co_await session.client.ready(settings.topic);
            if (known || known.error() != Error::unknown_topic_or_partition) break;
            co_await sleep_for(session.io, ns_per_second / 10);
        }
    }
    if (known) known = co_await session.client.ready(settings.topic);
    if (!known) {
        session.fail("cannot use topic " + settings.topic, known.error());
        co_return known.error();
    }
    co_return static_cast<int32_t>(session.client.topic(settings.topic)->partitions.size());
}

PatchedFrame fetch_frame(const std::string& topic, int32_t partition, size_t size_max) {
    const auto size = static_cast<int32_t>(size_max);
    wire::FetchRequest::Partition asked{
        .partition = partition, .fetch_offset = placeholder, .partition_max_bytes = size};
    wire::FetchRequest::Topic asked_topic{.topic = topic, .partitions = {&asked, 1}};
    const wire::FetchRequest request{
        .max_wait_ms = 500, .min_bytes = 1, .max_bytes = size, .topics = {&asked_topic, 1}};
    wire::Writer out;
    wire::encode_request(out, request, fetch_version, 0, std::string_view("millrace-bench"));
    PatchedFrame frame{.bytes = out.copy()};
    frame.number_at = find_placeholder(frame.bytes);
    return frame;
}

std::vector<uint8_t> produce_frame(const wire::Api& api, int16_t version, const TopicInfo& topic,
                                   int32_t partition, int16_t acks, Bytes batch) {
    ASSERT(api.key == wire::ProduceRequest::api.key);
    wire::ProduceRequest::Partition data{.index = partition, .records = wire::Records(batch)};
    wire::ProduceRequest::Topic to{.name = topic.name, .topic_id = topic.id, .partition_data = {&data, 1}};
    const wire::ProduceRequest request{.acks = acks, .timeout_ms = 30000, .topic_data = {&to, 1}};
    wire::Writer out;
    wire::encode_request(out, request, version, 0, std::string_view("millrace-bench"));
    return out.copy();
}

}  // namespace millrace::cli
