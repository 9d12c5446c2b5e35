// A server in the simulated world, with a handler that checks what it is promised, and clients to trouble it.
//
// A request is: size, mode, sequence number, payload made from the number. A reply is: size, sequence number,
// and as many bytes as the mode says.
#pragma once
#include <deque>

#include <doctest/doctest.h>

#include "millrace/net.h"
#include "millrace/sim.h"

namespace millrace {

inline constexpr uint64_t ms = 1'000'000;
inline constexpr uint64_t second = 1'000 * ms;

enum class Mode : uint8_t {
    at_once,
    later,
    none,        // No reply, at once.
    none_later,  // No reply, after a while.
    barrier,     // Alone, after a while.
    large,       // A reply of 40,000 bytes in many pieces.
    parked,      // Until the test says so.
    close,       // Ends the connection.
};

inline uint8_t payload_byte(uint32_t number, size_t i) {
    return static_cast<uint8_t>(number * 31 + i * 7 + i / 251);
}

inline std::vector<uint8_t> request_bytes(Mode mode, uint32_t number, size_t payload) {
    std::vector<uint8_t> bytes(4 + 5 + payload);
    store_big(bytes.data(), static_cast<uint32_t>(5 + payload));
    bytes[4] = static_cast<uint8_t>(mode);
    store_big(bytes.data() + 5, number);
    for (size_t i = 0; i < payload; i++) bytes[9 + i] = payload_byte(number, i);
    return bytes;
}

inline bool is_intact(Bytes frame, uint32_t number) {
    for (size_t i = 5; i < frame.size(); i++)
        if (frame[i] != payload_byte(number, i - 5)) return false;
    return true;
}

class TestHandler final : public RequestHandler {
 public:
    explicit TestHandler(Io& io) : io_(io) {}

    Overlap overlap(Bytes frame) const override {
        return !frame.empty() && Mode{frame[0]} == Mode::barrier ? Overlap::barrier : Overlap::free;
    }
    Task<Reply> handle(Bytes frame, ConnectionContext& connection) override {
        REQUIRE(frame.size() >= 5);
        const auto mode = Mode{frame[0]};
        const auto number = load_big<uint32_t>(frame.data() + 1);
        Running& running = running_[connection.id];
        REQUIRE(is_intact(frame, number));
        if (running.last) CHECK(number == *running.last + 1);  // Handlers start in order.
        running.last = number;
        CHECK_FALSE(running.barrier);
        if (mode == Mode::barrier) CHECK(running.count == 0);
        running.barrier = mode == Mode::barrier;
        running.count++, started++;
        most_running = std::max(most_running, running.count);
        if (mode == Mode::parked) co_await unpark;
        const bool waits = mode == Mode::later || mode == Mode::barrier || mode == Mode::none_later;
        if (waits || (mode == Mode::large && number % 2)) co_await sleep_for(io_, delay_ns(number));
        REQUIRE(is_intact(frame, number));
        Running& after = running_[connection.id];
        after.count--, after.barrier = false;
        if (mode == Mode::close) co_return Reply{.kind = Reply::Kind::close, .body = {}};
        if (mode == Mode::none || mode == Mode::none_later)
            co_return Reply{.kind = Reply::Kind::none, .body = {}};
        auto body = std::make_unique<Body>(*this, number, mode == Mode::large ? large_size : 8);
        co_return Reply{.kind = Reply::Kind::answer, .body = std::move(body)};
    }

    static constexpr size_t large_size = 40'000;
    Signal unpark;
    size_t bodies = 0;  // Alive.
    uint32_t most_running = 0;
    uint64_t started = 0;
    uint64_t delay_max_ns = 3 * ms;

 private:
    struct Running {
        std::optional<uint32_t> last;
        uint32_t count = 0;
        bool barrier = false;
    };
    class Body final : public ReplyBody {
     public:
        Body(TestHandler& handler, uint32_t number, size_t size) : handler_(handler), bytes_(4 + size) {
            handler.bodies++;
            store_big(bytes_.data(), static_cast<uint32_t>(size));
            store_big(bytes_.data() + 4, number);
            for (size_t i = 8; i < bytes_.size(); i++) bytes_[i] = payload_byte(number, i);
            for (size_t at = 0; at < bytes_.size();) {
                const size_t piece = std::min<size_t>(bytes_.size() - at, 1 + (number * 37 + at) % 90);
                pieces_.push_back({bytes_.data() + at, piece});
                at += piece;
            }
        }
        ~Body() override { handler_.bodies--; }
        std::span<const Piece> pieces() const override { return pieces_; }
        size_t size() const override { return bytes_.size(); }

     private:
        TestHandler& handler_;
        std::vector<uint8_t> bytes_;
        std::vector<Piece> pieces_;
    };
    uint64_t delay_ns(uint32_t number) const { return 1 + number * 7919 * ms / 13 % delay_max_ns; }

