// Nothing behind it: see the header.
#include "still_io.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace {

StillIo::StillIo() : log_(*this, "0") {
    for (uint16_t i = receive_buffer_count; i > 0; i--) {
        buffers_.push_back(std::make_unique<uint8_t[]>(receive_buffer_size));
        free_buffers_.push_back(i - 1);
    }
}

bool StillIo::turn() {
    now_ns_ += turn_ns;
    doing_.swap(submitted_);
    Letter* letter = std::exchange(first_letter_, nullptr);
    last_letter_ = &first_letter_;
    bool any = !doing_.empty() || letter;
    for (Op* op : doing_) finish(*op, execute(*op));
    doing_.clear();
    any |= deliver_ended();
    any |= deliver_timers();
    while (letter) {
        Letter& now = *letter;
        letter = std::exchange(now.next_letter, nullptr);
        now.deliver();
    }
    return any;
}

void StillIo::pass(uint64_t nanoseconds) {
    for (const uint64_t end = now_ns_ + nanoseconds; now_ns_ < end;) {
        if (turn()) continue;
        const uint64_t next = timers_.empty() ? end : std::min(end, timers_.begin()->first);
        now_ns_ = std::max(now_ns_, next);
    }
}

bool StillIo::deliver_timers() {
    bool any = false;
    while (!timers_.empty() && timers_.begin()->first <= now_ns_) {
        Op* op = timers_.begin()->second;
        timers_.erase(timers_.begin());
        finish(*op, 0);
        any = true;
    }
    return any;
}

int StillIo::connect() {
    ASSERT(accepting_);
    const int fd = next_fd_++;
    sockets_[fd] = {};
    accepting_->done({.value = fd, .more = true, .data = {}, .buffer = {}});
    return fd;
}

void StillIo::deliver(int fd, Bytes bytes) {
    while (!bytes.empty()) {
        Op* op = sockets_.at(fd).receiving;
        ASSERT(op && op->under_way);
        ASSERT(!free_buffers_.empty());
        const ReceiveBuffer buffer{free_buffers_.back()};
        free_buffers_.pop_back();
        const size_t size = std::min(bytes.size(), receive_buffer_size);
        uint8_t* const to = buffers_[buffer.value].get();
        std::memcpy(to, bytes.data(), size);
        bytes = bytes.subspan(size);
        op->done({.value = static_cast<int32_t>(size), .more = true, .data = {to, size}, .buffer = buffer});
    }
}

void StillIo::submit(Op& op) {
    ASSERT(!op.under_way);
    op.under_way = true;
    if (op.buffer) op.buffer->fly();
    if (op.kind == Op::Kind::accept)
        accepting_ = &op;
    else if (op.kind == Op::Kind::receive)
        sockets_.at(op.fd).receiving = &op;
    else if (op.kind == Op::Kind::sleep)
        timers_.emplace(now_ns_ + std::min(op.size, uint64_t{1} << 60), &op);
    else
        submitted_.push_back(&op);
}

void StillIo::cancel(Op& op) {
    const bool is_lasting = op.kind == Op::Kind::accept || op.kind == Op::Kind::receive;
    ASSERT(is_lasting || op.kind == Op::Kind::sleep);
    if (!is_lasting) std::erase_if(timers_, [&](const auto& timer) { return timer.second == &op; });
    ended_.push_back({&op, -ECANCELED});
}

bool StillIo::deliver_ended() {
    const auto now = std::exchange(ended_, {});
    for (const auto& [op, value] : now) finish(*op, value);
    return !now.empty();
}

void StillIo::give_back(ReceiveBuffer buffer) { free_buffers_.push_back(buffer.value); }

void StillIo::post(ShardId, Letter& letter) {
    *last_letter_ = &letter;
    last_letter_ = &letter.next_letter;
}

void StillIo::finish(Op& op, int32_t value) {
    op.under_way = false;
    if (op.buffer) op.buffer->land();
    op.done({.value = value});
}

int32_t StillIo::execute(Op& op) {
    switch (op.kind) {
        case Op::Kind::listen: return next_fd_++;
        case Op::Kind::send: return send(op);
        case Op::Kind::shutdown: ended_.push_back({sockets_.at(op.fd).receiving, 0}); return 0;
        case Op::Kind::open: return open(op);
        case Op::Kind::write: return static_cast<int32_t>(op.size);
        case Op::Kind::rename: paths_.erase(op.path), paths_.insert(op.target); return 0;
        case Op::Kind::remove: return paths_.erase(op.path) > 0 ? 0 : -ENOENT;
        case Op::Kind::list: op.names->clear(); return 0;
        case Op::Kind::stat: return -ENOENT;
        case Op::Kind::disk_space: *op.space = {.total = 1ull << 40, .available = 1ull << 40}; return 0;
        default: return 0;
    }
}

int32_t StillIo::open(Op& op) {
    if (!(op.flags & Op::create) && !paths_.contains(op.path)) return -ENOENT;
    paths_.insert(op.path);
    return next_fd_++;
}

int32_t StillIo::send(Op& op) {
    size_t size = 0;
    Socket& socket = sockets_.at(op.fd);
    for (uint32_t i = 0; i < op.piece_count; i++) {
        const Bytes piece{static_cast<const uint8_t*>(op.pieces[i].data), op.pieces[i].size};
        // Of large answers the beginning: whoever counts does not count copies.
        const Bytes kept = piece.first(std::min(piece.size(), kept_of_piece));
        socket.sent.insert(socket.sent.end(), kept.begin(), kept.end());
        count_replies(socket, piece);
        size += piece.size();
    }
    sent_bytes_ += size;
    return static_cast<int32_t>(size);
}

// The size of a reply lies in one piece.
void StillIo::count_replies(Socket& socket, Bytes bytes) {
    while (!bytes.empty()) {
        if (socket.reply_left == 0) socket.reply_left = 4 + load_big<uint32_t>(bytes.data());
        const size_t taken = std::min(socket.reply_left, bytes.size());
        bytes = bytes.subspan(taken);
        socket.reply_left -= taken;
        if (socket.reply_left == 0) replies_++;
    }
}

}  // namespace millrace
