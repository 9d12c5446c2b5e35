// Ops in, outcomes out: how an op becomes a submission, and a completion an outcome.
//
// An op's io_private while it is under way: its place among the timers, a stage of several (files.cc), the
// socket of a connect; for lasting ops whether it was cancelled.
#include "ring.h"

#include <cerrno>

#include <sys/random.h>

namespace millrace {

namespace {

constexpr uint64_t was_cancelled = 1;
// An op that was finished without the kernel and waits for its turn to be told.
constexpr uint64_t is_finished = ~uint64_t{0};

// Some 146 years; so that sums with the clock do not wrap.
constexpr uint64_t sleep_ns_max = uint64_t{1} << 62;

bool is_lasting(const Op& op) { return op.kind == Op::Kind::accept || op.kind == Op::Kind::receive; }
bool is_of_sockets(const Op& op) { return op.kind <= Op::Kind::close; }

}  // namespace

void UringIo::submit(Op& op) {
    ASSERT(is_open_);
    ASSERT(!op.under_way);
    op.under_way = true;
    op.io_private = 0;
    if (op.buffer) op.buffer->fly();
    start(op);
}

void UringIo::start(Op& op) {
    if (op.kind == Op::Kind::sleep) {
        timers_.add(op, now_ns_ + std::min(op.size, sleep_ns_max));
    } else if (is_of_sockets(op)) {
        start_socket(op);
    } else {
        start_file(op);
    }
}

void UringIo::queue(Op& op) {
    io_uring_sqe* entry = postponed_.empty() ? take_entry() : nullptr;
    if (!entry) return postponed_.push_back({&op, false});
    prepare(*entry, op);
}

// Null when the kernel takes nothing at the moment: try again in the next turn, after completions.
io_uring_sqe* UringIo::take_entry() {
    if (auto* entry = io_uring_get_sqe(&ring_)) return entry;
    enter(0, {});
    return io_uring_get_sqe(&ring_);
}

void UringIo::prepare(io_uring_sqe& entry, Op& op) {
    if (is_of_sockets(op)) {
        prepare_socket(entry, op);
    } else {
        prepare_file(entry, op);
    }
    entry.user_data = reinterpret_cast<uintptr_t>(&op);
}

void UringIo::prepare_cancel(io_uring_sqe& entry, Op& op) {
    io_uring_prep_cancel64(&entry, reinterpret_cast<uintptr_t>(&op), 0);
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry.user_data = Tag::ignored;
}

void UringIo::cancel(Op& op) {
    ASSERT(op.under_way);
    if (op.io_private == is_finished) return;
    if (op.kind == Op::Kind::sleep) {
        timers_.remove(op);
        return finish_later(op, -ECANCELED);
    }
    if (is_lasting(op)) op.io_private |= was_cancelled;
    io_uring_sqe* entry = postponed_.empty() ? take_entry() : nullptr;
    if (!entry) return postponed_.push_back({&op, true});
    prepare_cancel(*entry, op);
}

void UringIo::retry_postponed() {
    size_t done = 0;
    for (; done < postponed_.size(); done++) {
        auto* entry = take_entry();
        if (!entry) break;
        const auto& [op, is_cancel] = postponed_[done];
        if (is_cancel) {
            prepare_cancel(*entry, *op);
        } else {
            prepare(*entry, *op);
        }
    }
    postponed_.erase(postponed_.begin(), postponed_.begin() + static_cast<ptrdiff_t>(done));
}

void UringIo::finish(Op& op, Outcome outcome) {
    ASSERT(op.under_way);
    ASSERT(!outcome.more);
    op.under_way = false;
    if (op.buffer) op.buffer->land();
    op.done(outcome);
}

void UringIo::finish_later(Op& op, int32_t value) {
    op.io_private = is_finished;
    finished_.push_back({&op, {.value = value}});
}

void UringIo::complete(const Completion& completion) {
    if (completion.user_data <= Tag::tag_max) return complete_own(completion.user_data);
    complete_op(*reinterpret_cast<Op*>(completion.user_data), completion.value, completion.flags);
}

void UringIo::complete_own(uint64_t tag) {
    if (tag == Tag::bell) bell_armed_ = false, arm_bell();
    // Only failures are told: the peer's ring could not take the message. Its bell it always hears.
    if (tag >= Tag::wake_failed) post_.ring_bell(ShardId(static_cast<uint16_t>(tag - Tag::wake_failed)));
}

void UringIo::arm_bell() {
    auto* entry = take_entry();
    if (!entry) return;  // The next turn tries again.
    io_uring_prep_read(entry, post_.event_fd(shard_), &bell_count_, sizeof bell_count_, 0);
    entry->user_data = Tag::bell;
    bell_armed_ = true;
}

void UringIo::wake(ShardId peer) {
    statistics_.wakes++;
    auto* entry = take_entry();
    if (!entry) return post_.ring_bell(peer);
    io_uring_prep_msg_ring(entry, post_.ring_fd(peer), 0, Tag::woken, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = Tag::wake_failed + peer.value;
}

void UringIo::complete_op(Op& op, int32_t value, uint32_t flags) {
    switch (op.kind) {
        case Op::Kind::receive: return received(op, value, flags);
        case Op::Kind::accept: return accepted(op, value, flags);
        case Op::Kind::connect: return complete_connect(op, value);
        case Op::Kind::send:
        case Op::Kind::close: return finish(op, {.value = value});
        default: return complete_file(op, value);
    }
}

void UringIo::received(Op& op, int32_t value, uint32_t flags) {
    ReceiveBuffer buffer;
    if (flags & IORING_CQE_F_BUFFER) {
        buffer = ReceiveBuffer(static_cast<uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT));
        pool_.lend(buffer);
        if (value <= 0) pool_.give_back(buffer);
    }
    if (value == -ENOBUFS) {
        statistics_.buffers_short++;
        if (pool_.widen()) return rearm_or_end(op);
    }
    if (value <= 0) return finish(op, {.value = value});
    // The kernel ends a lasting op now and then for reasons of its own; above the seam it goes on.
    if (!(flags & IORING_CQE_F_MORE)) rearm_or_end(op);
    op.done({.value = value,
             .more = true,
             .data = pool_.bytes(buffer, static_cast<size_t>(value)),
             .buffer = buffer});
}

void UringIo::accepted(Op& op, int32_t value, uint32_t flags) {
    if (value < 0) return finish(op, {.value = value});
    if (!(flags & IORING_CQE_F_MORE)) rearm_or_end(op);
    op.done({.value = value, .more = true});
}

void UringIo::rearm_or_end(Op& op) {
    if (op.io_private & was_cancelled) return finish_later(op, -ECANCELED);
    queue(op);
}

void UringIo::post(ShardId to, Letter& letter) {
    ASSERT(to.value < shard_count());
    if (to == shard_) {
        letter.next_letter = own_newest_;
        own_newest_ = &letter;
    } else {
        outboxes_.add(to, letter);
    }
}

uint64_t UringIo::random() {
    if (random_used_ == random_count) {
        const auto size = getrandom(random_.data(), sizeof random_, 0);
        ASSERT(size == sizeof random_);  // getrandom is never short for 256 bytes.
        random_used_ = 0;
    }
    return random_[random_used_++];
}

}  // namespace millrace