    Io& io_;
    std::map<uint64_t, Running> running_;
};

struct Serving final : SimProgram {
    Serving(SimNode& node, const NetOptions& options)
        : handler(node.io()), server(node.io(), handler, metrics, options) {
        node.spawn(start(*this));
    }
    static Task<> start(Serving& self) {
        self.listening = co_await self.server.listen({.listener = "PLAINTEXT", .address = "0.0.0.0:9092"});
    }
    Metrics metrics;
    TestHandler handler;
    Server server;
    Listening listening;
};

inline Task<bool> close_server(Serving& serving, uint64_t grace_ns) {
    co_await serving.server.close(grace_ns);
    co_await serving.server.drained();
    co_return true;
}

// A client's side of one connection.
class Peer {
 public:
    explicit Peer(Io& io) : io_(io) {}
    Task<bool> connect(std::string address) {
        fd_ = co_await Once{io_, Op::Kind::connect, {.path = address.c_str()}};
        if (fd_ >= 0) receive_.emplace(io_, Op::Kind::receive, fd_);
        co_return fd_ >= 0;
    }
    Task<bool> send(std::vector<uint8_t> bytes) {
        for (size_t at = 0; at < bytes.size();) {
            const Piece piece{bytes.data() + at, bytes.size() - at};
            const int32_t sent =
                co_await Once{io_, Op::Kind::send, {.fd = fd_, .pieces = &piece, .piece_count = 1}};
            if (sent <= 0) co_return false;
            at += static_cast<size_t>(sent);
        }
        co_return true;
    }
    // False at the end.
    Task<bool> more() {
        while (true) {
            const Outcome outcome = co_await receive_->next();
            if (outcome.value == -ENOBUFS) co_await sleep_for(io_, ms);
            if (outcome.value == -ENOBUFS) continue;
            if (outcome.value <= 0) co_return false;
            inbox.insert(inbox.end(), outcome.data.begin(), outcome.data.end());
            io_.give_back(outcome.buffer);
            co_return true;
        }
    }
    // The sequence number of the next reply; nothing at the end.
    Task<std::optional<uint32_t>> reply() {
        while (true) {
            if (inbox.size() >= 4) {
                uint8_t head[4];
                std::copy_n(inbox.begin(), 4, head);
                const size_t size = load_big<uint32_t>(head);
                if (inbox.size() >= 4 + size) co_return take(size);
            }
            if (!co_await more()) co_return std::nullopt;
        }
    }
    Task<> close() {
        co_await Once{io_, Op::Kind::shutdown, {.fd = fd_}};
        while (receive_->armed() || receive_->has_more()) {
            const Outcome outcome = co_await receive_->next();
            if (outcome.value > 0) io_.give_back(outcome.buffer);
        }
        co_await Once{io_, Op::Kind::close, {.fd = fd_}};
    }
    std::deque<uint8_t> inbox;

 private:
    uint32_t take(size_t size) {
        std::vector<uint8_t> bytes(inbox.begin() + 4, inbox.begin() + 4 + static_cast<ptrdiff_t>(size));
        inbox.erase(inbox.begin(), inbox.begin() + 4 + static_cast<ptrdiff_t>(size));
        const auto number = load_big<uint32_t>(bytes.data());
        bool is_intact = true;
        for (size_t i = 4; i < bytes.size(); i++) is_intact &= bytes[i] == payload_byte(number, i + 4);
        REQUIRE(is_intact);
        return number;
    }
    Io& io_;
    int fd_ = -1;
    std::optional<Many> receive_;
};

// One server node, one client node.
struct NetWorld {
    explicit NetWorld(const SimOptions& sim = {}, const NetOptions& net = {}) : world(sim), net(net) {
        boot();
        REQUIRE(world.run_until([this] { return !serving().listening.address.empty(); }, second));
    }
    void boot() {
        server.boot([options = net](SimNode& node) { return std::make_unique<Serving>(node, options); });
    }
    Serving& serving() { return *static_cast<Serving*>(server.program()); }
    TestHandler& handler() { return serving().handler; }
    Io& client_io() { return client.io(); }
    std::string address() const { return server.address() + ":9092"; }
    // Ends the server and sees that it leaves nothing behind.
    void close(uint64_t grace_ns = 10 * second) {
        REQUIRE(run_on(world, server, close_server(serving(), grace_ns)));
        CHECK(handler().bodies == 0);
        CHECK(server.receive_buffers_out() == 0);
        CHECK(server.open_descriptors() == 0);
        CHECK(serving().server.connection_count() == 0);
    }

    Signal let_go;  // For clients that wait; outlives them.
    SimWorld world;
    NetOptions net;
    SimNode& server = world.add_node();
    SimNode& client = world.add_node();
};

}  // namespace millrace
