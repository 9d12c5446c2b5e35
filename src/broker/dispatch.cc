// A request's way in and out: header, decode, handler, encode. Malformed ones end their connection with one
// line that says what was wrong, as Kafka gives no answer to them either.
#include <array>

#include "call.h"
#include "fetch_session.h"
#include "handlers.h"
#include "reply_stock.h"

namespace millrace {
namespace {

Reply refuse(Broker::State& state, const ConnectionContext& connection, std::string_view why, Field detail) {
    state.refused_requests.add();
    state.shard.io().log().warn("broker", why, {{"peer", connection.peer}, std::move(detail)});
    return {.kind = Reply::Kind::close, .body = nullptr};
}

template <class Handler> struct Signature;
template <class Response, class Request> struct Signature<Task<Response> (*)(Call&, const Request&)> {
    using RequestType = Request;
};

template <auto handler>
Task<Reply> serve(Broker::State& state, wire::Request header, ConnectionContext& connection) {
    using Request = typename Signature<decltype(handler)>::RequestType;
    auto reply = state.replies->take();
    const auto request = wire::decode<Request>(header.body, header.version, reply->arena());
    if (!request)
        co_return refuse(state, connection, "malformed request",
                         {"api", std::string(header.api->name) + " v" + std::to_string(header.version)});
    Call call{.state = state,
              .shard = state.shard,
              .connection = connection,
              .header = header,
              .arena = reply->arena()};
    const auto response = co_await handler(call, *request);
    if (call.close) co_return Reply{.kind = Reply::Kind::close, .body = nullptr};
    if (call.no_reply) co_return Reply{.kind = Reply::Kind::none, .body = nullptr};
    reply->encode(response, header, call);
    co_return Reply{.kind = Reply::Kind::answer, .body = std::move(reply)};
}

struct Served {
    int16_t key;
    Overlap overlap;
    Task<Reply> (*run)(Broker::State&, wire::Request, ConnectionContext&);
};

// Every API that is there, by key; what is not here is not advertised.
constexpr std::array served{
    Served{0, Overlap::free, serve<&handle_produce>},
    Served{1, Overlap::free, serve<&handle_fetch>},
    Served{2, Overlap::free, serve<&handle_list_offsets>},
    Served{3, Overlap::free, serve<&handle_metadata>},
    Served{8, Overlap::barrier, serve<&handle_offset_commit>},
    Served{9, Overlap::barrier, serve<&handle_offset_fetch>},
    Served{10, Overlap::barrier, serve<&handle_find_coordinator>},
    Served{11, Overlap::barrier, serve<&handle_join_group>},
    Served{12, Overlap::barrier, serve<&handle_heartbeat>},
    Served{13, Overlap::barrier, serve<&handle_leave_group>},
    Served{14, Overlap::barrier, serve<&handle_sync_group>},
    Served{15, Overlap::barrier, serve<&handle_describe_groups>},
    Served{16, Overlap::barrier, serve<&handle_list_groups>},
    Served{18, Overlap::free, serve<&handle_api_versions>},
    Served{19, Overlap::barrier, serve<&handle_create_topics>},
    Served{20, Overlap::barrier, serve<&handle_delete_topics>},
    Served{21, Overlap::barrier, serve<&handle_delete_records>},
    Served{22, Overlap::barrier, serve<&handle_init_producer_id>},
    Served{23, Overlap::free, serve<&handle_offset_for_leader_epoch>},
    Served{32, Overlap::barrier, serve<&handle_describe_configs>},
    Served{37, Overlap::barrier, serve<&handle_create_partitions>},
    Served{42, Overlap::barrier, serve<&handle_delete_groups>},
    Served{44, Overlap::barrier, serve<&handle_incremental_alter_configs>},
    Served{47, Overlap::barrier, serve<&handle_offset_delete>},
    Served{60, Overlap::barrier, serve<&handle_describe_cluster>},
    Served{75, Overlap::barrier, serve<&handle_describe_topic_partitions>},
};

const Served* find_served(int16_t key) {
    const auto found = std::lower_bound(served.begin(), served.end(), key,
                                        [](const Served& s, int16_t k) { return s.key < k; });
    return found != served.end() && found->key == key ? &*found : nullptr;
}

// The answer to a version of ApiVersions that we do not have: version 0, and what we have (KIP-511).
Reply answer_unknown_api_versions(const wire::Request& header, Call& call) {
    auto reply = call.state.replies->take();
    wire::Request as_version_0 = header;
    as_version_0.version = 0;
    reply->encode(unsupported_api_versions(reply->arena()), as_version_0, call);
    return {.kind = Reply::Kind::answer, .body = std::move(reply)};
}

}  // namespace

std::span<const int16_t> served_api_keys() {
    static constexpr auto keys = [] {
        std::array<int16_t, served.size()> all{};
        for (size_t i = 0; i < served.size(); i++) all[i] = served[i].key;
        return all;
    }();
    return keys;
}

namespace {

// A quarter of the shard's memory.
uint64_t reply_bytes_max(const Shard& shard) {
    constexpr uint64_t share_default = 128 << 20;
    const uint64_t share = shard.config().memory_bytes / shard.node().shard_count() / 4;
    return share > 0 ? share : share_default;
}

}  // namespace

Broker::State::State(Shard& shard)
    : shard(shard),
      fetch_sessions(std::make_unique<FetchSessions>(shard)),
      replies(std::make_unique<ReplyStock>()),
      bytes_in(shard.metrics().counter("millrace_kafka_request_bytes_total", "Bytes of requests received.")),
      bytes_out(shard.metrics().counter("millrace_kafka_response_bytes_total", "Bytes of responses sent.")),
      messages_in(
          shard.metrics().counter("kafka_server_brokertopicmetrics_messagesin_total", "Records appended.")),
      topic_bytes_in(shard.metrics().counter("kafka_server_brokertopicmetrics_bytesin_total",
                                             "Bytes of record batches appended.")),
      topic_bytes_out(shard.metrics().counter("kafka_server_brokertopicmetrics_bytesout_total",
                                              "Bytes of record batches fetched.")),
      failed_produces(shard.metrics().counter("kafka_server_brokertopicmetrics_failedproducerequests_total",
                                              "Produce requests of which a partition failed.")),
      failed_produce_partitions(shard.metrics().counter("millrace_kafka_failed_produce_partitions_total",
                                                        "Partitions of produce requests that failed.")),
      failed_fetches(shard.metrics().counter("kafka_server_brokertopicmetrics_failedfetchrequests_total",
                                             "Fetch requests of which a partition failed.")),
      failed_fetch_partitions(shard.metrics().counter("millrace_kafka_failed_fetch_partitions_total",
                                                      "Partitions of fetch requests that failed.")),
      refused_requests(shard.metrics().counter(
          "millrace_kafka_refused_requests_total",
          "Requests that ended their connection: malformed, unknown or unsupported.")),
      reply_budget(shard.io(), shard.deadlines(), reply_bytes_max(shard)) {
    for (const Served& api : served) {
        const char* name = wire::find_api(api.key)->name;
        api_metrics.push_back({&shard.metrics().counter("millrace_kafka_requests_total", "Requests handled.",
                                                        {{"request", name}}),
                               &shard.metrics().histogram("millrace_kafka_request_latency_seconds",
                                                          "From a request's arrival to its answer.",
                                                          latency_buckets, {{"request", name}})});
    }
}

Broker::State::~State() = default;

Broker::Broker(Shard& shard) : state_(std::make_unique<State>(shard)) {}
Broker::~Broker() = default;

namespace {

struct SessionLuggage final : Luggage {
    explicit SessionLuggage(std::unique_ptr<FetchSession> session) : session(std::move(session)) {}
    std::unique_ptr<FetchSession> session;
};

}  // namespace

std::unique_ptr<Luggage> Broker::leave(ConnectionContext& connection) {
    auto session = state_->fetch_sessions->take(connection.fetch_session);
    return session ? std::make_unique<SessionLuggage>(std::move(session)) : nullptr;
}

void Broker::arrive(std::unique_ptr<Luggage> luggage) {
    state_->fetch_sessions->adopt(std::move(static_cast<SessionLuggage&>(*luggage).session));
}

void Broker::set_pressure(MemoryPressure pressure) { state_->reply_budget.set_pressure(pressure); }

void Broker::end_waits() { state_->reply_budget.end_waits(); }

void Broker::trim() { state_->replies->trim(); }

Overlap Broker::overlap(Bytes frame) const {
    const Served* api = frame.size() >= 2 ? find_served(load_big<int16_t>(frame.data())) : nullptr;
    return api ? api->overlap : Overlap::barrier;
}

Task<Reply> Broker::handle(Bytes frame, ConnectionContext& connection) {
    State& state = *state_;
    state.bytes_in.add(frame.size() + 4);
    state.shard.memory().note_work();
    const auto header = wire::parse_request(frame);
    if (!header) co_return refuse(state, connection, "malformed request header", {"bytes", frame.size()});
    const Served* api = find_served(header->key);
    if (!api) co_return refuse(state, connection, "unknown api", {"key", header->key});
    if (!header->is_supported() || !header->api->advertised.has(header->version)) {
        if (header->key != wire::ApiVersionsRequest::api.key)
            co_return refuse(
                state, connection, "unsupported version",
                {"api", std::string(header->api->name) + " v" + std::to_string(header->version)});
        Arena unused;
        Call call{.state = state,
                  .shard = state.shard,
                  .connection = connection,
                  .header = *header,
                  .arena = unused};
        co_return answer_unknown_api_versions(*header, call);
    }
    const uint64_t began_ns = state.shard.io().now_ns();
    auto running = api->run(state, *header, connection);
    Reply reply = co_await running;
    const State::ApiMetrics& metrics = state.api_metrics[static_cast<size_t>(api - served.data())];
    metrics.requests->add();
    metrics.latency->record(state.shard.io().now_ns() - began_ns);
    if (reply.body) state.bytes_out.add(reply.body->size());
    co_return reply;
}

}  // namespace millrace
