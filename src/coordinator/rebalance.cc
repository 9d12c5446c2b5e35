// A rebalance from its cause to the join answers, and what time does to a group.
//
// The rules are Kafka's: members that do not rejoin before the longest of their rebalance timeouts are
// expelled (static ones stay until their session ends), and a group that was Empty waits a while for more.
#include "state.h"

namespace millrace {

void GroupCoordinator::State::rebalance_or_complete(Group& group, std::string reason) {
    if (group.is(GroupState::preparing_rebalance)) return complete_if_all_joined(group);
    prepare_rebalance(group, std::move(reason));
}

void GroupCoordinator::State::prepare_rebalance(Group& group, std::string reason) {
    if (group.is(GroupState::completing_rebalance)) cancel_assignment(group, Error::rebalance_in_progress);
    for (Member& member : group.members()) member.owes_sync = false;
    group.sync_timer.disarm();
    const bool is_initial = group.is(GroupState::empty);
    group.transition(GroupState::preparing_rebalance, time.wall_ms);
    stats.rebalances++;
    logger.info("coordinator", "group rebalance",
                {{"group", group.id},
                 {"generation", group.generation()},
                 {"members", group.members().size()},
                 {"reason", reason}});
    note(group, std::move(reason));
    if (!is_initial) {
        if (group.has_all_joined()) return complete_join(group);
        return group.join_timer.arm(time.now_ms + group.longest_rebalance_timeout_ms());
    }
    group.member_came = false;
    group.initial_delay_ms = options.group_initial_rebalance_delay_ms;
    group.initial_left_ms = std::max(group.longest_rebalance_timeout_ms() - group.initial_delay_ms, 0);
    group.join_timer.arm(time.now_ms + group.initial_delay_ms);
}

// An initial rebalance ends only by its delay.
void GroupCoordinator::State::complete_if_all_joined(Group& group) {
    if (!group.is(GroupState::preparing_rebalance) || group.previous_state() == GroupState::empty) return;
    if (group.has_all_joined()) complete_join(group);
}

void GroupCoordinator::State::end_of_join_wait(Group& group) {
    if (group.is(GroupState::empty)) return record_empty(group);
    ASSERT(group.is(GroupState::preparing_rebalance));
    const bool is_initial = group.previous_state() == GroupState::empty;
    if (!is_initial || !group.member_came || group.initial_left_ms == 0) return complete_join(group);
    group.member_came = false;
    const int32_t passed_ms = group.initial_delay_ms;
    group.initial_delay_ms = std::min(options.group_initial_rebalance_delay_ms, group.initial_left_ms);
    group.initial_left_ms = std::max(group.initial_left_ms - passed_ms, 0);
    group.join_timer.arm(time.now_ms + group.initial_delay_ms);
}

void GroupCoordinator::State::complete_join(Group& group) {
    ASSERT(group.is(GroupState::preparing_rebalance));
    group.join_timer.disarm();
    expel_absent(group);
    if (!group.elect_joined_leader() && !group.members().empty()) {
        // Only static members are left, and none has rejoined: their sessions decide.
        return group.join_timer.arm(time.now_ms + group.longest_rebalance_timeout_ms());
    }
    group.next_generation(time.wall_ms);
    if (!group.is(GroupState::empty)) return start_generation(group);
    note(group, "the last member is gone");
    record_empty(group);
}

// Until it is recorded a restart would bring the old members back, for one more session.
void GroupCoordinator::State::record_empty(Group& group) {
    auto done = [this, group_id = group.id, generation = group.generation()](Error error) {
        constexpr int64_t retry_ms = 1'000;
        Group* group = find(group_id);
        if (error == Error::none || !group || group->generation() != generation) return;
        if (group->is(GroupState::empty)) group->join_timer.arm(time.now_ms + retry_ms);
    };
    const Error error = propose_group(group, {}, done);
    if (error != Error::none) done(error);
}

void GroupCoordinator::State::expel_absent(Group& group) {
    for (auto at = group.members().begin(); at != group.members().end();) {
        Member& member = *at++;
        if (!member.join && !member.is_static()) expel(group, member, Error::unknown_member_id);
    }
}

void GroupCoordinator::State::start_generation(Group& group) {
    note(group, "all members joined; the leader is " + group.leader().value());
    for (Member& member : group.members()) {
        if (member.join) group.answer_join(member, join_reply(group, member, member.join->out()));
        extend_session(member);
        member.is_new = false;
        member.owes_sync = true;
    }
    ASSERT(group.joins_parked() == 0);
    group.sync_timer.arm(time.now_ms + group.longest_rebalance_timeout_ms());
}

wire::JoinGroupResponse GroupCoordinator::State::join_reply(const Group& group, const Member& member,
                                                            Arena& out) const {
    wire::JoinGroupResponse reply{.generation_id = group.generation(),
                                  .leader = out.copy(group.leader().value_or("")),
                                  .member_id = out.copy(member.id)};
    if (group.protocol_type()) reply.protocol_type = out.copy(*group.protocol_type());
    if (group.protocol()) reply.protocol_name = out.copy(*group.protocol());
    if (!group.is_leader(member)) return reply;
    reply.members = out.make<wire::JoinGroupResponse::Member>(group.members().size());
    size_t i = 0;
    for (const Member& each : group.members()) {
        auto& to = reply.members[i++];
        to = {.member_id = out.copy(each.id),
              .metadata = out.copy(as_bytes(each.metadata(group.protocol())))};
        if (each.is_static()) to.group_instance_id = out.copy(*each.terms.instance_id);
    }
    return reply;
}

// ---- Sync ----------------------------------------------------------------------------------------------

void GroupCoordinator::State::answer_sync(Member& member, const wire::SyncGroupResponse& response) {
    if (member.sync) std::exchange(member.sync, nullptr)->answer(response);
}

void GroupCoordinator::State::cancel_assignment(Group& group, Error error) {
    ASSERT(group.is(GroupState::completing_rebalance));
    for (Member& member : group.members()) {
        member.assignment.clear();
        if (!member.sync) continue;
        answer_sync(member, {.error_code = error});
        extend_session(member);
    }
}

void GroupCoordinator::State::sync_received(Group& group, Member& member) {
    member.owes_sync = false;
    const bool all = std::ranges::none_of(group.members(), &Member::owes_sync);
    if (all) group.sync_timer.disarm();
}

void GroupCoordinator::State::end_of_sync_wait(Group& group) {
    ASSERT(group.is(GroupState::completing_rebalance) || group.is(GroupState::stable));
    std::string gone;
    for (auto at = group.members().begin(); at != group.members().end();) {
        Member& member = *at++;
        if (!member.owes_sync) continue;
        (gone += gone.empty() ? "" : ", ") += member.id;
        expel(group, member, Error::unknown_member_id);
    }
    if (!gone.empty()) prepare_rebalance(group, "no sync in time from " + gone);
}

// ---- Sessions ------------------------------------------------------------------------------------------

void GroupCoordinator::State::extend_session(Member& member) {
    member.session.arm(time.now_ms + member.terms.session_timeout_ms);
}

void GroupCoordinator::State::expel(Group& group, Member& member, Error error) {
    group.answer_join(member, {.error_code = error});
    answer_sync(member, {.error_code = error});
    group.remove(member);
}

void GroupCoordinator::State::session_ended(Group& group, Member& member) {
    // While its call is parked a member cannot send heartbeats. A new one does not have its id yet: it may
    // be a client that has gone and come back as another member, so its join is not parked for ever.
    if (!member.is_new && (member.join || member.sync)) return;
    stats.members_expired++;
    const std::string reason = "session ended of member " + member.id;
    expel(group, member, Error::unknown_member_id);
    if (!group.is(GroupState::preparing_rebalance)) return prepare_rebalance(group, reason);
    if (group.has_all_joined()) complete_join(group);
}

void GroupCoordinator::State::pending_ended(Group& group, std::string member_id) {
    group.remove_pending(member_id);
    if (group.is(GroupState::preparing_rebalance) && group.has_all_joined()) return complete_join(group);
    forget_if_nothing(group.id);
}

}  // namespace millrace
