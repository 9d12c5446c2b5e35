// Sockets begin and end: listening, connecting, shutting down, crashes, links. Every step is an event, and
// completing an operation is its last act.
#include "network.h"

#include <cerrno>
#include <charconv>

#include "sim_io.h"

namespace millrace::sim {

namespace {

struct Address {
    std::string host;
    uint16_t port;
};

// "10.0.0.1:9092" or "[::1]:9092".
std::optional<Address> parse_address(std::string_view text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    const auto digits = text.substr(colon + 1);
    uint16_t port = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return {};
    return Address{std::string(text.substr(0, colon)), port};
}

bool is_loopback(std::string_view host) { return host == "127.0.0.1" || host == "[::1]"; }
bool is_any(std::string_view host) { return host == "0.0.0.0" || host == "[::]"; }

std::string address_text(const std::string& host, uint16_t port) { return host + ":" + std::to_string(port); }

constexpr uint16_t ephemeral_first = 32'768;

}  // namespace

Network::Network(Queue& queue, const NetworkOptions& options, uint64_t seed)
    : queue_(queue), options_(options), delays_(mix(seed, 1)), faults_(mix(seed, 2)) {}

void Network::set_process(const std::string& host, Process* process) {
    if (!process) return void(processes_.erase(host));
    processes_[host] = process;
    for (auto& [number, connection] : connections_)
        for (uint8_t side = 0; side < 2; side++)
            if (connection.ends[1 - side].host == host) release_held({number, side});
}

void Network::start(SimIo& io, Op& op, uint64_t id) {
    switch (op.kind) {
        case Op::Kind::listen: return listen(io, op, id);
        case Op::Kind::accept: return accept(io, op, id);
        case Op::Kind::connect: return connect(io, op, id);
        case Op::Kind::receive: return receive(io, op, id);
        case Op::Kind::send: return send(io, op, id);
        case Op::Kind::shutdown: return shutdown(io, op, id);
        default: ASSERT(!"a socket operation");
    }
}

void Network::refuse(SimIo& io, uint64_t id, int32_t error) {
    io.later(soon_ns(), [&io, id, error] {
        if (io.under_way(id)) io.complete(id, {.value = error});
    });
}

void Network::cancel(SimIo& io, Op& op, uint64_t id) {
    const auto is_it = [&](const std::optional<Waiting>& waiting) {
        return waiting && waiting->io == &io && waiting->id == id;
    };
    if (Listener* listener = listener_of(io.process(), op.fd); listener && is_it(listener->accept))
        listener->accept.reset();
    if (End* end = end_of(io.process(), op.fd)) {
        if (is_it(end->receive)) end->receive.reset();
        if (is_it(end->send)) end->send.reset();
    }
}

// ---- Listening and accepting --------------------------------------------------------------------------

void Network::listen(SimIo& io, Op& op, uint64_t id) {
    const auto address = parse_address(op.path);
    const std::string& own = io.process().machine().host();
    if (!address) return refuse(io, id, -EINVAL);
    if (!is_loopback(address->host) && !is_any(address->host) && address->host != own)
        return refuse(io, id, -EADDRNOTAVAIL);
    uint16_t& last = last_port_.try_emplace(own, ephemeral_first).first->second;
    const uint16_t port = address->port ? address->port : ++last;
    io.later(soon_ns(), [this, &io, id, host = address->host, port] {
        if (!io.under_way(id)) return;
        const int fd = io.process().take_fd();
        listeners_[{io.process().number(), fd}] = {&io.process(), fd, host, port, {}, {}};
        io.complete(id, {.value = fd});
    });
}

void Network::accept(SimIo& io, Op& op, uint64_t id) {
    Listener* const listener = listener_of(io.process(), op.fd);
    if (!listener) return refuse(io, id, -EBADF);
    ASSERT(!listener->accept);
    listener->accept = {&io, id};
    plan_accept({io.process().number(), op.fd});
}

void Network::plan_accept(SocketKey key) {
    Listener& listener = listeners_.at(key);
    if (!listener.accept || listener.backlog.empty() || std::exchange(listener.accept_planned, true)) return;
    listener.accept->io->later(soon_ns(), [this, key] { pump_accept(key); });
}

void Network::pump_accept(SocketKey key) {
    const auto it = listeners_.find(key);
    if (it == listeners_.end()) return;
    Listener& listener = it->second;
    listener.accept_planned = false;
    if (!listener.accept || listener.backlog.empty()) return;
    const EndRef ref = listener.backlog.front();
    listener.backlog.pop_front();
    End& end = *end_at(ref);
    end.fd = listener.process->take_fd();
    sockets_[{listener.process->number(), end.fd}] = ref;
    const Waiting waiting = *listener.accept;
    const bool more = goes_on(true);
    if (!more) listener.accept.reset();
    const int32_t fd = end.fd;
    plan_accept(key);
    waiting.io->complete(waiting.id, {.value = fd, .more = more});
}

// ---- Connecting ---------------------------------------------------------------------------------------

void Network::connect(SimIo& io, Op& op, uint64_t id) {
    const auto address = parse_address(op.path);
    if (!address || address->port == 0) return refuse(io, id, -EINVAL);
    const std::string& own = io.process().machine().host();
    const bool is_local = is_loopback(address->host) || is_any(address->host);
    const Dial dial{{&io, id}, own, is_local ? own : address->host, is_local, address->port};
    if (is_cut(own, dial.target_host) || is_cut(dial.target_host, own)) {
        return io.later(options_.connect_timeout_ns, [&io, id] {
            if (io.under_way(id)) io.complete(id, {.value = -ETIMEDOUT});
        });
    }
    queue_.after(latency_ns(), [this, dial] { knock(dial); });
}

// The first packet reaches the target's machine.
void Network::knock(const Dial& dial) {
    SimIo& io = *dial.waiting.io;
    if (io.process().is_dead() || !io.under_way(dial.waiting.id)) return;
    Listener* const listener = pick_listener(dial);
    if (!listener || listener->backlog.size() >= options_.backlog_max) {
        const int32_t error = processes_.contains(dial.target_host) ? -ECONNREFUSED : -EHOSTUNREACH;
        return io.later(latency_ns(), [&io, id = dial.waiting.id, error] {
            if (io.under_way(id)) io.complete(id, {.value = error});
        });
    }
    const EndRef ref{++last_connection_, 0};
    uint16_t& port = last_port_.try_emplace(dial.host, ephemeral_first).first->second;
    if (++port == 0) port = ephemeral_first;
    Connection& connection = connections_[ref.connection];
    connection.ends[0] = {
        .process = &io.process(), .host = dial.host, .address = address_text(dial.host, port)};
    connection.ends[1] = {.process = listener->process, .host = dial.target_host};
    connection.ends[1].address = address_text(dial.is_local ? "127.0.0.1" : dial.target_host, listener->port);
    if (dial.is_local) connection.ends[0].address = address_text("127.0.0.1", port);
    listener->backlog.push_back(ref.peer());
    plan_accept({listener->process->number(), listener->fd});
    io.later(latency_ns(), [this, dial, ref] { answer(dial, ref); });
}

Network::Listener* Network::pick_listener(const Dial& dial) {
    const auto process = processes_.find(dial.target_host);
    if (process == processes_.end()) return nullptr;
    std::vector<Listener*> fitting;
    for (auto& [key, listener] : listeners_) {
        const bool reachable = is_any(listener.host) || is_loopback(listener.host) == dial.is_local;
        if (listener.process == process->second && listener.port == dial.port && reachable)
            fitting.push_back(&listener);
    }
    return fitting.empty() ? nullptr : fitting[delays_.below(fitting.size())];
}

// The target's answer is back.
void Network::answer(const Dial& dial, EndRef ref) {
    SimIo& io = *dial.waiting.io;
    End* const end = end_at(ref);
    ASSERT(end);  // Only its owner closes an end.
    if (!io.under_way(dial.waiting.id)) return close_end(ref, Farewell::reset);
    end->fd = io.process().take_fd();
    sockets_[{io.process().number(), end->fd}] = ref;
    io.complete(dial.waiting.id, {.value = end->fd});
}

// ---- Ends ---------------------------------------------------------------------------------------------

void Network::shutdown(SimIo& io, Op& op, uint64_t id) {
    io.later(soon_ns(), [this, &io, id, fd = op.fd] {
        if (!io.under_way(id)) return;
        if (Listener* listener = listener_of(io.process(), fd)) {
            if (listener->accept) refuse(*listener->accept->io, listener->accept->id, -EINVAL);
            listener->accept.reset();
            return io.complete(id, {.value = 0});
        }
        End* const end = end_of(io.process(), fd);
        if (!end) return io.complete(id, {.value = -EBADF});
        const EndRef ref = sockets_.at({io.process().number(), fd});
        if (end->was_reset) return io.complete(id, {.value = -ENOTCONN});
        if (!std::exchange(end->shut, true)) dispatch(ref, {.is_end = true});
        plan_receive(ref);
        plan_send(ref);
        io.complete(id, {.value = 0});
    });
}

// Both ends learn of it, each in its own time.
void Network::break_connection(EndRef ref) {
    dispatch_reset(ref);
    dispatch_reset(ref.peer());
}

void Network::reset(EndRef ref) {
    End& end = *end_at(ref);
    end.was_reset = true;
    end.inbox.clear();
    if (!end.process) return;
    plan_receive(ref);
    plan_send(ref);
}

int32_t Network::close(Process& process, int fd) {
    const SocketKey key{process.number(), fd};
    if (const auto it = listeners_.find(key); it != listeners_.end()) {
        const auto backlog = std::move(it->second.backlog);
        listeners_.erase(it);
        for (const EndRef ref : backlog) close_end(ref, Farewell::reset);
        return 0;
    }
    const auto it = sockets_.find(key);
    if (it == sockets_.end()) return -EBADF;
    const EndRef ref = it->second;
    sockets_.erase(it);
    // What was not read makes it a reset, as in TCP.
    close_end(ref, end_at(ref)->inbox.empty() ? Farewell::end : Farewell::reset);
    return 0;
}

void Network::close_end(EndRef ref, Farewell farewell) {
    End& end = *end_at(ref);
    if (!end.was_reset && farewell == Farewell::reset) dispatch_reset(ref);
    if (!end.was_reset && farewell == Farewell::end && !end.shut) dispatch(ref, {.is_end = true});
    end.process = nullptr;
    end.receive.reset();
    end.send.reset();
    forget_if_closed(ref.connection);
}

void Network::forget_if_closed(uint64_t connection) {
    const auto& ends = connections_.at(connection).ends;
    if (!ends[0].process && !ends[1].process) connections_.erase(connection);
}

void Network::drop(Process& process, Crash how) {
    std::vector<EndRef> own;
    for (const auto& [number, connection] : connections_)
        for (uint8_t side = 0; side < 2; side++)
            if (connection.ends[side].process == &process) own.push_back({number, side});
    for (const EndRef ref : own) {
        End* const end = end_at(ref);
        if (!end) continue;
        end->vanished = how == Crash::power_cut && faults_.chance(options_.half_open);
        close_end(ref, end->vanished ? Farewell::none : Farewell::reset);
    }
    std::erase_if(listeners_, [&](const auto& entry) { return entry.second.process == &process; });
    std::erase_if(sockets_, [&](const auto& entry) { return entry.first.first == process.number(); });
}

size_t Network::open_sockets(const Process& process) const {
    const auto is_its = [&](const auto& entry) { return entry.first.first == process.number(); };
    return static_cast<size_t>(std::ranges::count_if(listeners_, is_its) +
                               std::ranges::count_if(sockets_, is_its));
}

Network::End* Network::end_at(EndRef ref) {
    const auto it = connections_.find(ref.connection);
    return it == connections_.end() ? nullptr : &it->second.ends[ref.side];
}

Network::End* Network::end_of(Process& process, int fd) {
    const auto it = sockets_.find({process.number(), fd});
    return it == sockets_.end() ? nullptr : end_at(it->second);
}

Network::Listener* Network::listener_of(Process& process, int fd) {
    const auto it = listeners_.find({process.number(), fd});
    return it == listeners_.end() ? nullptr : &it->second;
}

std::string Network::local_address(Process& process, int fd) const {
    const SocketKey key{process.number(), fd};
    if (const auto it = listeners_.find(key); it != listeners_.end())
        return address_text(it->second.host, it->second.port);
    const auto it = sockets_.find(key);
    if (it == sockets_.end()) return {};
    return connections_.at(it->second.connection).ends[it->second.side].address;
}

std::string Network::peer_address(Process& process, int fd) const {
    const auto it = sockets_.find({process.number(), fd});
    if (it == sockets_.end()) return {};
    return connections_.at(it->second.connection).ends[1 - it->second.side].address;
}

// ---- Links --------------------------------------------------------------------------------------------

void Network::cut(const std::string& from, const std::string& to) { cut_.insert({from, to}); }

void Network::heal(const std::string& from, const std::string& to) {
    cut_.erase({from, to});
    for (auto& [number, connection] : connections_)
        for (uint8_t side = 0; side < 2; side++) {
            End& end = connection.ends[side];
            if (end.host == from && connection.ends[1 - side].host == to) release_held({number, side});
        }
}

bool Network::is_unreachable(const End& from, const End& to) const {
    return is_cut(from.host, to.host) || (to.vanished && !processes_.contains(to.host));
}

// What waited for the way to be free sets out again, in order.
void Network::release_held(EndRef from) {
    End& end = *end_at(from);
    for (size_t n = std::exchange(end.held, 0); n > 0; n--)
        queue_.after(options_.latency_ns.most, [this, from] { arrive(from); });
    if (std::exchange(end.is_reset_held, false)) dispatch_reset(from);
}

}  // namespace millrace::sim
