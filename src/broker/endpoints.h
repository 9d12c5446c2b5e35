// Where a client of this connection finds a broker.
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
Endpoint own_endpoint(const Call& call);

}  // namespace millrace
