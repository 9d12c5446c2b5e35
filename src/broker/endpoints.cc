// Where a client of this connection finds a broker: see the header.
#include "endpoints.h"

#include <charconv>

namespace millrace {
namespace {

// "127.0.0.1:9092", "[::1]:9092"
Endpoint split_address(std::string_view address) {
    const size_t colon = address.rfind(':');
    if (colon == address.npos) return {address, -1};
    std::string_view host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    Endpoint endpoint{.host = host};
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), endpoint.port);
    return endpoint;
}

}  // namespace

Endpoint own_endpoint(const Call& call) {
    for (const ListenerConfig& listener : call.shard.config().listeners)
        if (listener.name == call.connection.listener && listener.advertised_host)
            return {*listener.advertised_host, listener.advertised_port};
    return split_address(call.connection.local);
}

Endpoint endpoint_of(const Call& call, const BrokerInfo& broker) {
    if (broker.id == call.shard.node().id()) return own_endpoint(call);
    const BrokerEndpoint* registered = broker.endpoint(call.connection.listener);
    return registered ? Endpoint{registered->host, registered->port} : Endpoint{};
}

}  // namespace millrace
