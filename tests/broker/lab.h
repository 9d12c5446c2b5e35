// A simulated node whose shards have brokers but no sockets: requests go in as frames, of any version, on any
// shard, and replies come out decoded.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "millrace/batch.h"
#include "millrace/broker.h"
#include "millrace/shard.h"
#include "millrace/sim.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/delete_topics.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/frame.h"
#include "millrace/wire/list_offsets.h"
#include "millrace/wire/produce.h"

namespace millrace {

inline constexpr uint64_t lab_ms = 1'000'000;

// A reply, and what its message points into.
template <class Response> struct Answer {
    std::vector<uint8_t> frame;
    std::unique_ptr<Arena> memory = std::make_unique<Arena>();
    Response message;
    const Response* operator->() const { return &message; }
};

// One request under way: its frame must live until it is answered.
struct Exchange {
    std::vector<uint8_t> frame;  // Without its size.
    ConnectionContext connection;
    int16_t key = 0, version = 0;
    bool done = false;
    Reply::Kind kind = Reply::Kind::close;
    std::vector<uint8_t> reply;  // Without its size.
};

class BrokerNode final : public SimProgram {
 public:
    BrokerNode(SimNode& node, const BrokerConfig& config, uint16_t shards, const StorageConfig& storage = {});
    Task<> start();

    Node node;
    std::vector<std::unique_ptr<Shard>> shards;
    std::vector<std::unique_ptr<Broker>> brokers;
    std::optional<Result<>> started;
};

class Lab {
 public:
    // `prepare` may put files onto the disk before the first start.
    explicit Lab(uint64_t seed = 1, uint16_t shards = 2, BrokerConfig config = small(),
                 const std::function<void(SimDisk&)>& prepare = {}, const StorageConfig& storage = {});
    // No admin port, quick groups, few partitions of __consumer_offsets.
    static BrokerConfig small();

    BrokerNode& program() { return *static_cast<BrokerNode*>(node.program()); }
    Shard& shard(uint16_t i) { return *program().shards[i]; }
    // Crashes and starts again, with everything that the disk has kept.
    void restart(Crash how);

    // Sends and comes back at once.
    template <class Request>
    std::unique_ptr<Exchange> send(const Request& request, int16_t version, uint16_t shard = 0) {
        wire::Writer writer;
        wire::encode_request(writer, request, version, 7, wire::String{"lab"});
        return send_frame(writer.copy(), Request::api.key, version, shard);
    }
    std::unique_ptr<Exchange> send_frame(std::vector<uint8_t> frame, int16_t key, int16_t version,
                                         uint16_t shard);
    // Runs the world until it is answered.
    void wait(Exchange& exchange, uint64_t within_ns = 60'000 * lab_ms);
    template <class Response> static Answer<Response> decode(const Exchange& exchange) {
        REQUIRE(exchange.kind == Reply::Kind::answer);
        Answer<Response> answer;
        answer.frame = exchange.reply;
        const auto response = wire::parse_response(answer.frame, exchange.key, exchange.version);
        REQUIRE(response);
        CHECK(response->correlation_id == 7);
        auto message = wire::decode<Response>(response->body, exchange.version, *answer.memory);
        REQUIRE(message);
        answer.message = *message;
        return answer;
    }
    template <class Response, class Request>
    Answer<Response> call(const Request& request, int16_t version, uint16_t shard = 0) {
        auto exchange = send(request, version, shard);
        wait(*exchange);
        return decode<Response>(*exchange);
    }

    // ---- Short ways.
    using Configs = std::vector<std::pair<std::string, std::string>>;
    Uuid create(std::string_view topic, int32_t partitions, const Configs& configs = {});
    struct Written {
        std::string_view topic;
        int32_t partition = 0;
        int16_t acks = -1, version = 9;
        uint16_t shard = 0;
        Uuid topic_id = {};
        int32_t timeout_ms = 30'000;
    };
    std::unique_ptr<Exchange> send_produce(const Written& to, Bytes records);
    wire::ProduceResponse::Partition produce(const Written& to, Bytes records);
    void remove(std::string_view topic);
    // Writes one record; its offset.
    int64_t write(std::string_view topic, int32_t partition, std::string_view value);
    // The offset that ListOffsets (v7) gives for the timestamp.
    wire::ListOffsetsResponse::Partition list_offset(std::string_view topic, int32_t partition,
                                                     int64_t timestamp);

    // From the next start on.
    void set_shards(uint16_t count) { shards_ = count, node.set_shards(count); }

    SimWorld world;
    SimNode& node;
    const BrokerConfig config;

 private:
    uint16_t shards_;
};

std::vector<uint8_t> one_record(std::string_view value, int64_t timestamp, BatchOptions options = {});
// The values of all records in a fetched partition's batches.
std::vector<std::string> values_of(const wire::FetchResponse::Partition& partition);

}  // namespace millrace
