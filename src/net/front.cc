// One shard of a running broker: see the header.
#include "millrace/front.h"

#include <cstring>

#include "millrace/address.h"
#include "operator_routes.h"

namespace millrace {
namespace {

// Less would let few of the requests in at a time that Kafka's clients send by default.
constexpr uint64_t requests_bytes_min = 4 << 20;

NetOptions net_options(const BrokerConfig& config, uint16_t shards, int32_t descriptor_max) {
    NetOptions options;
    options.descriptor_max = descriptor_max;
    if (config.memory_bytes > 0) {
        const uint64_t share = config.memory_bytes / shards / 4, least = requests_bytes_min;
        options.owned_bytes_max = std::clamp(share, least, options.owned_bytes_max);
        options.bytes_in_flight_max = std::clamp<uint64_t>(share / 16, 1 << 20, options.bytes_in_flight_max);
    }
    const auto per_shard = [&](int32_t limit) {
        return limit == INT32_MAX ? UINT32_MAX : static_cast<uint32_t>(std::max(1, limit / shards));
    };
    options.connections_max = std::min(options.connections_max, per_shard(config.max_connections));
    options.connections_per_host_max = per_shard(config.max_connections_per_ip);
    options.idle_ms_max = static_cast<uint64_t>(std::max<int64_t>(1, config.connections_max_idle_ms));
    options.request_bytes_max = static_cast<uint32_t>(config.socket_request_max_bytes);
    return options;
}

}  // namespace

Front::Front(Io& io, Node& node, std::vector<Front*>& fronts,
             std::function<void(MetricsPage&)> add_process_metrics, int32_t descriptor_max)
    : fronts_(fronts),
      shard_(io, node),
      broker_(shard_),
      server_(io, broker_, shard_.metrics(), net_options(node.config, node.shard_count(), descriptor_max)),
      add_process_metrics_(std::move(add_process_metrics)) {
    fronts_[io.shard().value] = this;
    shard_.memory().add(server_);
    shard_.memory().add(broker_);
    shard_.on_wind_down([this] { broker_.end_waits(); });
    shard_.on_config_changed([this] {
        const NetOptions options = net_options(shard_.config(), shard_.node().shard_count(), INT32_MAX);
        server_.limit_connections(options.connections_max, options.connections_per_host_max);
    });
    // With listeners of their own, clients go to the shard themselves.
    if (!shard_.node().config.shard_listeners)
        server_.let_move([this](ShardId to, MovingConnection& moving) {
            return shard_.on<bool>(
                to, [this, to, &moving](Shard&) { return fronts_[to.value]->server_.adopt(moving); });
        });
}

Front::~Front() = default;

template <class Work> Task<> Front::on_every_shard(Work work) {
    std::vector<Task<bool>> working;
    for (uint16_t i = 0; i < fronts_.size(); i++)
        working.push_back(shard_.on<bool>(ShardId{i}, [this, i, work](Shard&) { return work(*fronts_[i]); }));
    co_await gather(std::move(working));
}

Task<Result<>> Front::open() {
    auto starting = shard_.start_node();
    const auto started = co_await starting;
    if (!started) co_return started.error();
    auto listening = listen();
    co_return co_await listening;
}

Task<Result<>> Front::listen() {
    for (const ListenerConfig& listener : shard_.config().listeners) {
        auto opening = listen_on(listener);
        const auto opened = co_await opening;
        if (!opened) co_return opened.error();
    }
    listening_ = true;
    co_await on_every_shard([&ports = ports_](Front& front) { return front.take_ports(ports); });
    if (shard_.config().admin_listen.empty()) co_return Result<>{};
    auto opening = listen_admin();
    co_return co_await opening;
}

namespace {

void say_cannot_listen(Io& io, const std::string& address, int32_t error) {
    io.log().error("net", "cannot listen: choose another address, or stop what has this one",
                   {{"addr", address}, {"error", std::strerror(-error)}});
}

Task<bool> listen_here(Server& server, ListenRequest request, Listening& listening) {
    auto opening = server.listen(std::move(request));
    listening = co_await opening;
    co_return true;
}

}  // namespace

Task<bool> Front::take_ports(const Shard::Ports& ports) {
    shard_.set_ports(ports);
    co_return true;
}

// Shard 0 first, alone: it finds out whether the port is free, and which one it is. The others share it, or
// have the ports behind it, or any when it was any.
Task<Result<>> Front::listen_on(const ListenerConfig& listener) {
    const bool has_own = shard_.node().config.shard_listeners;
    ListenerConfig here = listener;
    for (uint16_t i = 0; i < fronts_.size(); i++) {
        Listening listening;
        const ListenRequest request{
            .listener = listener.name, .address = here.address(), .flags = i == 0 || has_own ? Op::sole : 0u};
        auto opening = shard_.on<bool>(
            ShardId{i}, [&, i](Shard&) { return listen_here(fronts_[i]->server_, request, listening); });
        co_await opening;
        if (listening.error != 0) {
            say_cannot_listen(shard_.io(), request.address, listening.error);
            co_return Error::network_exception;
        }
        const auto got = parse_host_port(listening.address);
        ASSERT(got);
        if (i == 0) addresses_.push_back(listening.address);
        if (i == 0 || has_own)
            shard_.io().log().info(
                "net", "listening",
                {{"listener", listener.name}, {"addr", listening.address}, {"proto", "kafka"}});
        if (has_own) ports_[listener.name].push_back(got->port);
        here.port =
            has_own ? static_cast<uint16_t>(listener.port == 0 ? 0 : listener.port + i + 1) : got->port;
    }
    co_return Result<>{};
}

Task<Result<>> Front::listen_admin() {
    routes_ = std::make_unique<OperatorRoutes>(shard_, add_process_metrics_);
    http_ = std::make_unique<HttpServer>(shard_.io(), *routes_);
    auto opening = http_->listen(shard_.config().admin_listen, Op::sole);
    const Listening listening = co_await opening;
    if (listening.error != 0) {
        say_cannot_listen(shard_.io(), shard_.config().admin_listen, listening.error);
        co_return Error::network_exception;
    }
    admin_address_ = listening.address;
    shard_.io().log().info("net", "listening", {{"addr", admin_address_}, {"proto", "http"}});
    co_return Result<>{};
}

Task<bool> Front::close_connections(uint64_t grace_ns) {
    co_await server_.close(grace_ns);
    co_return true;
}

Task<bool> Front::end_handlers() {
    co_await server_.drained();
    co_return true;
}

Task<> Front::close(uint64_t grace_ns) {
    co_await shard_.begin_stop();
    co_await on_every_shard([grace_ns](Front& front) { return front.close_connections(grace_ns); });
    co_await shard_.end_waits();
    co_await on_every_shard([](Front& front) { return front.end_handlers(); });
    if (http_) co_await http_->close();
    co_await shard_.stop_node();
}

}  // namespace millrace
