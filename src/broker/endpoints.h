// Where a client of this connection finds brokers, and what it knows them by.
//
// With millrace.shard.listeners each shard is a broker to clients: shard 0 has the node's own id, shard N
// that and N * 1,000,000; a partition is led by the shard it lives on.
#pragma once
#include "call.h"

namespace millrace {

struct Endpoint {
    std::string_view host;
    int32_t port = -1;
};

// Ourselves, when nothing is advertised: where the client has found us already. Another broker: what it has
// registered for this connection's listener; no host when it has none. Points into the connection's context
// or the metadata.
Endpoint endpoint_of(const Call& call, const BrokerInfo& broker);
// Of this node's shard.
Endpoint own_endpoint(const Call& call, ShardId shard);

// Whether the shards are brokers of their own to this client.
bool shows_shards(const Call& call);
// What this client knows a node, or this node's shard, by.
int32_t shown_id(const Call& call, NodeId node, ShardId shard);
// The node of a broker that the client names.
NodeId node_of(const Call& call, int32_t shown_id);

}  // namespace millrace
