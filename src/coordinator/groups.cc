// The groups of one partition: found, made, described, listed, deleted, forgotten.
#include "state.h"

namespace millrace {

using coordinator::RecordQueue;

std::string_view group_state_name(GroupState state) {
    constexpr std::array<std::string_view, 5> names{"Empty", "PreparingRebalance", "CompletingRebalance",
                                                    "Stable", "Dead"};
    return names[size_t(state)];
}

Group* GroupCoordinator::State::find(std::string_view group_id) {
    const auto at = groups.find(group_id);
    return at == groups.end() ? nullptr : at->second.get();
}

const Group* GroupCoordinator::State::find_visible(std::string_view group_id) const {
    const auto at = groups.find(group_id);
    return at == groups.end() || !at->second->is_visible() ? nullptr : at->second.get();
}

Group* GroupCoordinator::State::find_or_create(std::string_view group_id) {
    if (Group* group = find(group_id)) return group;
    if (groups.size() >= options.groups_max) return nullptr;
    auto group = std::make_unique<Group>(std::string(group_id), timers, stats);
    return groups.emplace(group_id, std::move(group)).first->second.get();
}

void GroupCoordinator::State::forget_if_nothing(std::string_view group_id) {
    const auto at = groups.find(group_id);
    if (at == groups.end() || at->second->is_visible() || at->second->proposals > 0) return;
    ASSERT(at->second->members().empty());
    groups.erase(at);
}

void GroupCoordinator::State::note(Group& group, std::string reason) {
    constexpr size_t reason_size_max = 200;
    if (reason.size() > reason_size_max) reason.resize(reason_size_max);
    if (group.history.size() >= options.history_max) group.history.erase(group.history.begin());
    group.history.push_back({time.wall_ms, group.generation(), group.state(), std::move(reason)});
}

Error GroupCoordinator::State::propose(Group& group, RecordQueue::Done done) {
    const Error error = queue.propose(time.wall_ms, [this, id = group.id, done = std::move(done)](Error end) {
        Group* of = find(id);
        if (of) ASSERT(of->proposals-- > 0);
        done(end);
        forget_if_nothing(id);
    });
    if (error == Error::none) group.proposals++;
    return error;
}

Error GroupCoordinator::State::propose_group(Group& group, const Assignments& assignments,
                                             RecordQueue::Done done) {
    constexpr int16_t version = 3;  // What Kafka 4.3 writes.
    scratch.reset();
    auto members = scratch.make<wire::GroupMetadataValue::Member>(group.members().size());
    size_t i = 0;
    for (const Member& member : group.members()) {
        auto& to = members[i++];
        to = {.member_id = member.id,
              .group_instance_id = member.terms.instance_id,
              .client_id = member.terms.client_id,
              .client_host = member.terms.client_host,
              .rebalance_timeout = member.terms.rebalance_timeout_ms,
              .session_timeout = member.terms.session_timeout_ms,
              .subscription = as_bytes(member.metadata(group.protocol()))};
        if (const auto at = assignments.find(member.id); at != assignments.end()) to.assignment = at->second;
    }
    queue.add(wire::GroupMetadataKey{.group = group.id},
              wire::GroupMetadataValue{.protocol_type = group.protocol_type() ? *group.protocol_type() : "",
                                       .generation = group.generation(),
                                       .protocol = group.protocol(),
                                       .leader = group.leader(),
                                       .current_state_timestamp = group.state_since_ms(),
                                       .members = members},
              version);
    return propose(group, std::move(done));
}

// ---- To look at ----------------------------------------------------------------------------------------

namespace {

using Described = wire::DescribeGroupsResponse::Group;

Described describe_failure(std::string_view group_id, Error error, Arena& out) {
    return {.error_code = error, .group_id = out.copy(group_id)};
}

Described describe_unknown(std::string_view group_id, int16_t version, Arena& out) {
    Described described{.group_id = out.copy(group_id), .group_state = group_state_name(GroupState::dead)};
    if (version < 6) return described;  // KIP-1043: from version 6 it is an error.
    described.error_code = Error::group_id_not_found;
    described.error_message = out.copy("Group " + std::string(group_id) + " not found.");
    return described;
}

bool equals_without_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_wanted(std::span<const std::string_view> filter, std::string_view value) {
    return filter.empty() || std::ranges::any_of(filter, [value](std::string_view wanted) {
               return equals_without_case(wanted, value);
           });
}

constexpr std::string_view group_type = "classic";

}  // namespace

wire::DescribeGroupsResponse::Group GroupCoordinator::describe(std::string_view group_id,
                                                               GroupContext context, Arena& out) const {
    if (const Error error = state_->refusal(); error != Error::none)
        return describe_failure(group_id, error, out);
    const Group* group = state_->find_visible(group_id);
    if (!group) return describe_unknown(group_id, context.version, out);
    const bool stable = group->is(GroupState::stable);
    auto members = out.make<wire::DescribeGroupsResponse::Member>(group->members().size());
    size_t i = 0;
    for (const Member& member : group->members()) {
        auto& to = members[i++];
        to = {.member_id = out.copy(member.id),
              .client_id = out.copy(member.terms.client_id),
              .client_host = out.copy(member.terms.client_host),
              .member_assignment = out.copy(as_bytes(member.assignment))};
        if (member.is_static()) to.group_instance_id = out.copy(*member.terms.instance_id);
        if (stable) to.member_metadata = out.copy(as_bytes(member.metadata(group->protocol())));
    }
    return {.group_id = out.copy(group_id),
            .group_state = group_state_name(group->state()),
            .protocol_type = out.copy(group->protocol_type().value_or("")),
            .protocol_data = stable ? out.copy(group->protocol().value_or("")) : "",
            .members = members};
}

wire::ListGroupsResponse GroupCoordinator::list(const wire::ListGroupsRequest& request, Arena& out) const {
    if (const Error error = state_->refusal(); error != Error::none) return {.error_code = error};
    std::vector<const Group*> found;
    for (const auto& [id, group] : state_->groups)
        if (group->is_visible() && is_wanted(request.types_filter, group_type) &&
            is_wanted(request.states_filter, group_state_name(group->state())))
            found.push_back(group.get());
    auto listed = out.make<wire::ListGroupsResponse::Group>(found.size());
    for (size_t i = 0; i < found.size(); i++)
        listed[i] = {.group_id = out.copy(found[i]->id),
                     .protocol_type = out.copy(found[i]->protocol_type().value_or("")),
                     .group_state = group_state_name(found[i]->state()),
                     .group_type = group_type};
    return {.groups = listed};
}

std::vector<GroupEvent> GroupCoordinator::history(std::string_view group_id) const {
    const Group* group = state_->find(group_id);
    return group ? group->history : std::vector<GroupEvent>{};
}

void GroupCoordinator::each_committed(const std::function<void(const CommittedOffset&)>& visit) const {
    for (const auto& [id, group] : state_->groups)
        for (const auto& [topic, partitions] : group->offsets.topics())
            for (const auto& [partition, stored] : partitions)
                visit({.group = id,
                       .topic = topic,
                       .topic_id = stored.topic_id,
                       .partition = partition,
                       .leader_epoch = stored.leader_epoch,
                       .offset = stored.offset,
                       .metadata = stored.metadata,
                       .commit_ms = stored.commit_ms});
}

}  // namespace millrace
