// The turn of a shard: when it enters the kernel, when it looks around, when it sleeps, what it then
// delivers.
//
// Nothing here runs by a tick: an idle shard sleeps until a completion, its next timer or a letter.
#include <cerrno>
#include <csignal>
#include <ctime>

#include <immintrin.h>

#include "ring.h"
#include "uring_abi.h"

namespace millrace {

namespace {

// Letters go out at least this often within a turn, so that an awake peer works meanwhile.
constexpr uint32_t publish_every = 16;
constexpr uint64_t busy_window_ns = 100'000'000;

uint64_t nanoseconds(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

void UringIo::turn() {
    statistics_.turns++;
    if (!bell_armed_) arm_bell();
    retry_postponed();
    publish_letters();
    pool_.top_up();
    enter_kernel();
    read_clocks();
    const uint64_t timers_end = timers_.added();
    delivering_.swap(finished_);
    Letter* own = std::exchange(own_newest_, nullptr);
    deliver_completions();
    deliver_finished();
    deliver_timers(timers_end);
    deliver_letters(own);
}

void UringIo::read_clocks() {
    now_ns_ = nanoseconds(CLOCK_MONOTONIC);
    wall_ms_ = static_cast<int64_t>(nanoseconds(CLOCK_REALTIME) / 1'000'000);
    if (now_ns_ - busy_since_ns_ >= busy_window_ns) tell_how_busy();
}

void UringIo::tell_how_busy() {
    const uint64_t window_ns = now_ns_ - std::exchange(busy_since_ns_, now_ns_);
    const uint64_t idle_ns = std::min(std::exchange(slept_ns_, 0), window_ns);
    post_.set_busy_percent(shard_, static_cast<uint32_t>((window_ns - idle_ns) * 100 / window_ns));
}

// ---- Into the kernel -----------------------------------------------------------------------------------

void UringIo::enter_kernel() {
    // What this shard has told itself comes first: what follows from it goes to the kernel in one call.
    const bool has_own = own_newest_ || !finished_.empty();
    if (has_own && postponed_.empty() && calls_saved_ < calls_saved_max) {
        calls_saved_++;
        return;
    }
    calls_saved_ = 0;
    if (has_work()) return enter_if_needed();
    if (spin_ns_ > 0 && spin_score_ >= spin_pays) {
        enter_if_needed();
        if (has_work() || spin()) return enter_if_needed();
    }
    sleep();
}

void UringIo::enter_if_needed() {
    if (entries_waiting() > 0 || kernel_has_news()) enter(0, {});
}

bool UringIo::has_work() const {
    if (!finished_.empty() || own_newest_ || !postponed_.empty()) return true;
    if (completions_ready() > 0 || post_.has_mail(shard_)) return true;
    return timers_.next_due_ns().value_or(~uint64_t{0}) <= now_ns_;
}

uint32_t UringIo::completions_ready() const {
    return io_uring_smp_load_acquire(ring_.cq.ktail) - *ring_.cq.khead;
}

uint32_t UringIo::entries_waiting() const {
    return ring_.sq.sqe_tail - io_uring_smp_load_acquire(ring_.sq.khead);
}

bool UringIo::kernel_has_news() const {
    return IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

void UringIo::enter(uint32_t wait_for, std::optional<uint64_t> timeout_ns) {
    ring_.sq.sqe_head = ring_.sq.sqe_tail;
    io_uring_smp_store_release(ring_.sq.ktail, ring_.sq.sqe_tail);
    __kernel_timespec time{};
    io_uring_getevents_arg argument{};
    argument.sigmask_sz = _NSIG / 8;
    if (timeout_ns) {
        time.tv_sec = static_cast<long long>(*timeout_ns / 1'000'000'000);
        time.tv_nsec = static_cast<long long>(*timeout_ns % 1'000'000'000);
        argument.ts = reinterpret_cast<uintptr_t>(&time);
    }
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if (ring_fd_registered_) flags |= IORING_ENTER_REGISTERED_RING;
    if (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) statistics_.overflows++;
    statistics_.enters++;
    const int rc = io_uring_enter2(static_cast<unsigned>(ring_.enter_ring_fd), entries_waiting(), wait_for,
                                   flags, reinterpret_cast<sigset_t*>(&argument), sizeof argument);
    if (rc > 0) statistics_.submissions += static_cast<uint64_t>(rc);
    // A signal, the time, want of memory, a full completion queue: the next turn goes on from there.
    if (rc < 0) ASSERT(rc == -EINTR || rc == -ETIME || rc == -EAGAIN || rc == -EBUSY);
}

// Looks around without the kernel for a while: true when something came.
bool UringIo::spin() {
    statistics_.spins++;
    const uint64_t end = nanoseconds(CLOCK_MONOTONIC) + spin_ns_;
    const uint64_t due = timers_.next_due_ns().value_or(~uint64_t{0});
    for (uint64_t now = 0; now < end;) {
        for (int i = 0; i < 16; i++) {
            if (completions_ready() > 0 || kernel_has_news() || post_.has_mail(shard_)) {
                statistics_.spins_paid++;
                spin_score_ = std::min(spin_score_ + 1, spin_score_max);
                return true;
            }
            _mm_pause();
        }
        now = nanoseconds(CLOCK_MONOTONIC);
        if (now >= due) return true;
    }
    spin_score_ = std::max(spin_score_ - 2, 0);
    return false;
}

void UringIo::sleep() {
    const uint64_t before = nanoseconds(CLOCK_MONOTONIC);
    const auto due = timers_.next_due_ns();
    if ((due && *due <= before) || !post_.fall_asleep(shard_)) return enter_if_needed();
    statistics_.sleeps++;
    enter(1, due ? std::optional{*due - before} : std::nullopt);
    post_.wake_up(shard_);
    const uint64_t slept_ns = nanoseconds(CLOCK_MONOTONIC) - before;
    slept_ns_ += slept_ns;
    const bool was_short = slept_ns < spin_ns_;
    spin_score_ = was_short ? std::min(spin_score_ + 1, spin_score_max) : std::max(spin_score_ - 1, 0);
}

void UringIo::publish_letters() {
    outboxes_.publish(post_, shard_, [this](ShardId peer) { wake(peer); });
}

// ---- Out of it -----------------------------------------------------------------------------------------

void UringIo::deliver_completions() {
    Completion batch[completions_per_turn];
    const uint32_t count = std::min(completions_ready(), completions_per_turn);
    const unsigned head = *ring_.cq.khead;
    for (uint32_t i = 0; i < count; i++) {
        const auto& completion = ring_.cq.cqes[(head + i) & (ring_.cq.ring_entries - 1)];
        batch[i] = {completion.user_data, completion.res, completion.flags};
    }
    io_uring_cq_advance(&ring_, count);
    statistics_.completions += count;
    for (uint32_t i = 0; i < count; i++) {
        complete(batch[i]);
        if (i % publish_every == publish_every - 1) publish_letters();
    }
}

void UringIo::deliver_finished() {
    for (const auto& [op, outcome] : delivering_) finish(*op, outcome);
    delivering_.clear();
}

void UringIo::deliver_timers(uint64_t added_end) {
    while (Op* op = timers_.take_due(now_ns_, added_end)) finish(*op, {});
}

void UringIo::deliver_letters(Letter* own) {
    Letter* oldest = nullptr;
    while (own) {
        Letter* before = std::exchange(own->next_letter, oldest);
        oldest = std::exchange(own, before);
    }
    deliver_chain(oldest);
    for (uint16_t from = 0; from < shard_count(); from++)
        deliver_chain(post_.mailbox(ShardId{from}, shard_).take_all());
}

void UringIo::deliver_chain(Letter* letter) {
    while (letter) {
        Letter& now = *letter;
        letter = std::exchange(now.next_letter, nullptr);
        statistics_.letters++;
        now.deliver();
    }
}

}  // namespace millrace
