// One request on its way through a handler: where it is, who asks, and what its answer will hold on to.
//
// Belongs to the connection's shard; lives from decoding until the reply is built.
#pragma once
#include <memory>
#include <vector>

#include "millrace/base.h"
#include "millrace/broker.h"
#include "millrace/shard.h"
#include "millrace/wire/frame.h"
#include "reply_budget.h"

namespace millrace {

// Something that the bytes of a reply point into; destroyed on the connection's shard after they are sent.
class Held {
 public:
    virtual ~Held() = default;
};

class FetchSessions;
class ReplyStock;

// What a shard's handlers share: nothing of it crosses to another shard.
struct Broker::State {
    explicit State(Shard& shard);
    ~State();

    struct ApiMetrics {
        Counter* requests;
        HistogramMetric* latency;
    };
    Shard& shard;
    std::unique_ptr<FetchSessions> fetch_sessions;
    std::unique_ptr<ReplyStock> replies;
    std::vector<ApiMetrics> api_metrics;  // Parallel to the table of served APIs.
    Counter& bytes_in;
    Counter& bytes_out;
    Counter& messages_in;
    Counter& topic_bytes_in;
    Counter& topic_bytes_out;
    Counter& failed_produces;
    Counter& failed_produce_partitions;
    Counter& failed_fetches;
    Counter& failed_fetch_partitions;
    Counter& refused_requests;
    ReplyBudget reply_budget;
};

struct Call {
    Broker::State& state;
    Shard& shard;
    ConnectionContext& connection;
    const wire::Request& header;
    Arena& arena;  // For the response; lives until it is encoded.
    std::vector<std::unique_ptr<Held>> held = {};
    bool no_reply = false;
    bool close = false;

    // What another shard wrote of the response lies there.
    void hold_arena(Arena arena);
    int16_t version() const { return header.version; }
    std::string_view client_id() const { return header.client_id.value_or(""); }
};

// ---- Finding partitions ----------------------------------------------------------------------------------

// A topic named by a request, by name or by id (whichever the version carries).
struct TopicLookup {
    const TopicInfo* topic;  // Null: `error` says why.
    Error error;
};
TopicLookup find_topic(Shard& shard, std::string_view name, const Uuid& id, bool by_id);

}  // namespace millrace
