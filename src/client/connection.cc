// One connection of a client: frames out in the order of the calls, answers back in that order.
//
// Four operations of its own, none of them a coroutine: connect, send, receive, timer. At most one of each is
// under way; the object outlives them because close() waits until it is quiet.
#include <cerrno>

#include "millrace/client.h"

namespace millrace::client {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;
constexpr size_t pieces_max = 64;  // Of one gathered send.

std::string reason_of(int32_t negative_errno) {
    switch (-negative_errno) {
        case 0: return "closed by the broker";
        case ECONNREFUSED: return "connection refused";
        case ECONNRESET: return "connection reset by the broker";
        case EPIPE: return "closed by the broker";
        case ECANCELED:
        case ETIMEDOUT: return "no answer to connecting";
        case EHOSTUNREACH:
        case ENETUNREACH: return "no route to the host";
        default: return "error " + std::to_string(-negative_errno);
    }
}

}  // namespace

ClientConnection::ClientConnection(Io& io, ClientConnectionOptions options)
    : io_(io),
      options_(std::move(options)),
      connect_(*this, Op::Kind::connect),
      send_(*this, Op::Kind::send),
      receive_(*this, Op::Kind::receive),
      timer_(*this, Op::Kind::sleep) {}

ClientConnection::~ClientConnection() {
    for (Pending& pending : pending_)
        if (pending.exchange) pending.exchange->connection = nullptr;
}

Task<Result<>> ClientConnection::open(std::string address) {
    ASSERT(state_ == State::idle);
    state_ = State::connecting;
    const std::optional<std::string> resolved = co_await resolve_address(io_, address);
    if (!resolved) {
        break_off(address + ": unknown host", Error::network_exception);
        co_return Error::network_exception;
    }
    if (state_ != State::connecting) co_return Error::network_exception;  // Closed meanwhile.
    address_ = *resolved;
    Eventual<Result<>> connected;
    connected_ = &connected;
    connect_.path = address_.c_str();
    connect_deadline_ns_ = io_.now_ns() + options_.connect_timeout_ms * ns_per_ms;
    io_.submit(connect_);
    arm_timer();
    const Result<> outcome = co_await connected;
    connected_ = nullptr;
    if (!outcome) co_return outcome.error();
    co_return co_await negotiate();
}

Task<> ClientConnection::close() {
    break_off(address_ + ": closed", Error::network_exception);
    while (!is_quiet()) co_await quiet_;
    if (fd_ >= 0) {
        Once closing{io_, Op::Kind::close, {.fd = std::exchange(fd_, -1)}};
        co_await closing;
    }
}

bool ClientConnection::is_quiet() const {
    return !handling_ && !connect_.under_way && !send_.under_way && !receive_.under_way && !timer_.under_way;
}

// ---- ApiVersions ---------------------------------------------------------------------------------------

Task<Result<>> ClientConnection::negotiate() {
    constexpr int16_t version_first_asked = 3;  // Every broker since 2.4, and those with more.
    Result<Frame> frame = co_await ask_versions(version_first_asked);
    if (!frame) co_return frame.error();
    if (!take_versions(*frame, version_first_asked)) {
        Result<Frame> plain = co_await ask_versions(0);
        if (!plain) co_return plain.error();
        if (!take_versions(*plain, 0)) {
            break_off(address_ + ": does not speak the Kafka protocol", Error::network_exception);
            co_return Error::network_exception;
        }
    }
    if (state_ != State::connecting) co_return Error::network_exception;
    state_ = State::open;
    co_return Result<>{};
}

Task<Result<std::vector<uint8_t>>> ClientConnection::ask_versions(int16_t version) {
    const wire::ApiVersionsRequest request{.client_software_name = "millrace",
                                           .client_software_version = "0.1.0"};
    Exchange exchange(*this);
    wire::Writer frame;
    const int32_t correlation_id = next_correlation_id_++;
    wire::encode_request(frame, request, version, correlation_id, std::string_view(options_.client_id));
    enqueue(std::move(frame), correlation_id, &exchange);
    co_return co_await exchange.answer;
}

