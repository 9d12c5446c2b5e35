// Raw connections of the load generator.
#include <cerrno>

#include "bench.h"

namespace millrace::cli {

namespace {

constexpr size_t pieces_max = 64;  // Of one gathered send.

}  // namespace

RawConnection::RawConnection(Io& io)
    : io_(io), send_(*this, Op::Kind::send), receive_(*this, Op::Kind::receive) {}

Task<int> RawConnection::connect(std::string address) {
    Once connecting{io_, Op::Kind::connect, {.path = address.c_str()}};
    const int fd = co_await connecting;
    if (fd < 0) {
        broken_ = true;
        co_return fd;
    }
    fd_ = fd;
    receive_.fd = fd;
    io_.submit(receive_);
    co_return 0;
}

Task<> RawConnection::close() {
    closing_ = broken_ = true;
    if (receive_.under_way) io_.cancel(receive_);
    if (send_.under_way) io_.cancel(send_);
    while (send_.under_way || receive_.under_way) co_await quiet_;
    if (fd_ >= 0) {
        Once closing{io_, Op::Kind::close, {.fd = std::exchange(fd_, -1)}};
        co_await closing;
    }
}

void RawConnection::flush() {
    if (send_.under_way || broken_) return;
    if (first_ == sending_.size()) {
        if (queue_.empty()) return;
        sending_.swap(queue_);
        queue_.clear();
        first_ = 0;
    }
    send_.fd = fd_;
    send_.pieces = sending_.data() + first_;
    send_.piece_count = static_cast<uint32_t>(std::min(sending_.size() - first_, pieces_max));
    io_.submit(send_);
}

void RawConnection::on_sent(Outcome outcome) {
    if (outcome.value < 0) broken_ = true;
    size_t sent = outcome.value < 0 ? 0 : static_cast<size_t>(outcome.value);
    while (first_ < sending_.size() && sent >= sending_[first_].size) sent -= sending_[first_++].size;
    if (sent > 0) {
        Piece& part = sending_[first_];
        part = {static_cast<const uint8_t*>(part.data) + sent, part.size - sent};
    }
    flush();
    tell_if_quiet();
}

void RawConnection::on_received(Outcome outcome) {
    if (outcome.value > 0) {
        if (!broken_) on_data(outcome.data);
        io_.give_back(outcome.buffer);
    } else if (outcome.value != -ENOBUFS) {
        broken_ = true;
    }
    if (!outcome.more && !broken_) io_.submit(receive_);
    tell_if_quiet();
}

void RawConnection::tell_if_quiet() {
    if (closing_ && !send_.under_way && !receive_.under_way) quiet_.notify_all();
}

void Measurement::reset() {
    latency.reset();
    requests = records = bytes = errors = 0;
    error = Error::none;
}

Task<int> connect_to_leader(Session& session, RawConnection& connection, std::string topic,
                            int32_t partition) {
    const TopicInfo* info = session.client.topic(topic);
    ASSERT(info != nullptr && static_cast<size_t>(partition) < info->partitions.size());
    const auto broker =
        session.client.brokers().find(info->partitions[static_cast<size_t>(partition)].leader);
    if (broker == session.client.brokers().end()) co_return -EHOSTUNREACH;
    const std::optional<std::string> address = co_await resolve_address(session.io, broker->second.address);
    if (!address) co_return -EHOSTUNREACH;
    co_return co_await connection.connect(*address);
}

}  // namespace millrace::cli
