// The operators' HTTP server: few connections, one coroutine each.
//
// What comes in is copied out of the receive buffers at once, up to a limit, so that no slow reader holds
// them. A watch ends connections that are idle or stuck. Owned by one shard.
#include <cerrno>
#include <list>

#include <fmt/format.h>

#include "http_head.h"
#include "millrace/net.h"

namespace millrace {
namespace {

constexpr uint64_t millisecond_ns = 1'000'000;
constexpr uint64_t step_ns = millisecond_ns;

// A connection's input. Reads on by itself; the one coroutine of the connection waits for more.
class Intake final : Op {
 public:
    Intake(Io& io, int descriptor, size_t text_max) : Op(Kind::receive), io_(io), text_max_(text_max) {
        fd = descriptor;
    }
    ~Intake() { ASSERT(!under_way); }

    std::string text;
    bool has_ended = false;  // The peer has, or it sent more than anybody would.
    bool is_armed() const { return under_way; }

    // Something happened since: bytes, the end, or the moment to try again.
    struct More {
        Intake& intake;
        bool await_ready() const { return intake.has_ended; }
        void await_suspend(std::coroutine_handle<> waiter) {
            intake.waiter_ = waiter;
            if (!intake.under_way) intake.io_.submit(intake);
        }
        void await_resume() const {}
    };
    More more() { return {*this}; }
    bool was_starved = false;  // No receive buffer was free: wait a little before more().

 private:
    void done(Outcome outcome) override {
        if (outcome.value > 0) {
            if (text.size() + outcome.data.size() > text_max_)
                has_ended = true;
            else
                text += as_text(outcome.data);
            io_.give_back(outcome.buffer);
        }
        was_starved = outcome.value == -ENOBUFS;
        if (outcome.value <= 0 && !was_starved) has_ended = true;
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }

    Io& io_;
    size_t text_max_;
    std::coroutine_handle<> waiter_;
};

std::string render_head(const HttpResponse& response, bool keep_alive) {
    return fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Cache-Control: "
        "no-store\r\nConnection: "
        "{}\r\n\r\n",
        response.status, http_reason(response.status), response.content_type, response.body.size(),
        response.status == 405 ? "Allow: GET, HEAD\r\n" : "", keep_alive ? "keep-alive" : "close");
}

HttpResponse plain(int status) {
    return {.status = status, .body = fmt::format("{} {}\n", status, http_reason(status))};
}

Task<bool> send_all(Io& io, int fd, std::string_view text) {
    while (!text.empty()) {
        const Piece piece{text.data(), text.size()};
        const int32_t sent =
            co_await Once{io, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
        if (sent <= 0) co_return false;
        text.remove_prefix(static_cast<size_t>(sent));
    }
    co_return true;
}

Task<> close_quietly(Io& io, int fd) { co_await Once{io, Op::Kind::close, {.fd = fd}}; }

}  // namespace

class HttpServer::State {
 public:
    State(Io& io, HttpRoutes& routes, const HttpOptions& options)
        : io_(io), routes_(routes), options_(options) {}
    ~State() { ASSERT(!accept_.under_way); }

    Task<Listening> listen(std::string address, uint32_t flags);
    Task<> close();

 private:
    struct Accept final : Op {
        explicit Accept(State& state) : Op(Kind::accept), state(state) {}
        void done(Outcome outcome) override { state.on_accepted(outcome); }
        State& state;
    };
    struct Client {
        int fd;
        uint64_t since_ns;  // It waits for the peer since then.
        bool is_answering = false;
        bool is_shut = false;
        bool is_shutting = false;
    };
    using Clients = std::list<Client>;

    void on_accepted(Outcome outcome);
    static Task<> accept_later(State& state);
    static Task<> serve(State& state, Clients::iterator client);
    static Task<std::optional<HttpHead>> next_head(State& state, Client& client, Intake& intake);
    static Task<bool> answer(State& state, Client& client, HttpHead head);
    static Task<> watch(State& state);
    static Task<> shut(State& state, Client& client);

