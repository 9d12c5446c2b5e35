// The listeners and connections of one shard, and what they share: stocks of requests and sends, one letter a
// turn that flushes replies, one timer that looks for idle and stuck connections.
#include <cerrno>
#include <deque>

#include "connection.h"
#include "millrace/address.h"

namespace millrace {
namespace {

constexpr size_t spare_requests_max = 1024;
constexpr size_t spare_sendings_max = 256;
constexpr uint64_t millisecond_ns = 1'000'000;
constexpr uint64_t accept_pause_ns = 100 * millisecond_ns;
constexpr uint64_t pausing_silence_ns = 60'000 * millisecond_ns;
constexpr uint64_t closing_step_ns = millisecond_ns;

std::string host_of(const std::string& address) {
    const auto parsed = parse_host_port(address);
    return parsed ? std::string(parsed->host) : address;
}

Task<> close_quietly(Io& io, int fd) { co_await Once{io, Op::Kind::close, {.fd = fd}}; }

}  // namespace

class Server::State final : public ConnectionHome {
 public:
    State(Io& io, RequestHandler& handler, Metrics& metrics, const NetOptions& options);
    ~State();

    Task<Listening> listen(ListenRequest request);
    void set_pressure(MemoryPressure pressure);
    void trim();
    void limit_connections(uint32_t all_max, uint32_t per_host_max) {
        options_.connections_max = all_max, options_.connections_per_host_max = per_host_max;
    }
    Task<> close(uint64_t grace_ns);
    Task<> drained();
    void let_move(Bring bring) { bring_ = std::move(bring); }
    Task<bool> adopt(MovingConnection& moving);
    void drop_replies();
    size_t connection_count() const { return connections_.size(); }

    // As ConnectionHome.
    Io& io() override { return io_; }
    RequestHandler& handler() override { return handler_; }
    const NetOptions& options() const override { return options_; }
    InputMemory& input_memory() override { return input_memory_; }
    std::unique_ptr<Request> take_request() override;
    void put_back(std::unique_ptr<Request> request) override;
    std::unique_ptr<Sending> take_sending() override;
    void put_back(std::unique_ptr<Sending> sending) override;
    void flush_soon(Connection& connection) override;
    void starved(Connection& connection) override;
    void begin_wait(Connection& connection) override;
    void give_up(Connection& connection) override;
    void received(size_t bytes) override { received_bytes_.add(bytes); }
    void sent(size_t bytes) override { sent_bytes_.add(bytes); }
    void socket_closed(Connection& connection) override;
    void forget(Connection& connection) override;
    std::optional<ShardId> better_shard(const WorkPlace& work) override;
    void move(Connection& connection, ShardId to, MovingConnection moving) override;

 private:
    struct Listener final : Op {
        Listener(State& state, std::string name, int descriptor)
            : Op(Kind::accept), state(state), name(std::move(name)) {
            fd = descriptor;
        }
        void done(Outcome outcome) override { state.on_accepted(*this, outcome); }
        State& state;
        std::string name;
        bool pauses = false;
    };
    struct FlushLetter final : Letter {
        explicit FlushLetter(State& state) : state(state) {}
        void deliver() override { state.flush_all(); }
        State& state;
    };
    struct RoomLetter final : Letter {
        explicit RoomLetter(State& state) : state(state) {}
        void deliver() override { state.let_in_waiting(); }
        State& state;
    };
    struct Tick final : Op {
        explicit Tick(State& state) : Op(Kind::sleep), state(state) {}
        void done(Outcome) override { state.on_tick(); }
        State& state;
    };

    void on_accepted(Listener& listener, Outcome outcome);
    void admit(Listener& listener, int fd);
    void refuse_for_descriptors(Listener& listener, int fd);
    void say_pausing(const Listener& listener, int error);
    void take_in(MovingConnection&& coming);
    static Task<> bring(State& state, ShardId to, MovingConnection moving);
    std::string_view why_refused(const std::string& host) const;
    static Task<> accept_later(Listener& listener);
    static Task<> feed_starved(State& state);
    void flush_all();
    void on_room();
    void let_in_waiting();
    void say_waiting();
    void on_tick();
    void arm_tick();
    Task<> close_listeners();
    template <class F> void for_each(F visit);

