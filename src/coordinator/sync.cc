// SyncGroup, Heartbeat and LeaveGroup: a member's life between two rebalances.
#include "state.h"

namespace millrace {

// ---- SyncGroup -----------------------------------------------------------------------------------------

Task<wire::SyncGroupResponse> GroupCoordinator::sync(wire::SyncGroupRequest request, GroupContext context,
                                                     Arena& out) {
    ParkedSync parked(state_->replies, out);
    state_->time = context.time;
    state_->sync(request, parked);
    state_->settle();
    co_return co_await parked;
}

void GroupCoordinator::State::sync(const wire::SyncGroupRequest& request, ParkedSync& parked) {
    Group* group = find(request.group_id);
    if (const Error error = may_sync(group, request); error != Error::none)
        return parked.answer({.error_code = error});
    Member& member = *group->find(request.member_id);
    sync_received(*group, member);
    if (group->is(GroupState::stable)) {
        Arena& out = parked.out();
        return parked.answer({.protocol_type = out.copy(group->protocol_type().value_or("")),
                              .protocol_name = out.copy(group->protocol().value_or("")),
                              .assignment = out.copy(as_bytes(member.assignment))});
    }
    ASSERT(group->is(GroupState::completing_rebalance));
    // The same member asks again: its earlier call, whose connection has most likely gone, is over.
    answer_sync(member, {.error_code = Error::rebalance_in_progress});
    member.sync = &parked;
    if (group->is_leader(member)) propose_assignment(*group, request);
}

Error GroupCoordinator::State::may_sync(Group* group, const wire::SyncGroupRequest& request) {
    // What was being dealt out when the coordinator went away is lost: the group begins anew. Java's
    // consumer takes coordinator_load_in_progress for fatal here.
    if (life == Life::loading) return Error::rebalance_in_progress;
    if (const Error error = refusal(); error != Error::none) return error;
    if (request.group_id.empty()) return Error::invalid_group_id;
    if (!group || group->is(GroupState::empty)) return Error::unknown_member_id;
    if (const Error error = group->validate(request.member_id, request.group_instance_id);
        error != Error::none)
        return error;
    if (request.generation_id != group->generation()) return Error::illegal_generation;
    const bool type_fits = !request.protocol_type || group->protocol_type() == *request.protocol_type;
    const bool name_fits = !request.protocol_name || group->protocol() == *request.protocol_name;
    if (!type_fits || !name_fits) return Error::inconsistent_group_protocol;
    return group->is(GroupState::preparing_rebalance) ? Error::rebalance_in_progress : Error::none;
}

// Members that the leader forgot get nothing; names that are no members' are left out.
void GroupCoordinator::State::propose_assignment(Group& group, const wire::SyncGroupRequest& request) {
    Assignments assignments;
    for (const auto& dealt : request.assignments) assignments[dealt.member_id] = dealt.assignment;
    auto done = [this, group_id = group.id, generation = group.generation()](Error error) {
        Group* group = find(group_id);
        if (error == Error::none || !group) return;
        if (!group->is(GroupState::completing_rebalance) || group->generation() != generation) return;
        cancel_assignment(*group, error);
        prepare_rebalance(*group, "the assignment could not be recorded: " + std::string(error_name(error)));
    };
    const Error error = propose_group(group, assignments, done);
    if (error == Error::invalid_commit_offset_size) return done(Error::unknown_server_error);
    if (error != Error::none) done(error);
}

// ---- Heartbeat -----------------------------------------------------------------------------------------

wire::HeartbeatResponse GroupCoordinator::heartbeat(const wire::HeartbeatRequest& request,
                                                    GroupContext context) {
    state_->time = context.time;
    return {.error_code = state_->heartbeat(request)};
}

Error GroupCoordinator::State::heartbeat(const wire::HeartbeatRequest& request) {
    if (request.group_id.empty()) return Error::invalid_group_id;
    if (life == Life::loading) return Error::none;  // As Kafka: nobody is expelled while nothing is known.
    if (const Error error = refusal(); error != Error::none) return error;
    Group* group = find(request.group_id);
    if (!group) return Error::unknown_member_id;
    if (const Error error = group->validate(request.member_id, request.group_instance_id);
        error != Error::none)
        return error;
    if (request.generation_id != group->generation()) return Error::illegal_generation;
    extend_session(*group->find(request.member_id));
    return group->is(GroupState::preparing_rebalance) ? Error::rebalance_in_progress : Error::none;
}

// ---- LeaveGroup ----------------------------------------------------------------------------------------

Task<wire::LeaveGroupResponse> GroupCoordinator::leave(wire::LeaveGroupRequest request, GroupContext context,
                                                       Arena& out) {
    ParkedError recorded(state_->replies);
    state_->time = context.time;
    const wire::LeaveGroupResponse reply = state_->leave(request, context, recorded, out);
    state_->settle();
    const Error error = co_await recorded;
    if (error != Error::none) co_return wire::LeaveGroupResponse{.error_code = error};
    co_return reply;
}

wire::LeaveGroupResponse GroupCoordinator::State::leave(const wire::LeaveGroupRequest& request,
                                                        const GroupContext& context, ParkedError& recorded,
                                                        Arena& out) {
    Error refused = refusal();
    if (request.group_id.empty()) refused = Error::invalid_group_id;
    if (refused != Error::none)
        return recorded.answer(Error::none), wire::LeaveGroupResponse{.error_code = refused};
    Group* group = find(request.group_id);
    const wire::LeaveGroupRequest::Member only{.member_id = request.member_id};
    const auto leaving =
        context.version < 3 ? std::span(&only, 1) : std::span(request.members.data(), request.members.size());
    auto replies = out.make<wire::LeaveGroupResponse::Member>(leaving.size());
    std::string gone;
    for (size_t i = 0; i < leaving.size(); i++) {
        replies[i] = {.member_id = out.copy(leaving[i].member_id),
                      .group_instance_id = {},
                      .error_code = leave_one(group, leaving[i])};
        if (leaving[i].group_instance_id)
            replies[i].group_instance_id = out.copy(*leaving[i].group_instance_id);
        if (replies[i].error_code != Error::none) continue;
        (gone += gone.empty() ? "" : ", ") +=
            leaving[i].member_id.empty() ? *leaving[i].group_instance_id : leaving[i].member_id;
    }
    const bool was_empty = !group || group->is(GroupState::empty);
    if (!gone.empty()) left(*group, "left: " + gone);
    if (!was_empty && group->is(GroupState::empty) && !queue.is_empty())
        queue.follow_newest([&recorded](Error error) { recorded.answer(error); });
    else
        recorded.answer(Error::none);
    forget_if_nothing(request.group_id);
    if (context.version < 3) return {.error_code = replies[0].error_code};
    return {.members = replies};
}

Error GroupCoordinator::State::leave_one(Group* group, const wire::LeaveGroupRequest::Member& who) {
    if (!group) return Error::unknown_member_id;
    if (group->remove_pending(who.member_id)) return Error::none;
    Member* member = nullptr;
    if (who.member_id.empty()) {
        // An administrator removes a static member by its instance id alone (KIP-345).
        if (who.group_instance_id) member = group->find_static(*who.group_instance_id);
        if (!member) return Error::unknown_member_id;
    } else {
        const Error error = group->validate(who.member_id, who.group_instance_id);
        if (error != Error::none) return error;
        member = group->find(who.member_id);
    }
    expel(*group, *member, Error::unknown_member_id);
    return Error::none;
}

void GroupCoordinator::State::left(Group& group, std::string reason) {
    if (group.is(GroupState::preparing_rebalance)) return complete_if_all_joined(group);
    if (group.is(GroupState::stable) || group.is(GroupState::completing_rebalance))
        prepare_rebalance(group, std::move(reason));
}

}  // namespace millrace
