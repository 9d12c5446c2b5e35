// One shard of a running broker, whole: the shard, its request handlers, its listeners; on shard 0 the
// operators' port too. What a host, real or simulated, makes once per shard.
//
// A Front belongs to its shard's thread. Shard 0's conducts.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/broker.h"
#include "millrace/metrics.h"
#include "millrace/net.h"
#include "millrace/shard.h"

namespace millrace {

class OperatorRoutes;

class Front {
 public:
    // On the shard's thread, once all rings exist. `fronts` has a place for every shard of the node.
    // `add_process_metrics`: what only the host knows (memory, CPU); may be empty. `descriptor_max`: see
    // NetOptions.
    Front(Io& io, Node& node, std::vector<Front*>& fronts,
          std::function<void(MetricsPage&)> add_process_metrics = {}, int32_t descriptor_max = INT32_MAX);
    ~Front();
    Front(const Front&) = delete;

    Shard& shard() { return shard_; }
    // The process ends at once: called on every shard before the first Front is destroyed.
    void drop_replies() { server_.drop_replies(); }

    // ---- On shard 0. ----

    // Starts the node and opens its ports. Fails as Shard::start_node, and with network_exception when a port
    // cannot be had; the log says why and how to mend it.
    Task<Result<>> open();
    // Lets connections end within `grace_ns`, puts everything on disk.
    Task<> close(uint64_t grace_ns);
    // Of the listeners, with the ports they got; in the order of the configuration.
    const std::vector<std::string>& addresses() const { return addresses_; }
    const std::string& admin_address() const { return admin_address_; }

 private:
    template <class Work> Task<> on_every_shard(Work work);
    Task<Result<>> listen();
    Task<Result<>> listen_on(const ListenerConfig& listener);
    Task<bool> take_ports(const Shard::Ports& ports);
    Task<Result<>> listen_admin();
    Task<bool> close_connections(uint64_t grace_ns);
    Task<bool> end_handlers();

    std::vector<Front*>& fronts_;
    Shard shard_;
    Broker broker_;
    Server server_;
    std::unique_ptr<OperatorRoutes> routes_;
    std::unique_ptr<HttpServer> http_;
    std::function<void(MetricsPage&)> add_process_metrics_;
    std::vector<std::string> addresses_;
    Shard::Ports ports_;  // While the listeners are opened.
    std::string admin_address_;
    bool listening_ = false;
};

}  // namespace millrace