    Io& io_;
    RequestHandler& handler_;
    NetOptions options_;
    InputMemory input_memory_;
    Gauge& open_;
    Gauge& paused_;
    Counter& accepted_;
    Counter& refused_;
    Counter& moved_;
    Counter& received_bytes_;
    Counter& sent_bytes_;

    std::vector<std::unique_ptr<Listener>> listeners_;
    std::map<uint64_t, std::unique_ptr<Connection>> connections_;
    std::map<std::string, uint32_t> per_host_;
    uint64_t last_id_ = 0;
    size_t sockets_ = 0;
    Bring bring_;
    size_t being_brought_ = 0;  // To other shards.
    bool closing_ = false;
    uint64_t pausing_said_ns_ = 0;
    uint64_t waiting_said_ns_ = 0;
    bool room_letter_posted_ = false;

    std::vector<std::unique_ptr<Request>> spare_requests_;
    std::vector<std::unique_ptr<Sending>> spare_sendings_;
    std::vector<Connection*> to_flush_, flushing_;  // Two, so that neither gives its memory up.
    std::vector<uint64_t> starved_;
    std::deque<Connection*> waiting_;  // For memory, each once, by turn.
    FlushLetter flush_letter_{*this};
    RoomLetter room_letter_{*this};
    Tick tick_{*this};
};

Server::State::State(Io& io, RequestHandler& handler, Metrics& metrics, const NetOptions& options)
    : io_(io),
      handler_(handler),
      options_(options),
      input_memory_(io, {options.request_bytes_max, options.owned_bytes_max, options.views_max,
                         options.alone_bytes_max}),
      open_(metrics.gauge("millrace_connections", "Client connections open now.")),
      paused_(metrics.gauge("millrace_connections_paused",
                            "Client connections not read until memory for their next request is free.")),
      accepted_(metrics.counter("millrace_connections_accepted_total", "Client connections accepted.")),
      refused_(metrics.counter("millrace_connections_refused_total", "Client connections above a limit.")),
      moved_(metrics.counter("millrace_connections_moved_total",
                             "Client connections brought to the shard that does their work.")),
      received_bytes_(
          metrics.counter("millrace_network_received_bytes_total", "Bytes received from clients.")),
      sent_bytes_(metrics.counter("millrace_network_sent_bytes_total", "Bytes sent to clients.")) {
    ASSERT(options.requests_in_flight_max > 0);
    ASSERT(options.send_bytes_max > 0);
    input_memory_.on_room([this] { on_room(); });
}

Server::State::~State() {
    input_memory_.on_room({});
    ASSERT(!tick_.under_way);
    for (const auto& listener : listeners_) ASSERT(!listener->under_way);
}

// ---- Listening -----------------------------------------------------------------------------------------

Task<Listening> Server::State::listen(ListenRequest request) {
    const int32_t fd =
        co_await Once{io_, Op::Kind::listen, {.flags = request.flags, .path = request.address.c_str()}};
    if (fd < 0) co_return Listening{.error = fd, .address = {}};
    Listener& listener =
        *listeners_.emplace_back(std::make_unique<Listener>(*this, std::move(request.listener), fd));
    io_.submit(listener);
    co_return Listening{.address = io_.local_address(fd)};
}

void Server::State::on_accepted(Listener& listener, Outcome outcome) {
    if (outcome.value >= 0 && closing_)
        close_quietly(io_, outcome.value).detach();
    else if (outcome.value > options_.descriptor_max)
        refuse_for_descriptors(listener, outcome.value);
    else if (outcome.value >= 0)
        admit(listener, outcome.value);
    if (outcome.more || closing_) return;
    if (outcome.value >= 0 && outcome.value <= options_.descriptor_max) return io_.submit(listener);
    if (outcome.value < 0 && outcome.value != -ECANCELED) say_pausing(listener, -outcome.value);
    accept_later(listener).detach();
}

// Files keep what is left; who comes next waits in the kernel.
void Server::State::refuse_for_descriptors(Listener& listener, int fd) {
    refused_.add();
    close_quietly(io_, fd).detach();
    say_pausing(listener, EMFILE);
    if (listener.under_way) io_.cancel(listener);
}

// Once a minute, however long it lasts.
void Server::State::say_pausing(const Listener& listener, int error) {
    if (pausing_said_ns_ != 0 && io_.now_ns() < pausing_said_ns_ + pausing_silence_ns) return;
    pausing_said_ns_ = io_.now_ns();
    io_.log().warn("net", "accepting pauses: raise the limit of open files (ulimit -n), or close connections",
                   {{"listener", listener.name}, {"errno", error}, {"connections", sockets_}});
}

// Out of descriptors, say: others must close first.
Task<> Server::State::accept_later(Listener& listener) {
    listener.pauses = true;
    co_await sleep_for(listener.state.io_, accept_pause_ns);
    listener.pauses = false;
    if (!listener.state.closing_) listener.state.io_.submit(listener);
}

void Server::State::admit(Listener& listener, int fd) {
    ConnectionContext context{.id = ++last_id_, .peer = io_.peer_address(fd), .local = io_.local_address(fd)};
    context.listener = listener.name;
    const std::string host = host_of(context.peer);
    if (const auto why = why_refused(host); !why.empty()) {
        refused_.add();
        io_.log().warn("net", "connection refused", {{"peer", context.peer}, {"cause", why}});
        return close_quietly(io_, fd).detach();
    }
    accepted_.add();
    take_in({.fd = fd, .context = std::move(context), .unread = {}});
}

void Server::State::take_in(MovingConnection&& coming) {
    open_.add(1);
    sockets_++;
    per_host_[host_of(coming.context.peer)]++;
    auto& place = connections_[coming.context.id];
    place =
        std::make_unique<Connection>(*this, coming.fd, std::move(coming.context), std::move(coming.unread));
    place->start();
    arm_tick();
}

std::string_view Server::State::why_refused(const std::string& host) const {
    if (sockets_ >= options_.connections_max) return "too many connections";
    const auto found = per_host_.find(host);
    const uint32_t of_host = found == per_host_.end() ? 0 : found->second;
    return of_host >= options_.connections_per_host_max ? "too many connections from this host" : "";
}

// ---- What connections share ----------------------------------------------------------------------------

std::unique_ptr<Request> Server::State::take_request() {
    if (spare_requests_.empty()) return std::make_unique<Request>();
    auto request = std::move(spare_requests_.back());
    spare_requests_.pop_back();
    return request;
}

void Server::State::put_back(std::unique_ptr<Request> request) {
    ASSERT(!request->frame.chunk);
    request->reply = {};
    request->frame.bytes = {};
    request->frame_size = request->reply_size = request->sent = 0;
    request->is_done = request->is_barrier = false;
    request->next = nullptr;
    if (spare_requests_.size() < spare_requests_max) spare_requests_.push_back(std::move(request));
}

std::unique_ptr<Sending> Server::State::take_sending() {
    if (spare_sendings_.empty()) return std::make_unique<Sending>();
    auto sending = std::move(spare_sendings_.back());
    spare_sendings_.pop_back();
    return sending;
}

void Server::State::put_back(std::unique_ptr<Sending> sending) {
    ASSERT(!sending->under_way);
    if (spare_sendings_.size() < spare_sendings_max) spare_sendings_.push_back(std::move(sending));
}

void Server::State::set_pressure(MemoryPressure pressure) {
    const uint64_t all = options_.owned_bytes_max;
    input_memory_.set_room(pressure == MemoryPressure::scarce ? all / 4 : all);
}

void Server::State::trim() {
    spare_requests_.clear();
    spare_sendings_.clear();
    input_memory_.trim();
}

void Server::State::flush_soon(Connection& connection) {
    if (to_flush_.empty()) io_.post(io_.shard(), flush_letter_);
    to_flush_.push_back(&connection);
}

void Server::State::flush_all() {
    ASSERT(flushing_.empty());
    flushing_.swap(to_flush_);
    for (Connection* connection : flushing_) connection->flush();
    flushing_.clear();
}

void Server::State::starved(Connection& connection) {
    if (starved_.empty()) feed_starved(*this).detach();
    starved_.push_back(connection.context().id);
}

Task<> Server::State::feed_starved(State& state) {
    co_await sleep_for(state.io_, millisecond_ns);
    for (const uint64_t id : std::exchange(state.starved_, {})) state.connections_.at(id)->receive_again();
}

void Server::State::begin_wait(Connection& connection) {
    waiting_.push_back(&connection);
    paused_.add(1);
    say_waiting();
}

void Server::State::give_up(Connection& connection) {
    const size_t erased = std::erase(waiting_, &connection);
    ASSERT(erased == 1);
    paused_.add(-1);
}

// Once a minute, however many wait.
void Server::State::say_waiting() {
    if (waiting_said_ns_ != 0 && io_.now_ns() < waiting_said_ns_ + pausing_silence_ns) return;
    waiting_said_ns_ = io_.now_ns();
    io_.log().warn("net", "connections pause until memory for requests is free: raise millrace.memory",
                   {{"budget", options_.owned_bytes_max}, {"connections", sockets_}});
}

void Server::State::on_room() {
    if (!std::exchange(room_letter_posted_, true)) io_.post(io_.shard(), room_letter_);
}

// By turn: who needs much is not overtaken for ever by those who need little.
void Server::State::let_in_waiting() {
    room_letter_posted_ = false;
    while (!waiting_.empty() && waiting_.front()->let_in()) {
        Connection& connection = *waiting_.front();
        waiting_.pop_front();
        paused_.add(-1);
        connection.go_on();
    }
}

void Server::State::socket_closed(Connection& connection) {
    ASSERT(sockets_ > 0);
    sockets_--;
    open_.add(-1);
    const auto found = per_host_.find(host_of(connection.context().peer));
    if (--found->second == 0) per_host_.erase(found);
}

// ---- Moving --------------------------------------------------------------------------------------------

namespace {

// A few, so that a client's first requests, which look around, decide nothing; then twice as many each time,
// so that a connection whose work wanders does not.
uint32_t run_before_moving(uint32_t moves) { return 16u << std::min(moves, 20u); }

constexpr uint32_t busy_percent_low = 60, busy_percent_more = 25;

}  // namespace

std::optional<ShardId> Server::State::better_shard(const WorkPlace& work) {
    if (work.run < run_before_moving(work.moves) || work.shard == io_.shard()) return {};
    if (!bring_ || closing_ || options_.connections_per_host_max != UINT32_MAX) return {};
    const uint32_t there = io_.busy_percent(work.shard), here = io_.busy_percent(io_.shard());
    if (there > busy_percent_low && there > here + busy_percent_more) return {};
    return work.shard;
}

void Server::State::move(Connection& connection, ShardId to, MovingConnection moving) {
    socket_closed(connection);
    moved_.add();
    moving.context.work = {.shard = to, .run = 0, .moves = moving.context.work.moves + 1};
    moving.luggage = handler_.leave(moving.context);
    bring(*this, to, std::move(moving)).detach();
}

Task<> Server::State::bring(State& state, ShardId to, MovingConnection moving) {
    state.being_brought_++;
    co_await state.bring_(to, moving);
    state.being_brought_--;
}

Task<bool> Server::State::adopt(MovingConnection& moving) {
    if (closing_) {
        co_await Once{io_, Op::Kind::close, {.fd = moving.fd}};
        co_return false;
    }
    moving.context.id = ++last_id_;
    if (moving.luggage) handler_.arrive(std::move(moving.luggage));
    take_in(std::move(moving));
    co_return true;
}

void Server::State::forget(Connection& connection) {
    const size_t erased = connections_.erase(connection.context().id);
    ASSERT(erased == 1);
}

// ---- Time ----------------------------------------------------------------------------------------------

// A connection may go while it is visited, and only that one.
template <class F> void Server::State::for_each(F visit) {
    for (auto it = connections_.begin(); it != connections_.end();) {
        Connection& connection = *it->second;
        ++it;
        visit(connection);
    }
}

void Server::State::arm_tick() {
    if (tick_.under_way) return;
    const uint64_t shortest_ms =
        std::min({options_.idle_ms_max, options_.send_ms_max, options_.stall_ms_max});
    tick_.size = std::clamp<uint64_t>(shortest_ms / 8, 1, 5'000) * millisecond_ns;
    io_.submit(tick_);
}

void Server::State::on_tick() {
    const uint64_t now_ns = io_.now_ns();
    for_each([now_ns](Connection& connection) { connection.check_deadlines(now_ns); });
    if (!connections_.empty() && !closing_) arm_tick();
}

// ---- The end -------------------------------------------------------------------------------------------

Task<> Server::State::close(uint64_t grace_ns) {
    closing_ = true;
    co_await close_listeners();
    for_each([](Connection& connection) { connection.drain(); });
    const uint64_t until_ns = io_.now_ns() + grace_ns;
    while (sockets_ > 0 && io_.now_ns() < until_ns) co_await sleep_for(io_, closing_step_ns);
    for_each([](Connection& connection) { connection.abort(); });
    while (sockets_ > 0) co_await sleep_for(io_, closing_step_ns);
    if (tick_.under_way) io_.cancel(tick_);
    while (tick_.under_way) co_await sleep_for(io_, closing_step_ns);
}

Task<> Server::State::close_listeners() {
    for (const auto& listener : listeners_)
        if (listener->under_way) io_.cancel(*listener);
    for (const auto& listener : listeners_) {
        while (listener->under_way || listener->pauses) co_await sleep_for(io_, closing_step_ns);
        co_await Once{io_, Op::Kind::close, {.fd = listener->fd}};
    }
    listeners_.clear();
}

Task<> Server::State::drained() {
    ASSERT(closing_);
    while (!connections_.empty() || being_brought_ > 0 || room_letter_posted_)
        co_await sleep_for(io_, closing_step_ns);
    ASSERT(to_flush_.empty());
    ASSERT(input_memory_.lent() == 0);
    ASSERT(input_memory_.owned_bytes() == 0);
    ASSERT(input_memory_.reserved_bytes() == 0 && waiting_.empty());
}

void Server::State::drop_replies() {
    for (auto& [id, connection] : connections_) connection->drop_replies();
}

Server::Server(Io& io, RequestHandler& handler, Metrics& metrics, const NetOptions& options)
    : state_(std::make_unique<State>(io, handler, metrics, options)) {}
Server::~Server() = default;
Task<Listening> Server::listen(ListenRequest request) { return state_->listen(std::move(request)); }
void Server::limit_connections(uint32_t all_max, uint32_t per_host_max) {
    state_->limit_connections(all_max, per_host_max);
}
void Server::set_pressure(MemoryPressure pressure) { state_->set_pressure(pressure); }
void Server::trim() { state_->trim(); }
Task<> Server::close(uint64_t grace_ns) { return state_->close(grace_ns); }
Task<> Server::drained() { return state_->drained(); }
void Server::let_move(Bring bring) { state_->let_move(std::move(bring)); }
Task<bool> Server::adopt(MovingConnection& moving) { return state_->adopt(moving); }
void Server::drop_replies() { state_->drop_replies(); }
size_t Server::connection_count() const { return state_->connection_count(); }

}  // namespace millrace
