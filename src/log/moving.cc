// A log leaves this shard's storage for another one's. What always holds: a state or a `left` of the slot is
// in the journal at any moment, and a `left` only once everything is durable in the segments.
#include "storage.h"

namespace millrace {

LogState PartitionLog::state() const {
    return {.topic_id = spec_.topic_id,
            .segment = staged_segment_,
            .position = staged_position_,
            .next = staged_end_,
            .log_start = log_start_};
}

Task<Result<>> StorageImpl::prepare_leave(Slot slot) {
    auto* log = static_cast<PartitionLog*>(find(slot));
    if (!log) co_return Error::unknown_topic_or_partition;
    log->leaving = true;
    while (log->busy() && log->failure() == Error::none) co_await wake_;
    Result<> result = log->failure();
    if (result) result = co_await log->write_out();
    log->leaving = false;
    wake();
    co_return judge("a partition cannot be written out for its move", result);
}

Task<Result<LogState>> StorageImpl::leave(Slot slot, uint64_t generation) {
    auto* log = static_cast<PartitionLog*>(find(slot));
    if (!log) co_return Error::unknown_topic_or_partition;
    if (log->failure() != Error::none) co_return log->failure();
    log->leaving = true;
    auto result = co_await come_to_rest(*log);
    if (result) result = co_await reserve_left();
    result = judge("a partition cannot be brought to rest for its move", result);
    if (!result) {
        log->leaving = false;
        wake();
        co_return result.error();
    }
    const LogState state = log->state();
    left_[slot] = {state, generation};
    forget(*log);
    put_left(slot, left_[slot]);
    const uint64_t sequence = journal_.last_sequence();
    journal_.flush();
    while (journal_.durable_until() < sequence && failure_ == Error::none) co_await committed_;
    wake();
    if (failure_ != Error::none) co_return failure_;
    co_return state;
}

// Staged, durable, out, its files as after a clean stop.
Task<Result<>> StorageImpl::come_to_rest(PartitionLog& log) {
    while (log.failure() == Error::none && (log.busy() || log.has_unstaged() || log.durable() < log.end())) {
        if (log.busy()) {
            co_await wake_;
            continue;
        }
        if (log.has_unstaged()) add_unstaged(log, Haste::at_once);
        want_durable();
        co_await committed_;
    }
    if (log.failure() != Error::none) co_return log.failure();
    if (log.can_drop_first()) log.drop_below_start();
    auto result = co_await log.write_final();
    if (result && log.has_damage_unsaid()) result = co_await log.write_damage();
    if (result && log.has_doomed()) result = co_await log.remove_doomed();
    co_await sleep_for(io_, 1);  // No log goes in the turn of its commit.
    co_return result;
}

Task<Result<>> StorageImpl::reserve_left() {
    constexpr size_t needed = sizeof(Entry) + sizeof(LeftPayload);
    while (failure_ == Error::none && !journal_.reserve(needed)) {
        wake();
        co_await committed_;
    }
    co_return failure_;
}

void StorageImpl::put_left(Slot slot, const Left& left) {
    const LeftPayload payload{
        .state = {.topic_id = left.state.topic_id.bytes, .log_start = left.state.log_start.value},
        .generation = left.generation};
    journal_.put({.kind = EntryKind::left,
                  .slot = slot.value,
                  .segment = left.state.segment.value,
                  .position = left.state.position,
                  .next = left.state.next.value},
                 {reinterpret_cast<const uint8_t*>(&payload), sizeof payload});
}

Task<Result<Log*>> StorageImpl::take_over(LogSpec spec, LogState state) {
    ASSERT(started_);
    const Slot slot = spec.slot;
    RecoveredLog known{.has_state = true,
                       .topic_id = state.topic_id,
                       .segment = state.segment,
                       .next = state.next,
                       .log_start = state.log_start,
                       .position = state.position};
    auto loaded = co_await load_known(std::move(spec), std::move(known));
    if (!loaded) co_return loaded;
    auto* log = static_cast<PartitionLog*>(*loaded);
    left_.erase(slot);
    if (log->failure() != Error::none) co_return loaded;
    log->tell_state();
    add_unstaged(*log, Haste::at_once);
    co_return loaded;
}

Task<Result<>> StorageImpl::arrived(Slot slot) {
    while (failure_ == Error::none && !waits_ended_) {
        const auto* log = static_cast<const PartitionLog*>(find(slot));
        if (!log) co_return Result<>{};  // Removed again: its entry says so.
        const auto sequence = log->state_sequence();
        if (sequence && journal_.durable_until() >= *sequence) co_return Result<>{};
        co_await committed_;
    }
    co_return failure_ != Error::none ? failure_ : Error::request_timed_out;
}

}  // namespace millrace
