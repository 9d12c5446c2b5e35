// What a record does to the state: the same when it is loaded and when it has just been committed.
//
// Untrusted bytes: what cannot be understood is counted and skipped, as Kafka's tools and newer versions
// write records here that this coordinator does not know.
#include "millrace/wire/offset_records.h"
#include "state.h"

namespace millrace {

void GroupCoordinator::State::apply(Bytes key, const std::optional<Bytes>& value) {
    const auto parsed = wire::parse_numbered(key);
    if (!parsed) return void(stats.records_skipped++);
    scratch.reset();
    switch (parsed->number) {
        case wire::LegacyOffsetCommitKey::api.key:
        case wire::OffsetCommitKey::api.key: return apply_offset_record(parsed->body, value);
        case wire::GroupMetadataKey::api.key: return apply_group_record(parsed->body, value);
        default: stats.records_skipped++;
    }
}

// Both kinds of keys have the same body.
void GroupCoordinator::State::apply_offset_record(Bytes key_body, const std::optional<Bytes>& value) {
    const auto key = wire::decode<wire::OffsetCommitKey>(key_body, 0, scratch);
    if (!key) return void(stats.records_skipped++);
    if (!value) return apply_offset(key->group, key->topic, key->partition, {});
    const auto parsed = wire::parse_numbered(*value);
    if (!parsed) return void(stats.records_skipped++);
    const auto commit = wire::decode<wire::OffsetCommitValue>(parsed->body, parsed->number, scratch);
    if (!commit) return void(stats.records_skipped++);
    apply_offset(key->group, key->topic, key->partition, commit);
}

void GroupCoordinator::State::apply_group_record(Bytes key_body, const std::optional<Bytes>& value) {
    const auto key = wire::decode<wire::GroupMetadataKey>(key_body, 0, scratch);
    if (!key) return void(stats.records_skipped++);
    if (!value) return apply_group(key->group, nullptr);
    const auto parsed = wire::parse_numbered(*value);
    if (!parsed) return void(stats.records_skipped++);
    const auto group = wire::decode<wire::GroupMetadataValue>(parsed->body, parsed->number, scratch);
    if (!group) return void(stats.records_skipped++);
    apply_group(key->group, &*group);
}

void GroupCoordinator::State::apply_offset(std::string_view group_id, std::string_view topic,
                                           int32_t partition,
                                           const std::optional<wire::OffsetCommitValue>& value) {
    if (value) {
        // A consumer that only keeps its offsets here has no group record: the offset makes the group.
        auto at = groups.find(group_id);
        if (at == groups.end())
            at =
                groups.emplace(group_id, std::make_unique<Group>(std::string(group_id), timers, stats)).first;
        stats.offsets +=
            at->second->offsets.set(topic, partition, coordinator::StoredOffset::from_record(*value));
    } else if (Group* group = find(group_id)) {
        stats.offsets -= group->offsets.remove(topic, partition);
        forget_if_nothing(group_id);
    }
}

void GroupCoordinator::State::apply_group(std::string_view group_id, const wire::GroupMetadataValue* value) {
    auto at = groups.find(group_id);
    if (!value) {
        if (at == groups.end()) return;
        Group& group = *at->second;
        group.is_recorded = false;
        if (life == Life::loading) group.restore({});
        // A member may have come since the tombstone was proposed; then the group lives on.
        if (group.is(GroupState::empty)) group.reset_to_simple();
        return forget_if_nothing(group_id);
    }
    if (at == groups.end()) {
        if (life != Life::loading) return;
        at = groups.emplace(group_id, std::make_unique<Group>(std::string(group_id), timers, stats)).first;
    }
    at->second->is_recorded = true;
    if (life == Life::loading) return at->second->restore(*value);
    take_assignment(*at->second, *value);
}

// The leader's assignment is committed. The group may have begun another rebalance meanwhile: then the
// record only stands for a generation that nobody is in any more.
void GroupCoordinator::State::take_assignment(Group& group, const wire::GroupMetadataValue& value) {
    if (!group.is(GroupState::completing_rebalance) || group.generation() != value.generation) return;
    for (const auto& from : value.members)
        if (Member* member = group.find(from.member_id)) member->assignment = as_text(from.assignment);
    for (Member& member : group.members()) {
        if (!member.sync) continue;
        Arena& out = member.sync->out();
        answer_sync(member, {.protocol_type = out.copy(group.protocol_type().value_or("")),
                             .protocol_name = out.copy(group.protocol().value_or("")),
                             .assignment = out.copy(as_bytes(member.assignment))});
        extend_session(member);
    }
    group.transition(GroupState::stable, time.wall_ms);
    stats.rebalances_completed++;
    note(group, "assignment committed");
}

}  // namespace millrace
