// Where a client of this connection finds a broker: see the header.
#include "endpoints.h"

#include "millrace/address.h"

namespace millrace {

Endpoint own_endpoint(const Call& call) {
    for (const ListenerConfig& listener : call.shard.config().listeners)
        if (listener.name == call.connection.listener && listener.advertised_host)
            return {*listener.advertised_host, listener.advertised_port};
    const auto local = parse_host_port(call.connection.local);
    return local ? Endpoint{local->host, local->port} : Endpoint{call.connection.local, -1};
}

Endpoint endpoint_of(const Call& call, const BrokerInfo& broker) {
    if (broker.id == call.shard.node().id()) return own_endpoint(call);
    const BrokerEndpoint* registered = broker.endpoint(call.connection.listener);
    return registered ? Endpoint{registered->host, registered->port} : Endpoint{};
}

}  // namespace millrace