    Io& io_;
    HttpRoutes& routes_;
    const HttpOptions options_;
    Accept accept_{*this};
    Clients clients_;
    Once* nap_ = nullptr;  // Of the watch.
    bool watching_ = false;
    bool pausing_ = false;
    bool closing_ = false;
};

Task<Listening> HttpServer::State::listen(std::string address, uint32_t flags) {
    ASSERT(accept_.fd < 0);
    const int32_t fd = co_await Once{io_, Op::Kind::listen, {.flags = flags, .path = address.c_str()}};
    if (fd < 0) co_return Listening{.error = fd, .address = {}};
    accept_.fd = fd;
    io_.submit(accept_);
    co_return Listening{.address = io_.local_address(fd)};
}

void HttpServer::State::on_accepted(Outcome outcome) {
    const bool is_welcome = !closing_ && clients_.size() < options_.connections_max;
    if (outcome.value >= 0 && !is_welcome) close_quietly(io_, outcome.value).detach();
    if (outcome.value >= 0 && is_welcome) {
        clients_.push_back({.fd = outcome.value, .since_ns = io_.now_ns()});
        serve(*this, std::prev(clients_.end())).detach();
        if (!watching_) watch(*this).detach();
    }
    if (outcome.more || closing_) return;
    if (outcome.value >= 0) return io_.submit(accept_);
    accept_later(*this).detach();
}

Task<> HttpServer::State::accept_later(State& state) {
    state.pausing_ = true;
    co_await sleep_for(state.io_, 100 * millisecond_ns);
    state.pausing_ = false;
    if (!state.closing_) state.io_.submit(state.accept_);
}

// ---- One connection ------------------------------------------------------------------------------------

Task<> HttpServer::State::serve(State& state, Clients::iterator client) {
    Intake intake{state.io_, client->fd, 2 * size_t{state.options_.head_bytes_max}};
    while (true) {
        auto head = co_await next_head(state, *client, intake);
        if (!head) break;
        if (!co_await answer(state, *client, std::move(*head))) break;
        client->since_ns = state.io_.now_ns();
        if (state.closing_) break;
    }
    co_await shut(state, *client);
    while (intake.is_armed() || client->is_shutting) co_await sleep_for(state.io_, step_ns);
    co_await Once{state.io_, Op::Kind::close, {.fd = client->fd}};
    state.clients_.erase(client);
}

// Nothing when there will be none.
Task<std::optional<HttpHead>> HttpServer::State::next_head(State& state, Client& client, Intake& intake) {
    client.is_answering = false;
    while (true) {
        if (auto head = parse_http_head(intake.text)) {
            intake.text.erase(0, head->size);
            if (head->size > state.options_.head_bytes_max) head->refusal = 431, head->keep_alive = false;
            co_return head;
        }
        if (intake.text.size() > state.options_.head_bytes_max)
            co_return HttpHead{.refusal = 431, .keep_alive = false, .path = {}};
        if (intake.has_ended) co_return std::nullopt;
        if (intake.was_starved) co_await sleep_for(state.io_, step_ns);
        co_await intake.more();
    }
}

// False when the connection ends with it.
Task<bool> HttpServer::State::answer(State& state, Client& client, HttpHead head) {
    client.is_answering = true;
    HttpResponse response = plain(head.refusal);
    if (head.refusal == 0) {
        auto asking = head.is_post ? state.routes_.post(head.path) : state.routes_.get(head.path);
        response = co_await asking;
    }
    client.since_ns = state.io_.now_ns();
    const bool keep_alive = head.keep_alive && !state.closing_;
    std::string text = render_head(response, keep_alive);
    if (head.wants_body) text += response.body;
    const bool sent = co_await send_all(state.io_, client.fd, text);
    if (!sent) co_return false;
    co_return keep_alive;
}

// Both ways, once: ends what the connection waits for.
Task<> HttpServer::State::shut(State& state, Client& client) {
    if (std::exchange(client.is_shut, true)) co_return;
    client.is_shutting = true;
    co_await Once{state.io_, Op::Kind::shutdown, {.fd = client.fd}};
    client.is_shutting = false;
}

// Runs while there are connections.
Task<> HttpServer::State::watch(State& state) {
    state.watching_ = true;
    const uint64_t idle_ns = state.options_.idle_ms_max * millisecond_ns;
    while (!state.clients_.empty()) {
        Once nap = sleep_for(state.io_, state.closing_ ? step_ns : std::max<uint64_t>(idle_ns / 8, step_ns));
        state.nap_ = &nap;
        co_await nap;
        state.nap_ = nullptr;
        for (Client& client : state.clients_) {
            const bool is_late = state.io_.now_ns() - client.since_ns > idle_ns;
            const bool waits = state.closing_ && !client.is_answering;
            if ((is_late || waits) && !client.is_shut) shut(state, client).detach();
        }
    }
    state.watching_ = false;
}

Task<> HttpServer::State::close() {
    closing_ = true;
    if (accept_.under_way) io_.cancel(accept_);
    while (accept_.under_way || pausing_) co_await sleep_for(io_, step_ns);
    if (accept_.fd >= 0) co_await Once{io_, Op::Kind::close, {.fd = accept_.fd}};
    for (Client& client : clients_)
        if (!client.is_answering && !client.is_shut) shut(*this, client).detach();
    if (nap_) nap_->cancel();
    while (!clients_.empty() || watching_) co_await sleep_for(io_, step_ns);
}

HttpServer::HttpServer(Io& io, HttpRoutes& routes, const HttpOptions& options)
    : state_(std::make_unique<State>(io, routes, options)) {}
HttpServer::~HttpServer() = default;
Task<Listening> HttpServer::listen(std::string address, uint32_t flags) {
    return state_->listen(std::move(address), flags);
}
Task<> HttpServer::close() { return state_->close(); }

}  // namespace millrace