bool ClientConnection::take_versions(Bytes frame, int16_t version) {
    const auto response = wire::parse_response(frame, wire::ApiVersionsResponse::api.key, version);
    if (!response) return false;
    Arena memory;
    const auto message = wire::decode<wire::ApiVersionsResponse>(response->body, version, memory);
    if (!message || message->error_code != Error::none) return false;
    versions_.assign(message->api_keys.begin(), message->api_keys.end());
    return true;
}

std::optional<int16_t> ClientConnection::version_of(const wire::Api& api) const {
    const auto found = std::ranges::find(versions_, api.key, &wire::ApiVersionsResponse::ApiVersion::api_key);
    if (found == versions_.end()) return std::nullopt;
    const int16_t highest = std::min(found->max_version, api.versions.last);
    if (highest < std::max(found->min_version, api.versions.first)) return std::nullopt;
    return highest;
}

// ---- Sending -------------------------------------------------------------------------------------------

void ClientConnection::enqueue(wire::Writer frame, int32_t correlation_id, Exchange* exchange) {
    if (state_ == State::broken || state_ == State::idle) {
        if (exchange) exchange->finish(Error::network_exception);
        return;
    }
    if (exchange) pending_.push_back({correlation_id, io_.now_ns(), exchange});
    out_.push_back(std::move(frame));
    if (!send_.under_way && !handling_) send_more();
    arm_timer();
}

Task<> ClientConnection::drained() {
    while (state_ != State::broken && !out_.empty()) co_await progress_;
}

void ClientConnection::abandon(Exchange& exchange) {
    const auto found = std::ranges::find(pending_, &exchange, &Pending::exchange);
    if (found != pending_.end()) found->exchange = nullptr;
}

void ClientConnection::send_more() {
    if (state_ == State::broken || send_.under_way || fd_ < 0) return;
    if (pieces_left_.empty()) {
        for (; sending_ < out_.size() && pieces_left_.size() < pieces_max; sending_++)
            out_[sending_].append_pieces(pieces_left_);
        if (pieces_left_.empty()) return;
    }
    pieces_.clear();
    for (Bytes piece : pieces_left_) {
        if (pieces_.size() == pieces_max) break;
        pieces_.push_back({piece.data(), piece.size()});
    }
    send_.fd = fd_;
    send_.pieces = pieces_.data();
    send_.piece_count = static_cast<uint32_t>(pieces_.size());
    io_.submit(send_);
}

void ClientConnection::on_sent(Outcome outcome) {
    handling_ = true;
    if (outcome.value < 0) break_off(address_ + ": " + reason_of(outcome.value), Error::network_exception);
    size_t sent = outcome.value < 0 ? 0 : static_cast<size_t>(outcome.value);
    size_t whole = 0;
    while (whole < pieces_left_.size() && sent >= pieces_left_[whole].size())
        sent -= pieces_left_[whole++].size();
    pieces_left_.erase(pieces_left_.begin(), pieces_left_.begin() + static_cast<ptrdiff_t>(whole));
    if (!pieces_left_.empty()) pieces_left_.front() = pieces_left_.front().subspan(sent);
    if (pieces_left_.empty()) {
        out_.erase(out_.begin(), out_.begin() + static_cast<ptrdiff_t>(sending_));
        sending_ = 0;
    }
    progress_.notify_all();
    handling_ = false;
    send_more();
    if (is_quiet()) quiet_.notify_all();
}

// ---- Receiving -----------------------------------------------------------------------------------------

void ClientConnection::on_connected(Outcome outcome) {
    handling_ = true;
    if (outcome.value >= 0) fd_ = outcome.value;
    if (outcome.value < 0) {
        break_off(address_ + ": " + reason_of(outcome.value), Error::network_exception);
    } else if (state_ == State::connecting) {
        receive_.fd = fd_;
        io_.submit(receive_);
        if (connected_) connected_->set({});
    }
    handling_ = false;
    send_more();
    if (is_quiet()) quiet_.notify_all();
}

