// A partition changes its home while it is used: held everywhere, drained, left, recorded, loaded, let go.
//
// The old home conducts. It asks every shard to hold new requests back; a shard's answer comes behind all
// that it had sent before, so that from then on nothing of the partition is on its way, and no request is
// overtaken by a later one. What always holds: one move at a time; the shards' homes differ only while they
// are told.
#include "millrace/shard.h"

namespace millrace {
namespace {

constexpr uint64_t drain_ns_max = 2'000'000'000, drain_step_ns = 100'000;

}  // namespace

Task<ShardId> Shard::settled_home(Slot slot) {
    while (held_ == slot) co_await released_;
    co_return home(slot);
}

// ---- Shard 0 ---------------------------------------------------------------------------------------------

Task<Result<>> Shard::move_partition(Slot slot, ShardId to) {
    ASSERT(id().value == 0);
    while ((moving_ || move_under_way_) && ready_) co_await moved_;
    if (!ready_) co_return Error::not_leader_or_follower;
    moving_ = move_under_way_ = true;
    auto judging = judge_move(slot, to);
    auto result = co_await judging;
    const Homes::Move move{slot, home(slot), to};
    const bool is_there = move.from == to;
    if (result && !is_there) {
        const uint64_t generation = homes_.generation + 1;
        result = co_await on<Result<>>(
            move.from, [move, generation](Shard& shard) { return shard.move_out(move, generation); });
    }
    // Else the new home says when it is over.
    if (is_there || home(slot) != to) moving_ = false;
    if (result && !is_there) moves_++;
    move_under_way_ = false;
    moved_.notify_all();
    co_return result;
}

Task<Result<>> Shard::judge_move(Slot slot, ShardId to) {
    const auto place = metadata_->partition(slot);
    if (!place) co_return Error::unknown_topic_or_partition;
    if (to.value >= node_.shard_count() || place->topic->name == offsets_topic_name)
        co_return Error::invalid_request;
    co_return Result<>{};
}

Task<Result<>> Shard::record_move(Homes::Move move) {
    Homes homes = homes_;
    homes.generation++;
    homes.newest = move;
    homes.set(move.slot, move.to);
    std::erase_if(homes.moved, [&](const auto& moved) { return !metadata_->partition(moved.first); });
    const auto written = co_await write_homes(io_, node_.config.data_dir, homes);
    if (!written) co_return written;
    homes_.generation = homes.generation;
    co_return Result<>{};
}

Task<Result<>> Shard::finish_move() {
    moving_ = false;
    moved_.notify_all();
    co_return Result<>{};
}

// ---- The old home ----------------------------------------------------------------------------------------

Task<Result<>> Shard::move_out(Homes::Move move, uint64_t generation) {
    co_await lock();  // It cannot be deleted now.
    Result<> result =
        hosted(move.slot) ? hosted(move.slot)->partition->log().failure() : why_absent(move.slot);
    if (result) result = co_await storage_->prepare_leave(move.slot);
    if (result) result = co_await move_held(move, generation);
    unlock();
    co_return result;
}

Task<Result<>> Shard::move_held(Homes::Move move, uint64_t generation) {
    const auto held = co_await everywhere([slot = move.slot](Shard& shard) { return shard.hold(slot); });
    ASSERT(held.ok());
    hosted(move.slot)->partition->wake_fetches();
    const bool is_still = co_await drain();
    auto result = is_still ? co_await leave(move, generation) : Result<>{Error::request_timed_out};
    const ShardId home = homes_.of(move.slot);
    const auto released =
        co_await everywhere([slot = move.slot, home](Shard& shard) { return shard.release(slot, home); });
    ASSERT(released.ok());
    co_return result;
}

// Ends when everything has ended that was here before; false when that takes too long.
Task<bool> Shard::drain() {
    const uint64_t until_ns = io_.now_ns() + drain_ns_max;
    const uint8_t before = visits_now_, other = before ^ 1;
    while (visits_[other] > 0 && io_.now_ns() < until_ns) co_await sleep_for(io_, drain_step_ns);
    if (visits_[other] > 0) co_return false;
    visits_now_ = other;
    while (visits_[before] > 0 && io_.now_ns() < until_ns) co_await sleep_for(io_, drain_step_ns);
    co_return visits_[before] == 0;
}

// From here on nobody but us has anything to do with the partition.
Task<Result<>> Shard::leave(Homes::Move move, uint64_t generation) {
    const Slot slot = move.slot;
    const Epoch leader_epoch = hosted(slot)->partition->leader_epoch();
    const LogSpec spec = hosted(slot)->partition->spec();
    hosted_.erase(slot);
    const auto state = co_await storage_->leave(slot, generation);
    if (!state) {
        const auto place = metadata_->partition(slot);
        if (Log* log = storage_->find(slot); log && place)
            host(*log, *place->topic, leader_epoch);
        else
            note_unopened(slot, state.error());
        co_return state.error();
    }
    auto recorded = co_await on<Result<>>(ShardId{0}, [move](Shard& zero) { return zero.record_move(move); });
    // It comes back to where it was.
    const Homes::Move taken = recorded ? move : Homes::Move{slot, id(), id()};
    homes_.set(slot, taken.to);
    const Arrival arrival{taken, *state, spec};
    const auto arrived =
        co_await on<Result<>>(taken.to, [&arrival](Shard& shard) { return shard.arrive(arrival); });
    co_return recorded ? arrived : recorded;
}

Task<Result<>> Shard::forget_left(Slot slot) {
    storage_->forget_left(slot);
    co_return Result<>{};
}

// ---- Every shard -----------------------------------------------------------------------------------------

Task<Result<>> Shard::hold(Slot slot) {
    ASSERT(!held_);
    held_ = slot;
    homes_version_++;
    co_return Result<>{};
}

Task<Result<>> Shard::release(Slot slot, ShardId home) {
    ASSERT(held_ == slot);
    homes_.set(slot, home);
    held_.reset();
    homes_version_++;
    released_.notify_all();
    co_return Result<>{};
}

// ---- The new home ----------------------------------------------------------------------------------------

Task<Result<>> Shard::arrive(Arrival arrival) {
    const Homes::Move move = arrival.move;
    const bool comes_back = move.to == move.from;  // Then the lock is ours already.
    if (!comes_back) co_await lock();
    homes_.set(move.slot, id());
    arrivals_.insert_or_assign(move.slot, arrival);
    if (metadata_->partition(move.slot)) {
        co_await open_partition(move.slot);
    } else {  // Deleted meanwhile, when it was not ours yet.
        const auto log = co_await storage_->take_over(arrival.spec, arrival.state);
        if (!log) io_.log().warn("shard", "files of a deleted partition stay", {{"slot", move.slot}});
        co_await remove_partition(move.slot);
    }
    const bool is_open = !arrivals_.contains(move.slot);
    if (!comes_back) unlock();
    co_return is_open ? Error::none : Error::kafka_storage_error;
}

// Until our journal names it durably, that of the old home says what it was.
Task<> Shard::settle(Homes::Move move) {
    settling_++;
    const auto settled = co_await storage_->arrived(move.slot);
    if (settled && move.from != move.to) {
        auto forgetting =
            on<Result<>>(move.from, [slot = move.slot](Shard& shard) { return shard.forget_left(slot); });
        const auto forgotten = co_await forgetting;
        auto finishing = on<Result<>>(ShardId{0}, [](Shard& zero) { return zero.finish_move(); });
        const auto finished = co_await finishing;
        ASSERT(forgotten.ok() && finished.ok());
    }
    if (--settling_ == 0) settled_.notify_all();
}

}  // namespace millrace
