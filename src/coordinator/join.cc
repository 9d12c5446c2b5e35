// JoinGroup: who may come in, as whom, and what that sets off. KIP-394, KIP-345, KIP-814, KIP-800.
#include "state.h"

namespace millrace {
namespace {

std::string to_uuid_text(const Uuid& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (size_t i = 0; i < id.bytes.size(); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[id.bytes[i] >> 4];
        text += digits[id.bytes[i] & 15];
    }
    return text;
}

// A name said twice counts once: the first is what the client prefers.
std::vector<coordinator::Protocol> protocols_of(const wire::JoinGroupRequest& request) {
    std::vector<coordinator::Protocol> protocols;
    for (const auto& from : request.protocols)
        if (std::ranges::find(protocols, from.name, &coordinator::Protocol::name) == protocols.end())
            protocols.push_back({std::string(from.name), std::string(as_text(from.metadata))});
    return protocols;
}

MemberTerms terms_of(const wire::JoinGroupRequest& request, const GroupContext& context) {
    MemberTerms terms{.client_id = std::string(context.client_id),
                      .client_host = std::string(context.client_host),
                      // Version 0 has one timeout for both.
                      .rebalance_timeout_ms =
                          context.version == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms,
                      .session_timeout_ms = request.session_timeout_ms,
                      .protocols = protocols_of(request)};
    if (request.group_instance_id) terms.instance_id = *request.group_instance_id;
    return terms;
}

std::string reason_of(const wire::JoinGroupRequest& request) {
    if (!request.reason || request.reason->empty()) return "not provided";
    return std::string(*request.reason);
}

void refuse(ParkedJoin& parked, Error error, std::string_view member_id = "") {
    parked.answer({.error_code = error, .member_id = parked.out().copy(member_id)});
}

}  // namespace

Task<wire::JoinGroupResponse> GroupCoordinator::join(wire::JoinGroupRequest request, GroupContext context,
                                                     Arena& out) {
    ParkedJoin parked(state_->replies, out);
    state_->time = context.time;
    state_->join({request, context, parked, terms_of(request, context), reason_of(request)});
    state_->settle();
    co_return co_await parked;
}

void GroupCoordinator::State::join(JoinCall call) {
    const auto& request = call.request;
    if (const Error error = refusal(); error != Error::none)
        return refuse(call.parked, error, request.member_id);
    if (request.group_id.empty()) return refuse(call.parked, Error::invalid_group_id, request.member_id);
    if (request.session_timeout_ms < options.group_min_session_timeout_ms ||
        request.session_timeout_ms > options.group_max_session_timeout_ms)
        return refuse(call.parked, Error::invalid_session_timeout, request.member_id);
    const bool is_new = request.member_id.empty();
    Group* group = is_new ? find_or_create(request.group_id) : find(request.group_id);
    if (!group && is_new) return refuse(call.parked, Error::coordinator_not_available);
    if (!group) return refuse(call.parked, Error::unknown_member_id, request.member_id);
    if (!accepts(*group, request.member_id)) {
        if (Member* member = group->find(request.member_id))
            expel(*group, *member, Error::group_max_size_reached);
        group->remove_pending(request.member_id);
        refuse(call.parked, Error::group_max_size_reached);
        complete_if_all_joined(*group);
    } else if (!group->supports(request.protocol_type, call.terms.protocols)) {
        refuse(call.parked, Error::inconsistent_group_protocol, request.member_id);
    } else {
        is_new ? join_new(*group, call) : join_known(*group, call);
    }
    forget_if_nothing(request.group_id);
}

// While a group prepares, those count that have come, so that the last ones of a group that is too large are
// turned away; otherwise its members count.
bool GroupCoordinator::State::accepts(Group& group, std::string_view member_id) const {
    const Member* member = group.find(member_id);
    const auto size_max = static_cast<size_t>(options.group_max_size);
    if (!member && stats.members + stats.pending_members >= options.members_max &&
        !group.pending().contains(member_id))
        return false;
    switch (group.state()) {
        case GroupState::preparing_rebalance:
            return (member && member->join) || group.joins_parked() < size_max;
        case GroupState::completing_rebalance:
        case GroupState::stable: return member || group.members().size() < size_max;
        default: return true;
    }
}

void GroupCoordinator::State::join_new(Group& group, JoinCall& call) {
    std::string id = new_member_id(call);
    if (call.terms.instance_id) {
        Member* holder = group.find_static(*call.terms.instance_id);
        if (holder) return replace_static(group, *holder, std::move(id), call);
    } else if (call.context.version >= 4) {
        return add_pending(group, std::move(id), call);
    }
    add_member(group, std::move(id), call);
}

std::string GroupCoordinator::State::new_member_id(const JoinCall& call) {
    return call.terms.instance_id.value_or(call.terms.client_id) + "-" + to_uuid_text(ids.next_id());
}

// KIP-394: a client that never hears its id would leave a member behind; so it must come back with it.
void GroupCoordinator::State::add_pending(Group& group, std::string member_id, JoinCall& call) {
    refuse(call.parked, Error::member_id_required, member_id);
    group.add_pending(std::move(member_id)).timer.arm(time.now_ms + call.terms.session_timeout_ms);
}

void GroupCoordinator::State::join_known(Group& group, JoinCall& call) {
    const auto& request = call.request;
    if (group.pending().contains(request.member_id) && !request.group_instance_id)
        return add_member(group, std::string(request.member_id), call);
    const Error error = group.validate(request.member_id, request.group_instance_id);
    if (error != Error::none) return refuse(call.parked, error, request.member_id);
    Member& member = *group.find(request.member_id);
    if (member.is_static() && !request.group_instance_id) call.terms.instance_id = member.terms.instance_id;
    join_again(group, member, call);
}

void GroupCoordinator::State::join_again(Group& group, Member& member, JoinCall& call) {
    const std::string when =
        std::string(group_state_name(group.state())) + "; client reason: " + call.client_reason;
    const bool is_unchanged = member.terms.protocols == call.terms.protocols;
    // The leader may know of changes that its metadata do not show, such as new partitions.
    const bool leads_stable = group.is(GroupState::stable) && group.is_leader(member);
    if (group.is(GroupState::preparing_rebalance))
        return update_member(group, member, call, "member " + member.id + " joins during " + when);
    if (leads_stable)
        return update_member(group, member, call, "leader " + member.id + " rejoins during " + when);
    if (!is_unchanged)
        return update_member(group, member, call, "new metadata of member " + member.id + " during " + when);
    // It has missed our answer: here it is again.
    call.parked.answer(join_reply(group, member, call.parked.out()));
}

void GroupCoordinator::State::add_member(Group& group, std::string member_id, JoinCall& call) {
    std::string reason = "new member " + member_id;
    if (call.terms.instance_id) reason += " with instance id " + *call.terms.instance_id;
    reason += "; client reason: " + call.client_reason;
    if (group.is(GroupState::preparing_rebalance) && group.previous_state() == GroupState::empty)
        group.member_came = true;
    Member& member = group.add(std::move(member_id), std::move(call.terms), call.request.protocol_type);
    member.is_new = true;
    group.park_join(member, call.parked);
    member.session.arm(time.now_ms + options.new_member_join_timeout_ms);
    rebalance_or_complete(group, std::move(reason));
}

void GroupCoordinator::State::update_member(Group& group, Member& member, JoinCall& call,
                                            std::string reason) {
    call.terms.client_id = member.terms.client_id;
    call.terms.client_host = member.terms.client_host;
    group.set_terms(member, std::move(call.terms));
    repark(group, member, call.parked);
    rebalance_or_complete(group, std::move(reason));
}

// The same member asks again: its earlier call, whose connection has most likely gone, is over.
void GroupCoordinator::State::repark(Group& group, Member& member, ParkedJoin& parked) {
    if (member.join)
        group.answer_join(member, {.error_code = Error::rebalance_in_progress,
                                   .member_id = member.join->out().copy(member.id)});
    group.park_join(member, parked);
}

// ---- Static members that come back ---------------------------------------------------------------------

struct Replaced {
    std::string id, leader;
    MemberTerms terms;
};

void GroupCoordinator::State::replace_static(Group& group, Member& member, std::string new_id,
                                             JoinCall& call) {
    Replaced before{.id = member.id, .leader = group.leader().value(), .terms = member.terms};
    // Whoever still waits under the old id is fenced.
    if (member.join)
        group.answer_join(member, {.error_code = Error::fenced_instance_id,
                                   .member_id = member.join->out().copy(member.id)});
    answer_sync(member, {.error_code = Error::fenced_instance_id});
    group.rename_static(member, std::move(new_id));
    call.terms.client_id = member.terms.client_id;
    call.terms.client_host = member.terms.client_host;
    group.set_terms(member, std::move(call.terms));
    group.park_join(member, call.parked);
    member.is_new = false;
    extend_session(member);
    const std::string who = "static member " + *member.terms.instance_id + " is back as " + member.id;
    const std::string why = "; client reason: " + call.client_reason;
    if (group.is(GroupState::preparing_rebalance)) return complete_if_all_joined(group);
    // The leader may already be dealing out partitions to the old id.
    if (group.is(GroupState::completing_rebalance)) return prepare_rebalance(group, who + why);
    ASSERT(group.is(GroupState::stable));
    if (group.select_protocol() != group.protocol())
        return prepare_rebalance(group, who + " with another protocol" + why);
    record_replacement(group, member, call, std::move(before));
}

// Nothing changes for the others: the new id is recorded and the member goes on where it was.
void GroupCoordinator::State::record_replacement(Group& group, Member& member, JoinCall& call,
                                                 Replaced before) {
    Assignments assignments;
    for (const Member& each : group.members()) assignments[each.id] = as_bytes(each.assignment);
    const bool may_skip = call.context.version >= 9;
    auto done = [this, group_id = group.id, id = member.id, generation = group.generation(), may_skip,
                 before = std::move(before)](Error error) {
        Group* group = find(group_id);
        Member* member = group ? group->find(id) : nullptr;
        // Otherwise another has replaced it, or a rebalance has begun, which will answer.
        if (!member || !member->join || !group->is(GroupState::stable) || group->generation() != generation)
            return;
        extend_session(*member);
        if (error == Error::none) {
            wire::JoinGroupResponse reply = join_reply(*group, *member, member->join->out());
            // KIP-814: from version 9 a leader can be told that it has nothing to deal out. Before, it is
            // kept from doing so by naming the leader that it no longer is.
            reply.skip_assignment = may_skip && group->is_leader(*member);
            if (!may_skip) reply.members = {}, reply.leader = member->join->out().copy(before.leader);
            return group->answer_join(*member, reply);
        }
        group->answer_join(*member, {.error_code = error});
        group->set_terms(*member, before.terms);
        group->rename_static(*member, before.id);
    };
    const Error error = propose_group(group, assignments, done);
    if (error != Error::none) done(append_error_for_client(error));
}

}  // namespace millrace
