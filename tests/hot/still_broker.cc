// A broker that runs as fast as its own instructions: see the header.
#include "still_broker.h"

#include "millrace/batch.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/frame.h"
#include "millrace/wire/produce.h"

namespace millrace {
namespace {

constexpr int16_t produce_version = 9, fetch_version = 11, create_topics_version = 5;
constexpr uint64_t second_ns = 1'000'000'000;

template <class Request> std::vector<uint8_t> framed(const Request& request, int16_t version) {
    wire::Writer writer;
    wire::encode_request(writer, request, version, 7, wire::String{"still"});
    return writer.copy();
}

Task<> open(Front& front, bool& is_open) {
    auto opening = front.open();
    const auto opened = co_await opening;
    is_open = opened.ok();
}

Task<> close(Front& front, bool& is_closed) {
    co_await front.close(second_ns);
    is_closed = true;
}

}  // namespace

BrokerConfig StillBroker::config() {
    BrokerConfig config;
    config.data_dir = "data";
    config.listeners = {{.name = "PLAINTEXT", .host = "127.0.0.1", .port = 9092, .advertised_host = {}}};
    config.offsets_topic_partitions = 1;
    return config;
}

StillBroker::StillBroker() : node_(config(), 1), front_(std::make_unique<Front>(io_, node_, fronts_)) {
    bool is_open = false;
    open(*front_, is_open).detach();
    for (int tries = 0; !is_open && tries < 1000; tries++) io_.pass(second_ns / 1000);
    ASSERT(is_open);
    connection_ = io_.connect();
    io_.pass(second_ns / 100);
}

StillBroker::~StillBroker() {
    bool is_closed = false;
    close(*front_, is_closed).detach();
    for (int tries = 0; !is_closed && tries < 1000; tries++) io_.pass(second_ns / 100);
    ASSERT(is_closed);
}

void StillBroker::create_topic(std::string_view name) {
    wire::CreateTopicsRequest::Topic topic{
        .name = name, .num_partitions = 1, .replication_factor = 1, .assignments = {}, .configs = {}};
    const wire::CreateTopicsRequest request{.topics = {&topic, 1}};
    exchange(framed(request, create_topics_version));
    io_.pass(second_ns);
}

size_t StillBroker::exchange(Bytes frames) {
    io_.take_sent(connection_);
    const uint64_t bytes_before = io_.sent_bytes();
    uint64_t replies = io_.replies();
    for (size_t at = 0; at < frames.size(); at += 4 + load_big<uint32_t>(frames.data() + at)) replies++;
    io_.deliver(connection_, frames);
    // Only a background that waits for a flush, by time, keeps an answer back.
    for (; io_.replies() < replies; io_.pass(1'000'000))
        while (io_.turn()) {}
    return io_.sent_bytes() - bytes_before;
}

std::vector<uint8_t> StillBroker::produce_frame(std::string_view topic, Bytes batch, int16_t acks) {
    wire::ProduceRequest::Partition partition{.index = 0, .records = wire::Records{batch}};
    wire::ProduceRequest::Topic to{.name = topic, .topic_id = {}, .partition_data = {&partition, 1}};
    const wire::ProduceRequest request{.acks = acks, .timeout_ms = 30'000, .topic_data = {&to, 1}};
    return framed(request, produce_version);
}

std::vector<uint8_t> StillBroker::fetch_frame(std::string_view topic, int64_t offset, int32_t bytes_max) {
    wire::FetchRequest::Partition partition{
        .partition = 0, .fetch_offset = offset, .partition_max_bytes = bytes_max};
    wire::FetchRequest::Topic from{.topic = topic, .partitions = {&partition, 1}};
    const wire::FetchRequest request{
        .max_wait_ms = 0, .min_bytes = 1, .max_bytes = bytes_max, .topics = {&from, 1}};
    return framed(request, fetch_version);
}

std::vector<uint8_t> StillBroker::batch(size_t size) {
    const std::vector<uint8_t> value(100, 'x');
    const NewRecord record{.timestamp = 1'767'225'600'000, .value = Bytes{value}};
    BatchBuilder builder;
    do builder.add(record);
    while (builder.size() + BatchBuilder::size_bound(record) <= size);
    return builder.build();
}

}  // namespace millrace
