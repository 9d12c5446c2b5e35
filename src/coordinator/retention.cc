// Offsets and groups that end: by age, by DeleteGroups, with their topic.
//
// Expiry looks at some groups per tick, in the order of their names, so that it never holds up a shard.
#include "state.h"

namespace millrace {

// Whether that was all: the rest takes another append.
template <class Wanted>
bool GroupCoordinator::State::add_offset_tombstones(const Group& group, const Wanted& wanted) {
    const size_t size_max = options.append_batch_max_bytes / 2;
    for (const auto& [topic, partitions] : group.offsets.topics())
        for (const auto& [partition, offset] : partitions) {
            if (!wanted(topic, offset)) continue;
            if (queue.draft_size() >= size_max) return false;
            queue.add_tombstone(
                wire::OffsetCommitKey{.group = group.id, .topic = topic, .partition = partition});
        }
    return true;
}

// ---- By age --------------------------------------------------------------------------------------------

void GroupCoordinator::State::expire_offsets() {
    constexpr int groups_per_tick = 256;
    auto at = retention_cursor ? groups.upper_bound(*retention_cursor) : groups.begin();
    for (int i = 0; i < groups_per_tick && at != groups.end(); i++) {
        Group& group = *(at++)->second;
        retention_cursor = group.id;
        expire_group_offsets(group);
    }
    if (at != groups.end()) return retention.arm(time.now_ms + 1);
    retention_cursor.reset();
    retention.arm(time.now_ms + options.offsets_retention_check_interval_ms);
}

void GroupCoordinator::State::expire_group_offsets(Group& group) {
    // A commit on its way would come before our tombstone, and be lost by it.
    if (group.proposals > 0) return;
    const bool all_looked_at = add_offset_tombstones(
        group, [&](std::string_view topic, const auto& offset) { return has_expired(group, topic, offset); });
    const size_t expired = queue.draft_count();
    size_t left = 0;
    for (const auto& [topic, partitions] : group.offsets.topics()) left += partitions.size();
    left -= expired;
    const bool ends = all_looked_at && left == 0 && group.is(GroupState::empty) && group.pending().empty();
    if (ends && group.is_recorded) queue.add_tombstone(wire::GroupMetadataKey{.group = group.id});
    if (queue.draft_count() == 0) return forget_if_nothing(group.id);
    const Error error = propose(group, [this, expired](Error end) {
        if (end == Error::none) stats.offsets_expired += expired;
    });
    if (error != Error::none)
        logger.warn("coordinator", "expiry put off", {{"group", group.id}, {"error", error}});
}

bool GroupCoordinator::State::has_expired(const Group& group, std::string_view topic,
                                          const coordinator::StoredOffset& offset) const {
    if (group.is_subscribed(topic)) return false;
    int64_t base_ms = offset.commit_ms;
    if (group.protocol_type()) {
        // KIP-211: a group that had members keeps its offsets until it was Empty for the whole retention;
        // consumers at work lose those of topics that they no longer want.
        const bool at_work =
            group.is(GroupState::stable) && group.uses_consumer_protocol() && group.knows_subscriptions();
        if (!at_work && !group.is(GroupState::empty)) return false;
        if (!at_work && group.state_since_ms() >= 0) base_ms = group.state_since_ms();
    }
    return offset.is_expired(base_ms, time.wall_ms, options.offsets_retention_minutes * 60'000);
}

// ---- On demand -----------------------------------------------------------------------------------------

void GroupCoordinator::State::record_round(Group& group, ParkedError& parked) {
    const Error error = propose(group, [&parked](Error end) { parked.answer(end); });
    if (error != Error::none) parked.answer(append_error_for_client(error));
}

Task<Error> GroupCoordinator::delete_group(std::string_view group_id, GroupContext context) {
    state_->time = context.time;
    for (bool is_last = false; !is_last;) {
        if (const Error error = state_->refusal(); error != Error::none) co_return error;
        Group* group = state_->find(group_id);
        if (!group || !group->is_visible()) co_return Error::group_id_not_found;
        if (!group->is(GroupState::empty)) co_return Error::non_empty_group;
        is_last = state_->add_offset_tombstones(*group, [](auto&&...) { return true; });
        if (is_last) state_->queue.add_tombstone(wire::GroupMetadataKey{.group = group_id});
        ParkedError parked(state_->replies);
        state_->record_round(*group, parked);
        state_->settle();
        const Error error = co_await parked;
        if (error != Error::none) co_return error;
    }
    co_return Error::none;
}

Task<Error> GroupCoordinator::topic_deleted(std::string_view topic, GroupTime time) {
    state_->time = time;
    std::string group_id;  // Of the last group that has no offset of the topic left.
    for (auto at = state_->groups.begin(); at != state_->groups.end();
         at = state_->groups.upper_bound(group_id)) {
        Group& group = *at->second;
        const bool is_last = state_->add_offset_tombstones(
            group, [topic](std::string_view of, auto&&) { return of == topic; });
        if (is_last) group_id = group.id;
        if (state_->queue.draft_count() == 0) continue;
        ParkedError parked(state_->replies);
        state_->record_round(group, parked);
        state_->settle();
        const Error error = co_await parked;
        if (error != Error::none) co_return error;
    }
    co_return state_->refusal();
}

}  // namespace millrace
