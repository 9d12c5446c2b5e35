// Where a client of this connection finds a broker: see the header.
#include "endpoints.h"

#include "millrace/address.h"

namespace millrace {
namespace {

constexpr int32_t shard_id_step = 1'000'000;

// Nothing where all shards share the listener's port.
const std::vector<uint16_t>* ports_of(const Call& call) {
    const auto found = call.shard.ports().find(call.connection.listener);
    return found == call.shard.ports().end() ? nullptr : &found->second;
}

}  // namespace

bool shows_shards(const Call& call) { return ports_of(call) != nullptr; }

int32_t shown_id(const Call& call, NodeId node, ShardId shard) {
    const bool is_shard = node == call.shard.node().id() && shows_shards(call);
    return is_shard ? node.value + shard.value * shard_id_step : node.value;
}

NodeId node_of(const Call& call, int32_t shown_id) {
    const bool is_ours = shows_shards(call) && shown_id >= 0 &&
                         shown_id % shard_id_step == call.shard.node().id().value &&
                         shown_id / shard_id_step < call.shard.node().shard_count();
    return is_ours ? call.shard.node().id() : NodeId{shown_id};
}

Endpoint own_endpoint(const Call& call, ShardId shard) {
    const auto* ports = ports_of(call);
    for (const ListenerConfig& listener : call.shard.config().listeners)
        if (listener.name == call.connection.listener && listener.advertised_host)
            return {*listener.advertised_host, listener.advertised_port + (ports ? shard.value : 0)};
    const auto local = parse_host_port(call.connection.local);
    if (!local) return {call.connection.local, -1};
    return {local->host, ports ? (*ports)[shard.value] : local->port};
}

Endpoint endpoint_of(const Call& call, const BrokerInfo& broker) {
    if (broker.id == call.shard.node().id()) return own_endpoint(call, ShardId{0});
    const BrokerEndpoint* registered = broker.endpoint(call.connection.listener);
    return registered ? Endpoint{registered->host, registered->port} : Endpoint{};
}

}  // namespace millrace
