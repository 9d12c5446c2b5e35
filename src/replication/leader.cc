// The leader's part: append, count what is safe, answer who waits.
#include "millrace/answer.h"
#include "millrace/replication.h"

namespace millrace {

// A produce that waits for its acknowledgement. Lies in the waiting coroutine's frame.
class Partition::AckWait final : public Answer {
 public:
    using Queue = Fifo<AckWait*>;
    AckWait(Queue& queue, Offset next, uint64_t by_ns) : queue_(queue), next_(next), by_ns_(by_ns) {
        queue_.push_back(this);
    }
    ~AckWait() {
        if (!is_answered()) queue_.erase_if([this](const AckWait* wait) { return wait == this; });
    }

    Offset next() const { return next_; }
    uint64_t by_ns() const { return by_ns_; }  // Its deadline.
    // Those that are answered together, in their order.
    AckWait*& next_answered() { return next_answered_; }

 private:
    Queue& queue_;
    const Offset next_;
    const uint64_t by_ns_;
    AckWait* next_answered_ = nullptr;
};

Partition::Partition(Log& log, Deadlines& deadlines, Epoch leader_epoch)
    : log_(log), deadlines_(deadlines), leader_epoch_(leader_epoch), seen_high_watermark_(log.safe()) {
    log_.set_listener(this);
}

Partition::~Partition() {
    log_.set_listener(nullptr);
    while (!watches_.empty()) watches_.back()->forget(*this);
}

Error Partition::check_epoch(Epoch asked) const {
    if (asked.value == -1 || asked == leader_epoch_) return Error::none;
    return asked < leader_epoch_ ? Error::fenced_leader_epoch : Error::unknown_leader_epoch;
}

void Partition::lead(Epoch epoch) {
    ASSERT(epoch >= leader_epoch_);
    leader_epoch_ = epoch;
}

EpochEnd Partition::epoch_end(Epoch epoch) const {
    // The leader's own epoch ends at the end of the log, also while nothing was written in it.
    if (epoch == leader_epoch_) return {.epoch = epoch, .end = end()};
    // What followed the last epoch in the log was never kept.
    const Epoch last = log_.last_epoch();
    return log_.epoch_end_offset(epoch > last && epoch < leader_epoch_ ? last : epoch);
}

Error Partition::refusal() const { return resigned_ != Error::none ? resigned_ : log_.failure(); }

Result<Appended> Partition::append(Bytes batch) {
    if (resigned_ != Error::none) return resigned_;
    add_work(batch.size());
    const Offset end = log_.end();
    auto appended = log_.append({.batch = batch, .leader_epoch = leader_epoch_});
    if (appended && !appended->duplicate) {
        ASSERT(appended->first == end);
        // Field by field: a whole one, just written to the stack and read from there, would wait until all
        // the batch's bytes have reached the cache.
        Appending& newest = uncommitted_.emplace_back();
        newest.next = log_.end();
        newest.size = static_cast<uint32_t>(batch.size());
        if (!watches_.empty()) log_.want_durable();
    }
    return appended;
}

Task<Result<>> Partition::acknowledged(Offset next, Acks acks, uint64_t deadline_ns) {
    ASSERT(next <= log_.end());
    if (const Error error = refusal(); error != Error::none) co_return error;
    if (acks == Acks::none) co_return Result<>{};
    if (next <= (acks == Acks::all ? high_watermark() : at_leader())) co_return Result<>{};
    if (acks == Acks::all) log_.want_durable();
    if (deadline_ns != no_deadline) set_alarm(deadline_ns);
    AckWait wait{acks == Acks::all ? waits_committed_ : waits_written_, next, deadline_ns};
    const Error error = co_await wait;
    if (error != Error::none) co_return error;
    co_return Result<>{};
}

void Partition::resign(Error error) {
    ASSERT(error != Error::none);
    resigned_ = error;
    answer_waits();
    wake_fetches();
}

void Partition::wake_fetches() {
    for (FetchWatch* watch : std::vector(watches_)) watch->end();
}

void Partition::on_failed(Log&, Error error) { resign(error); }

void Partition::on_progress(Log&) {
    ASSERT(seen_high_watermark_ <= high_watermark());
    tell_watches();
    answer_waits();  // Last: a waiter that goes on may do anything, also delete this partition.
}

void Partition::tell_watches() {
    const Offset high_watermark = this->high_watermark();
    if (high_watermark == seen_high_watermark_) return;
    seen_high_watermark_ = high_watermark;
    int64_t bytes = 0;
    for (; !uncommitted_.empty() && uncommitted_.front().next <= high_watermark; uncommitted_.pop_front())
        bytes += uncommitted_.front().size;
    for (FetchWatch* watch : std::vector(watches_)) watch->gained(bytes);
}

void Partition::answer_waits() {
    const Error error = refusal();
    AckWait* first = nullptr;
    AckWait** end = &first;
    // Oldest first; the duplicate of an earlier batch stands behind younger ones and goes with them.
    const auto take = [&](Fifo<AckWait*>& waits, Offset safe) {
        for (; !waits.empty() && (error != Error::none || waits.front()->next() <= safe); waits.pop_front())
            *end = waits.front(), end = &waits.front()->next_answered();
    };
    take(waits_written_, at_leader());
    take(waits_committed_, high_watermark());
    while (AckWait* const wait = first) {
        first = wait->next_answered();
        wait->answer(error);
    }
}

void Partition::set_alarm(uint64_t at_ns) {
    if (alarm_.is_set() && alarm_.at_ns <= at_ns) return;
    if (alarm_.is_set()) deadlines_.drop(alarm_);
    alarm_.at_ns = at_ns;
    deadlines_.set(alarm_, at_ns);
}

// Their records stay. A waiter that goes on may do anything, also delete this partition.
void Partition::end_overdue() {
    const uint64_t now_ns = alarm_.at_ns;
    AckWait* first = nullptr;
    AckWait** end = &first;
    uint64_t next_ns = no_deadline;
    for (Fifo<AckWait*>* waits : {&waits_written_, &waits_committed_})
        waits->erase_if([&](AckWait* wait) {
            const bool is_overdue = wait->by_ns() <= now_ns;
            if (is_overdue)
                *end = wait, end = &wait->next_answered();
            else
                next_ns = std::min(next_ns, wait->by_ns());
            return is_overdue;
        });
    if (next_ns != no_deadline) set_alarm(next_ns);
    while (AckWait* const wait = first) {
        first = wait->next_answered();
        wait->answer(Error::request_timed_out);
    }
}

}  // namespace millrace
