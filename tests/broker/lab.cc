// The node of the broker's tests.
#include "lab.h"

namespace millrace {

BrokerNode::BrokerNode(SimNode& sim, const BrokerConfig& config, uint16_t shard_count,
                       const StorageConfig& storage)
    : node(config, shard_count, storage) {
    for (uint16_t i = 0; i < shard_count; i++) {
        shards.push_back(std::make_unique<Shard>(sim.io(i), node));
        brokers.push_back(std::make_unique<Broker>(*shards.back()));
    }
}

Task<> BrokerNode::start() {
    auto starting = shards[0]->start_node();
    started = co_await starting;
}

BrokerConfig Lab::small() {
    BrokerConfig config;
    config.data_dir = "data";
    config.listeners = {{.name = "PLAINTEXT", .host = "127.0.0.1", .port = 9092, .advertised_host = {}}};
    config.offsets_topic_partitions = 4;
    config.group_initial_rebalance_delay_ms = 0;
    config.disk_reserve_bytes = 0;
    return config;
}

Lab::Lab(uint64_t seed, uint16_t shards, BrokerConfig broker_config,
         const std::function<void(SimDisk&)>& prepare, const StorageConfig& storage)
    : world({.seed = seed}),
      node(world.add_node({.shards = shards})),
      config(std::move(broker_config)),
      shards_(shards) {
    node.disk().put("data/lost+found", {});
    if (prepare) prepare(node.disk());
    node.boot([this, storage](SimNode& sim) {
        auto program = std::make_unique<BrokerNode>(sim, config, shards_, storage);
        sim.spawn(program->start());
        return program;
    });
    REQUIRE(world.run_until([&] { return program().started.has_value(); }, 60'000 * lab_ms));
    REQUIRE(program().started->ok());
}

void Lab::restart(Crash how) {
    node.crash(how);
    node.restart();
    REQUIRE(world.run_until([&] { return program().started.has_value(); }, 60'000 * lab_ms));
    REQUIRE(program().started->ok());
}

namespace {

Task<> run_exchange(Broker& broker, Exchange& exchange) {
    auto handling = broker.handle(Bytes{exchange.frame}.subspan(4), exchange.connection);
    const Reply reply = co_await handling;
    exchange.kind = reply.kind;
    if (reply.body)
        for (const Piece& piece : reply.body->pieces()) {
            const auto* bytes = static_cast<const uint8_t*>(piece.data);
            exchange.reply.insert(exchange.reply.end(), bytes, bytes + piece.size);
        }
    if (reply.body) {
        CHECK(exchange.reply.size() == reply.body->size());
        CHECK(load_big<uint32_t>(exchange.reply.data()) == exchange.reply.size() - 4);
        exchange.reply.erase(exchange.reply.begin(), exchange.reply.begin() + 4);
    }
    exchange.done = true;
}

}  // namespace

std::unique_ptr<Exchange> Lab::send_frame(std::vector<uint8_t> frame, int16_t key, int16_t version,
                                          uint16_t shard) {
    auto exchange = std::make_unique<Exchange>();
    exchange->frame = std::move(frame);
    exchange->key = key, exchange->version = version;
    exchange->connection = {.id = 1,
                            .peer = "127.0.0.1:50000",
                            .local = "127.0.0.1:9092",
                            .listener = "PLAINTEXT",
                            .software_name = {},
                            .software_version = {}};
    node.spawn(run_exchange(*program().brokers[shard], *exchange));
    return exchange;
}

void Lab::wait(Exchange& exchange, uint64_t within_ns) {
    REQUIRE(world.run_until([&] { return exchange.done; }, within_ns));
}

Uuid Lab::create(std::string_view topic, int32_t partitions, const Configs& configs) {
    std::vector<wire::CreateTopicsRequest::Config> list;
    for (const auto& [name, value] : configs) list.push_back({.name = name, .value = value});
    wire::CreateTopicsRequest::Topic asked{.name = topic,
                                           .num_partitions = partitions,
                                           .replication_factor = 1,
                                           .assignments = {},
                                           .configs = list};
    const wire::CreateTopicsRequest request{.topics = {&asked, 1}};
    const auto answer = call<wire::CreateTopicsResponse>(request, 7);
    REQUIRE(answer->topics.size() == 1);
    REQUIRE(answer->topics[0].error_code == Error::none);
    return answer->topics[0].topic_id;
}

void Lab::remove(std::string_view topic) {
    wire::DeleteTopicsRequest::Topic asked{.name = topic, .topic_id = {}};
    const wire::DeleteTopicsRequest request{.topics = {&asked, 1}, .topic_names = {}, .timeout_ms = 30'000};
    const auto answer = call<wire::DeleteTopicsResponse>(request, 6);
    REQUIRE(answer->responses.size() == 1);
    CHECK(answer->responses[0].error_code == Error::none);
}

std::unique_ptr<Exchange> Lab::send_produce(const Written& to, Bytes records) {
    wire::ProduceRequest::Partition partition{.index = to.partition, .records = wire::Records{records}};
    wire::ProduceRequest::Topic topic{
        .name = to.topic, .topic_id = to.topic_id, .partition_data = {&partition, 1}};
    const wire::ProduceRequest request{
        .transactional_id = {}, .acks = to.acks, .timeout_ms = to.timeout_ms, .topic_data = {&topic, 1}};
    return send(request, to.version, to.shard);
}

wire::ProduceResponse::Partition Lab::produce(const Written& to, Bytes records) {
    auto exchange = send_produce(to, records);
    wait(*exchange);
    const auto answer = decode<wire::ProduceResponse>(*exchange);
    REQUIRE(answer->responses.size() == 1);
    REQUIRE(answer->responses[0].partition_responses.size() == 1);
    auto told = answer->responses[0].partition_responses[0];
    told.record_errors = {}, told.error_message.reset();  // They point into the answer.
    return told;
}

int64_t Lab::write(std::string_view topic, int32_t partition, std::string_view value) {
    const auto told =
        produce({.topic = topic, .partition = partition}, one_record(value, node.io().wall_ms()));
    REQUIRE(told.error_code == Error::none);
    return told.base_offset;
}

wire::ListOffsetsResponse::Partition Lab::list_offset(std::string_view topic, int32_t partition,
                                                      int64_t timestamp) {
    wire::ListOffsetsRequest::Partition asked{.partition_index = partition, .timestamp = timestamp};
    wire::ListOffsetsRequest::Topic asked_topic{.name = topic, .partitions = {&asked, 1}};
    const wire::ListOffsetsRequest request{.replica_id = -1, .topics = {&asked_topic, 1}};
    const auto answer = call<wire::ListOffsetsResponse>(request, 7);
    REQUIRE(answer->topics.size() == 1);
    return answer->topics[0].partitions[0];
}

std::vector<uint8_t> one_record(std::string_view value, int64_t timestamp, BatchOptions options) {
    BatchBuilder builder{options};
    builder.add({.timestamp = timestamp,
                 .value = Bytes{reinterpret_cast<const uint8_t*>(value.data()), value.size()}});
    if (options.codec == Codec::none) return builder.build();
    Compressor compressor;
    return builder.build(compressor);
}

std::vector<std::string> values_of(const wire::FetchResponse::Partition& partition) {
    std::vector<std::string> values;
    Decompressor decompressor;
    BatchReader batches{partition.records ? partition.records->whole() : Bytes{}};
    while (const auto batch = batches.next()) {
        CHECK(batch->crc_matches());
        auto records = RecordReader::open(*batch, decompressor);
        REQUIRE(records.ok());
        while (const auto record = records->next()) {
            const Bytes value = record->value.value_or(Bytes{});
            values.emplace_back(value.begin(), value.end());
        }
        CHECK(records->error() == Error::none);
    }
    CHECK(batches.error() == Error::none);
    return values;
}

}  // namespace millrace