void ClientConnection::on_received(Outcome outcome) {
    handling_ = true;
    if (outcome.value > 0) {
        in_.insert(in_.end(), outcome.data.begin(), outcome.data.end());
        io_.give_back(outcome.buffer);
        take_frames();
    } else if (outcome.value == 0 || outcome.value != -ENOBUFS) {
        break_off(address_ + ": " + reason_of(outcome.value), Error::network_exception);
    }
    if (!outcome.more && state_ != State::broken) io_.submit(receive_);
    handling_ = false;
    send_more();
    if (is_quiet()) quiet_.notify_all();
}

void ClientConnection::take_frames() {
    size_t used = 0;
    std::vector<Frame> frames;
    while (in_.size() - used >= 4) {
        const auto size = static_cast<uint32_t>(wire::frame_size(Bytes(in_).subspan(used, 4)));
        if (size > options_.frame_size_max)
            return break_off(address_ + ": sent a frame of " + std::to_string(size) + " bytes",
                             Error::network_exception);
        if (in_.size() - used - 4 < size) {
            in_.reserve(size + 4);
            break;
        }
        const auto first = in_.begin() + static_cast<ptrdiff_t>(used + 4);
        frames.emplace_back(first, first + size);
        used += 4 + size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(used));
    for (Frame& frame : frames) answer_front(std::move(frame));
}

void ClientConnection::answer_front(Frame frame) {
    if (state_ == State::broken) return;
    const bool expected = !pending_.empty() && frame.size() >= 4 &&
                          load_big<int32_t>(frame.data()) == pending_.front().correlation_id;
    if (!expected) return break_off(address_ + ": sent an answer to no request", Error::network_exception);
    Exchange* exchange = pending_.front().exchange;
    pending_.pop_front();
    if (exchange) exchange->finish(std::move(frame));
}

// ---- Time and the end ----------------------------------------------------------------------------------

// One timer for the oldest request (or for connecting); it looks again when it fires.
void ClientConnection::arm_timer() {
    if (timer_.under_way || state_ == State::broken) return;
    uint64_t due;
    if (connect_.under_way)
        due = connect_deadline_ns_;
    else if (!pending_.empty())
        due = pending_.front().sent_ns + options_.request_timeout_ms * ns_per_ms;
    else
        return;
    const uint64_t now = io_.now_ns();
    timer_.size = due > now ? due - now : 0;
    io_.submit(timer_);
}

void ClientConnection::on_timer(Outcome) {
    handling_ = true;
    const uint64_t now = io_.now_ns();
    if (connect_.under_way && now >= connect_deadline_ns_) {
        break_off(address_ + ": no answer to connecting", Error::request_timed_out);
    } else if (!pending_.empty() &&
               now - pending_.front().sent_ns >= options_.request_timeout_ms * ns_per_ms) {
        break_off(address_ + ": no answer within " + std::to_string(options_.request_timeout_ms) + " ms",
                  Error::request_timed_out);
    }
    arm_timer();
    handling_ = false;
    send_more();
    if (is_quiet()) quiet_.notify_all();
}

void ClientConnection::break_off(std::string reason, Error error) {
    if (state_ == State::broken) return;
    state_ = State::broken;
    failure_ = std::move(reason);
    if (connect_.under_way) io_.cancel(connect_);
    if (timer_.under_way) io_.cancel(timer_);
    if (receive_.under_way) io_.cancel(receive_);
    if (send_.under_way) io_.cancel(send_);
    if (connected_ && !connected_->is_set()) connected_->set(error);
    while (!pending_.empty()) {  // One by one: who is told may give up others.
        Exchange* exchange = pending_.front().exchange;
        pending_.pop_front();
        if (exchange) exchange->finish(error);
    }
    progress_.notify_all();
}

}  // namespace millrace::client
