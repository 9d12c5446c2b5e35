// One client's connection: requests in, replies out in their order.
//
// A state machine rather than a coroutine, so that an idle one is small: every event (bytes, a sent part, an
// ended handler, a deadline) is noted and then settle() does what has become possible. It ends when its
// socket is closed and no handler runs any more. Owned by its server.
#pragma once
#include "frames.h"
#include "millrace/net.h"

namespace millrace {

// A request from its bytes to its last sent byte. In a list by order of arrival.
struct Request {
    Frame frame;
    Reply reply;
    size_t frame_size = 0;
    size_t reply_size = 0;
    size_t sent = 0;  // Of the reply.
    bool is_done = false;
    bool is_barrier = false;
    Request* next = nullptr;
};

class Connection;

// A gathered send under way. Connections share a stock of them: most have nothing to send.
struct Sending final : Op {
    Sending() : Op(Kind::send) {}
    void done(Outcome outcome) override;
    Connection* connection = nullptr;
    std::vector<Piece> list;
    uint64_t since_ns = 0;
};

// What connections need of their server.
class ConnectionHome {
 public:
    virtual Io& io() = 0;
    virtual RequestHandler& handler() = 0;
    virtual const NetOptions& options() const = 0;
    virtual InputMemory& input_memory() = 0;
    virtual std::unique_ptr<Request> take_request() = 0;
    virtual void put_back(std::unique_ptr<Request> request) = 0;
    virtual std::unique_ptr<Sending> take_sending() = 0;
    virtual void put_back(std::unique_ptr<Sending> sending) = 0;
    // Calls flush() later in this turn, so that replies that are ready together leave together.
    virtual void flush_soon(Connection& connection) = 0;
    // No receive buffer was free: calls receive_again() in a moment.
    virtual void starved(Connection& connection) = 0;
    // Its next request has no room in the shard's memory: calls let_in() when it is its turn, until it may
    // go on. Not when it has given up.
    virtual void begin_wait(Connection& connection) = 0;
    virtual void give_up(Connection& connection) = 0;
    virtual void received(size_t bytes) = 0;
    virtual void sent(size_t bytes) = 0;
    virtual void socket_closed(Connection& connection) = 0;
    // The shard that the connection should go to; none: it stays.
    virtual std::optional<ShardId> better_shard(const WorkPlace& work) = 0;
    // Takes its socket, and what it has received, to another shard.
    virtual void move(Connection& connection, ShardId to, MovingConnection moving) = 0;
    virtual void forget(Connection& connection) = 0;  // Destroys it.

 protected:
    ~ConnectionHome() = default;
};

class Connection {
 public:
    // Begins with bytes that were received on another shard.
    Connection(ConnectionHome& home, int fd, ConnectionContext context, std::vector<uint8_t> unread);
    ~Connection();
    Connection(const Connection&) = delete;

    void start();
    // Reads nothing more; ends when what runs is answered.
    void drain();
    // Ends now, whatever is not answered.
    void abort();
    void flush();
    void receive_again();
    // Whether there is room by now. If so, it no longer waits, and go_on() must follow.
    bool let_in();
    void go_on();
    void check_deadlines(uint64_t now_ns);
    // Nobody will take them: what they hold on to is wanted elsewhere.
    void drop_replies();

    const ConnectionContext& context() const { return context_; }
    bool has_socket() const { return fd_ >= 0; }

 private:
    friend struct Sending;
    class Entered;
    struct Receive final : Op {
        explicit Receive(Connection& connection) : Op(Kind::receive), connection(connection) {}
        void done(Outcome outcome) override { connection.on_received(outcome); }
        Connection& connection;
    };

    void on_received(Outcome outcome);
    void on_sent(Outcome outcome);
    void on_handled(Request& request, Reply reply);
    static Task<> run(Connection& connection, Request& request);
    static Task<> close_socket(Connection& connection);
    static Task<> shut_down(Connection& connection);

    void settle();
    void start_requests();
    bool cut_next();
    bool is_full() const;
    bool may_start(const Request& request) const;
    void start_held();
    void stop_reading();

    void send_replies();
    void gather(Sending& sending);
    void account(size_t bytes);
    void retire_oldest();
    void retire_unanswered();

    void regulate_input();
    void tell_waiting();
    bool is_stalled(uint64_t now_ns) const;
    void consider_moving();
    void move_when_still();
    void refuse(std::string_view cause);
    void end();
    bool is_over() const;

    ConnectionHome& home_;
    FrameCutter input_;
    Receive receive_{*this};
    ConnectionContext context_;
    int fd_;

    Request* oldest_ = nullptr;  // Started, not yet answered; by arrival.
    Request* newest_ = nullptr;
    std::unique_ptr<Request> held_;  // Cut, but may not start yet.
    std::unique_ptr<Sending> sending_;
    uint64_t bytes_in_flight_ = 0;
    uint64_t active_ns_ = 0;
    uint64_t heard_ns_ = 0;  // Bytes came, or it began to listen.
    uint32_t requests_ = 0;  // In the list.
    uint32_t running_ = 0;
    uint32_t entered_ = 0;

    std::optional<ShardId> moving_to_;  // Once it is still.

    bool barrier_runs_ = false;
    bool no_more_input_ = false;  // The peer has ended, or we do not want what follows.
    bool peer_ended_ = false;
    bool cancelling_ = false;
    bool starved_ = false;
    bool waits_ = false;  // For memory, and its server knows.
    bool flush_soon_ = false;
    bool ending_ = false;  // Nothing is sent or started any more; the socket goes as soon as it is idle.
    bool shutting_down_ = false;
    bool was_shut_down_ = false;
    bool closing_ = false;
};

}  // namespace millrace
