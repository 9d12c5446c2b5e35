// One client's connection: what each event makes possible.
#include "connection.h"

#include <cerrno>

namespace millrace {
namespace {

constexpr size_t pieces_max = 1024;  // Of one send.

}  // namespace

// Every way in. The outermost one settles on its way out, and buries a connection that is over: nothing may
// touch it afterwards.
class Connection::Entered {
 public:
    explicit Entered(Connection& connection) : connection_(connection) { connection_.entered_++; }
    Entered(const Entered&) = delete;
    ~Entered() {
        if (connection_.entered_ == 1) connection_.settle(), connection_.tell_waiting();
        if (--connection_.entered_ == 0 && connection_.is_over()) connection_.home_.forget(connection_);
    }

 private:
    Connection& connection_;
};

Connection::Connection(ConnectionHome& home, int fd, ConnectionContext context, std::vector<uint8_t> unread)
    : home_(home), input_(home.input_memory()), context_(std::move(context)), fd_(fd) {
    receive_.fd = fd;
    input_.begin_with(std::move(unread));
    active_ns_ = home.io().now_ns();
}

Connection::~Connection() {
    ASSERT(!receive_.under_way);
    if (held_) input_.release(held_->frame);
    while (oldest_) {
        std::unique_ptr<Request> request{std::exchange(oldest_, oldest_->next)};
        input_.release(request->frame);
    }
}

void Connection::start() { Entered entered{*this}; }

// ---- Events --------------------------------------------------------------------------------------------

void Connection::on_received(Outcome outcome) {
    Entered entered{*this};
    if (!outcome.more) cancelling_ = false;
    if (outcome.value > 0) {
        active_ns_ = heard_ns_ = home_.io().now_ns();
        home_.received(outcome.data.size());
        if (no_more_input_ || ending_) return home_.io().give_back(outcome.buffer);
        return input_.add(outcome.buffer, outcome.data);
    }
    if (outcome.value == 0)
        no_more_input_ = peer_ended_ = true;
    else if (outcome.value == -ENOBUFS)
        starved_ = true, home_.starved(*this);
    else if (outcome.value != -ECANCELED)
        end();  // Broken.
}

void Connection::receive_again() {
    Entered entered{*this};
    starved_ = false;
}

bool Connection::let_in() {
    ASSERT(waits_);
    if (!input_.let_in()) return false;
    waits_ = false;
    return true;
}

void Connection::go_on() {
    Entered entered{*this};
    active_ns_ = home_.io().now_ns();
}

void Sending::done(Outcome outcome) { connection->on_sent(outcome); }

void Connection::on_sent(Outcome outcome) {
    Entered entered{*this};
    sending_->list.clear();
    home_.put_back(std::move(sending_));
    if (outcome.value <= 0) return end();
    active_ns_ = home_.io().now_ns();
    home_.sent(static_cast<size_t>(outcome.value));
    account(static_cast<size_t>(outcome.value));
}

void Connection::on_handled(Request& request, Reply reply) {
    const bool from_outside = entered_ == 0;
    Entered entered{*this};
    ASSERT(running_ > 0 && !request.is_done);
    running_--;
    if (request.is_barrier) barrier_runs_ = false;
    input_.release(request.frame);
    bytes_in_flight_ -= request.frame_size;
    request.is_done = true;
    request.reply = std::move(reply);
    if (request.reply.kind == Reply::Kind::answer) {
        request.reply_size = request.reply.body->size();
        ASSERT(request.reply_size > 0);
        bytes_in_flight_ += request.reply_size;
    }
    if (request.reply.kind == Reply::Kind::close) stop_reading();
    if (!from_outside || flush_soon_) return;
    flush_soon_ = true;
    home_.flush_soon(*this);
}

void Connection::flush() {
    Entered entered{*this};
    flush_soon_ = false;
}

void Connection::drain() {
    Entered entered{*this};
    stop_reading();
}

void Connection::abort() {
    Entered entered{*this};
    end();
}

void Connection::check_deadlines(uint64_t now_ns) {
    Entered entered{*this};
    const NetOptions& options = home_.options();
    if (ending_) return;
    if (sending_ && now_ns - sending_->since_ns > options.send_ms_max * 1'000'000)
        return refuse("the peer does not take its replies");
    if (is_stalled(now_ns)) return refuse("stalled within a request while others wait for memory");
    if (!oldest_ && !waits_ && now_ns - active_ns_ > options.idle_ms_max * 1'000'000) {
        home_.io().log().debug("net", "idle connection closed", {{"peer", context_.peer}});
        end();
    }
}

// ---- What has become possible --------------------------------------------------------------------------

void Connection::settle() {
    consider_moving();
    if (!ending_) start_requests();
    if (!ending_ && !flush_soon_) send_replies();
    if (!ending_ && no_more_input_ && !oldest_ && !held_ && !input_.has_bytes()) end();
    regulate_input();
    if (!ending_) return move_when_still();
    if (!sending_) drop_replies();
    if (fd_ < 0) return;
    if (!was_shut_down_ && !shutting_down_) shut_down(*this).detach();
    const bool is_idle = !receive_.under_way && !sending_ && !shutting_down_;
    if (is_idle && was_shut_down_ && !closing_) close_socket(*this).detach();
}

// A connection is over when nobody will call it any more.
bool Connection::is_over() const { return fd_ < 0 && running_ == 0 && !flush_soon_ && !starved_; }

void Connection::start_requests() {
    while (!ending_) {
        if (!sending_) retire_unanswered();
        if (is_full() || (!held_ && (moving_to_ || !cut_next())) || !may_start(*held_)) break;
        start_held();
    }
    if (!ending_ && (held_ || input_.has_bytes())) input_.park(held_ ? &held_->frame : nullptr);
}

bool Connection::cut_next() {
    held_ = home_.take_request();
    if (input_.next(held_->frame)) {
        held_->is_barrier = home_.handler().overlap(held_->frame.bytes) == Overlap::barrier;
        return true;
    }
    home_.put_back(std::move(held_));
    if (!input_.trouble().empty()) refuse(input_.trouble());
    return false;
}

bool Connection::is_full() const {
    const NetOptions& options = home_.options();
    return requests_ >= options.requests_in_flight_max || bytes_in_flight_ >= options.bytes_in_flight_max;
}

bool Connection::may_start(const Request& request) const {
    return !barrier_runs_ && (!request.is_barrier || running_ == 0);
}

void Connection::start_held() {
    Request& request = *held_.release();
    request.frame_size = request.frame.bytes.size();
    (newest_ ? newest_->next : oldest_) = &request;
    newest_ = &request;
    requests_++, running_++;
    barrier_runs_ = request.is_barrier;
    bytes_in_flight_ += request.frame_size;
    run(*this, request).detach();
}

Task<> Connection::run(Connection& connection, Request& request) {
    auto handling = connection.home_.handler().handle(request.frame.bytes, connection.context_);
    Reply reply = co_await handling;
    connection.on_handled(request, std::move(reply));
}

// What was started is still answered.
void Connection::stop_reading() {
    no_more_input_ = true;
    if (held_) {
        input_.release(held_->frame);
        home_.put_back(std::move(held_));
    }
    input_.clear();
}

// ---- Replies -------------------------------------------------------------------------------------------

void Connection::send_replies() {
    if (sending_) return;
    retire_unanswered();
    if (!oldest_ || !oldest_->is_done) return;
    if (oldest_->reply.kind == Reply::Kind::close) return end();
    sending_ = home_.take_sending();
    gather(*sending_);
    sending_->connection = this;
    sending_->fd = fd_;
    sending_->pieces = sending_->list.data();
    sending_->piece_count = static_cast<uint32_t>(sending_->list.size());
    sending_->since_ns = home_.io().now_ns();
    home_.io().submit(*sending_);
}

// As much as one send takes of the replies that are ready.
void Connection::gather(Sending& sending) {
    size_t room = home_.options().send_bytes_max;
    for (Request* request = oldest_; request && request->is_done; request = request->next) {
        if (request->reply.kind == Reply::Kind::close) break;
        if (request->reply.kind == Reply::Kind::none) continue;
        size_t skip = request->sent;
        for (const Piece& piece : request->reply.body->pieces()) {
            const size_t skipped = std::min(skip, piece.size);
            skip -= skipped;
            const size_t size = std::min(piece.size - skipped, room);
            if (size > 0) sending.list.push_back({static_cast<const uint8_t*>(piece.data) + skipped, size});
            room -= size;
            if (room == 0 || sending.list.size() == pieces_max) return;
        }
    }
    ASSERT(!sending.list.empty());
}

// The oldest replies were sent, `bytes` of them.
void Connection::account(size_t bytes) {
    while (oldest_ && oldest_->is_done && oldest_->reply.kind != Reply::Kind::close) {
        const size_t left = oldest_->reply_size - oldest_->sent;
        if (bytes < left) {
            oldest_->sent += bytes;
            return;
        }
        bytes -= left;
        retire_oldest();
    }
    ASSERT(bytes == 0);
}

void Connection::retire_unanswered() {
    while (oldest_ && oldest_->is_done && oldest_->reply.kind == Reply::Kind::none) retire_oldest();
}

void Connection::retire_oldest() {
    std::unique_ptr<Request> request{std::exchange(oldest_, oldest_->next)};
    if (!oldest_) newest_ = nullptr;
    requests_--;
    bytes_in_flight_ -= request->reply_size;
    home_.put_back(std::move(request));
}

void Connection::drop_replies() {
    for (Request* request = oldest_; request; request = request->next) request->reply.body.reset();
}

// ---- Reading -------------------------------------------------------------------------------------------

// Reads unless bytes wait that cannot be taken: then the peer's TCP waits too. What is not wanted any more is
// read and thrown away until the end, for a socket that is closed with unread bytes would reset the
// connection and take the last replies with it.
void Connection::regulate_input() {
    const bool bytes_wait = held_ || input_.has_bytes();
    const bool wants = !ending_ && !peer_ended_ && !bytes_wait && !moving_to_;
    if (wants && !receive_.under_way && !starved_) {
        heard_ns_ = home_.io().now_ns();
        home_.io().submit(receive_);
    }
    if (wants || ending_ || !receive_.under_way || cancelling_) return;
    cancelling_ = true;
    home_.io().cancel(receive_);
}

void Connection::tell_waiting() {
    if (input_.waits() == waits_) return;
    waits_ = !waits_;
    waits_ ? home_.begin_wait(*this) : home_.give_up(*this);
}

// Others would take the memory that is set aside for what it does not send.
bool Connection::is_stalled(uint64_t now_ns) const {
    const bool listens = receive_.under_way && !cancelling_;
    if (!listens || !input_.is_inside() || home_.input_memory().waiting() == 0) return false;
    return now_ns - heard_ns_ > home_.options().stall_ms_max * 1'000'000;
}

// ---- Moving to another shard ---------------------------------------------------------------------------

void Connection::consider_moving() {
    if (ending_ || no_more_input_)
        moving_to_.reset();
    else if (!moving_to_)
        moving_to_ = home_.better_shard(context_.work);
}

// Everything that was begun here ends here.
void Connection::move_when_still() {
    const bool is_still = !oldest_ && !held_ && !sending_ && !receive_.under_way && !starved_ && !flush_soon_;
    if (!moving_to_ || !is_still) return;
    home_.move(*this, *moving_to_,
               {.fd = std::exchange(fd_, -1), .context = context_, .unread = input_.take_rest()});
}

// ---- The end -------------------------------------------------------------------------------------------

void Connection::refuse(std::string_view cause) {
    home_.io().log().warn("net", "connection closed",
                          {{"peer", context_.peer}, {"listener", context_.listener}, {"cause", cause}});
    end();
}

void Connection::end() {
    if (std::exchange(ending_, true)) return;
    stop_reading();
}

Task<> Connection::shut_down(Connection& connection) {
    connection.shutting_down_ = true;
    co_await Once{connection.home_.io(), Op::Kind::shutdown, {.fd = connection.fd_}};
    Entered entered{connection};
    connection.shutting_down_ = false;
    connection.was_shut_down_ = true;
}

Task<> Connection::close_socket(Connection& connection) {
    connection.closing_ = true;
    co_await Once{connection.home_.io(), Op::Kind::close, {.fd = connection.fd_}};
    Entered entered{connection};
    connection.fd_ = -1;
    connection.home_.socket_closed(connection);
}

}  // namespace millrace
