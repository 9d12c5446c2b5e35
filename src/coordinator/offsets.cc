// OffsetCommit, OffsetFetch, OffsetDelete. A commit can be read when its record is committed, not before.
#include "state.h"

namespace millrace {

// ---- OffsetCommit --------------------------------------------------------------------------------------

Task<wire::OffsetCommitResponse> GroupCoordinator::commit_offsets(wire::OffsetCommitRequest request,
                                                                  GroupContext context, Arena& out) {
    ParkedError parked(state_->replies);
    state_->time = context.time;
    state_->commit(request, context.version, parked);
    state_->settle();
    const Error error = co_await parked;
    auto topics = out.make<wire::OffsetCommitResponse::Topic>(request.topics.size());
    for (size_t t = 0; t < topics.size(); t++) {
        const auto& asked = request.topics[t];
        auto partitions = out.make<wire::OffsetCommitResponse::Partition>(asked.partitions.size());
        for (size_t p = 0; p < partitions.size(); p++) {
            const bool too_large = error == Error::none && !state_->fits(asked.partitions[p]);
            partitions[p] = {.partition_index = asked.partitions[p].partition_index,
                             .error_code = too_large ? Error::offset_metadata_too_large : error};
        }
        topics[t] = {.name = out.copy(asked.name), .topic_id = asked.topic_id, .partitions = partitions};
    }
    co_return wire::OffsetCommitResponse{.topics = topics};
}

bool GroupCoordinator::State::fits(const wire::OffsetCommitRequest::Partition& partition) const {
    return partition.committed_metadata.value_or("").size() <=
           static_cast<size_t>(options.offset_metadata_max_bytes);
}

void GroupCoordinator::State::commit(const wire::OffsetCommitRequest& request, int16_t version,
                                     ParkedError& parked) {
    if (const Error error = refusal(); error != Error::none) return parked.answer(error);
    const Result<Group*> group = group_for_commit(request, version);
    if (!group) return parked.answer(group.error());
    // An explicit time to keep it (versions 2-4) has a place in version 1 of the record only.
    const bool has_retention = version <= 4 && request.retention_time_ms >= 0;
    uint64_t count = 0;
    for (const auto& topic : request.topics)
        for (const auto& partition : topic.partitions) {
            if (!fits(partition)) continue;
            count++;
            queue.add(
                wire::OffsetCommitKey{
                    .group = request.group_id, .topic = topic.name, .partition = partition.partition_index},
                wire::OffsetCommitValue{
                    .offset = partition.committed_offset,
                    .leader_epoch = partition.committed_leader_epoch,
                    .metadata = partition.committed_metadata.value_or(""),
                    .commit_timestamp = time.wall_ms,
                    .expire_timestamp = has_retention ? time.wall_ms + request.retention_time_ms : -1,
                    .topic_id = topic.topic_id},
                has_retention ? 1 : 4);
        }
    Error error = Error::none;
    if (count > 0)
        error = propose(**group, [this, count, &parked](Error end) {
            if (end == Error::none) stats.offset_commits += count;
            parked.answer(end);
        });
    if (count == 0 || error != Error::none) parked.answer(error);
    forget_if_nothing(request.group_id);
}

Result<Group*> GroupCoordinator::State::group_for_commit(const wire::OffsetCommitRequest& request,
                                                         int16_t version) {
    Group* group = find(request.group_id);
    if (group && group->is_visible()) {
        const Error error = may_commit(*group, request);
        if (error != Error::none) return error;
        return group;
    }
    // Someone who only keeps offsets here makes the group; a member of a group that is not there is lost.
    if (request.generation_id_or_member_epoch >= 0)
        return version >= 9 ? Error::group_id_not_found : Error::illegal_generation;
    group = find_or_create(request.group_id);
    if (!group) return Error::coordinator_not_available;
    return group;
}

Error GroupCoordinator::State::may_commit(Group& group, const wire::OffsetCommitRequest& request) {
    const int32_t generation = request.generation_id_or_member_epoch;
    if (generation < 0 && group.is(GroupState::empty)) return Error::none;
    if (generation < 0 && request.member_id.empty() && !request.group_instance_id)
        return Error::unknown_member_id;
    if (const Error error = group.validate(request.member_id, request.group_instance_id);
        error != Error::none)
        return error;
    if (generation != group.generation()) return Error::illegal_generation;
    // It has the new generation but not its partitions yet: what it commits may be another's already.
    if (group.is(GroupState::completing_rebalance)) return Error::rebalance_in_progress;
    extend_session(*group.find(request.member_id));
    return Error::none;
}

// ---- OffsetFetch ---------------------------------------------------------------------------------------

namespace {

using Fetched = wire::OffsetFetchResponse;
using coordinator::OffsetTable;
using coordinator::StoredOffset;

Fetched::GroupPartition fetched(int32_t partition, const StoredOffset* stored, Arena& out) {
    if (!stored) return {.partition_index = partition, .committed_offset = -1};
    return {.partition_index = partition,
            .committed_offset = stored->offset,
            .committed_leader_epoch = stored->leader_epoch,
            .metadata = out.copy(stored->metadata)};
}

Fetched::GroupTopic fetched_topic(const wire::OffsetFetchRequest::GroupTopic& asked, const Group* group,
                                  Arena& out) {
    const OffsetTable::Partitions* stored = group ? group->offsets.partitions(asked.name) : nullptr;
    auto partitions = out.make<Fetched::GroupPartition>(asked.partition_indexes.size());
    for (size_t i = 0; i < partitions.size(); i++) {
        const int32_t index = asked.partition_indexes[i];
        const auto at = stored ? stored->find(index) : OffsetTable::Partitions::const_iterator{};
        const bool found = stored && at != stored->end() && at->second.is_of(asked.topic_id);
        partitions[i] = fetched(index, found ? &at->second : nullptr, out);
    }
    return {.name = out.copy(asked.name), .topic_id = asked.topic_id, .partitions = partitions};
}

std::span<Fetched::GroupTopic> all_fetched(const Group* group, Arena& out) {
    if (!group) return {};
    auto topics = out.make<Fetched::GroupTopic>(group->offsets.topics().size());
    size_t t = 0;
    for (const auto& [name, stored] : group->offsets.topics()) {
        auto partitions = out.make<Fetched::GroupPartition>(stored.size());
        size_t p = 0;
        for (const auto& [index, offset] : stored) partitions[p++] = fetched(index, &offset, out);
        topics[t++] = {
            .name = out.copy(name), .topic_id = stored.begin()->second.topic_id, .partitions = partitions};
    }
    return topics;
}

}  // namespace

wire::OffsetFetchResponse::Group GroupCoordinator::fetch_offsets(const wire::OffsetFetchRequest::Group& asked,
                                                                 Arena& out) const {
    wire::OffsetFetchResponse::Group reply{.group_id = out.copy(asked.group_id),
                                           .error_code = state_->refusal()};
    if (reply.error_code != Error::none) return reply;
    const Group* group = state_->find_visible(asked.group_id);
    if (!asked.topics) {
        reply.topics = all_fetched(group, out);
        return reply;
    }
    reply.topics = out.make<Fetched::GroupTopic>(asked.topics->size());
    for (size_t i = 0; i < reply.topics.size(); i++)
        reply.topics[i] = fetched_topic((*asked.topics)[i], group, out);
    return reply;
}

// ---- OffsetDelete --------------------------------------------------------------------------------------

Task<wire::OffsetDeleteResponse> GroupCoordinator::delete_offsets(wire::OffsetDeleteRequest request,
                                                                  GroupContext context, Arena& out) {
    state_->time = context.time;
    const Error refused = state_->may_delete_offsets(request.group_id);
    if (refused != Error::none) co_return wire::OffsetDeleteResponse{.error_code = refused};
    auto topics = out.make<wire::OffsetDeleteResponse::Topic>(request.topics.size());
    for (size_t t = 0; t < topics.size(); t++) {
        const auto& asked = request.topics[t];
        const bool in_use = state_->find(request.group_id)->is_subscribed(asked.name);
        auto partitions = out.make<wire::OffsetDeleteResponse::Partition>(asked.partitions.size());
        for (size_t p = 0; p < partitions.size(); p++)
            partitions[p] = {.partition_index = asked.partitions[p].partition_index,
                             .error_code = in_use ? Error::group_subscribed_to_topic : Error::none};
        topics[t] = {.name = out.copy(asked.name), .partitions = partitions};
    }
    ParkedError parked(state_->replies);
    state_->delete_offsets(request, parked);
    state_->settle();
    const Error error = co_await parked;
    if (error != Error::none) co_return wire::OffsetDeleteResponse{.error_code = error};
    co_return wire::OffsetDeleteResponse{.topics = topics};
}

Error GroupCoordinator::State::may_delete_offsets(std::string_view group_id) {
    if (group_id.empty()) return Error::invalid_group_id;
    if (const Error error = refusal(); error != Error::none) return error;
    const Group* group = find_visible(group_id);
    if (!group) return Error::group_id_not_found;
    // Only of consumers is it known what they are subscribed to.
    if (!group->is(GroupState::empty) && !group->uses_consumer_protocol()) return Error::non_empty_group;
    return Error::none;
}

void GroupCoordinator::State::delete_offsets(const wire::OffsetDeleteRequest& request, ParkedError& parked) {
    Group& group = *find(request.group_id);
    uint64_t count = 0;
    for (const auto& topic : request.topics) {
        if (group.is_subscribed(topic.name)) continue;
        for (const auto& partition : topic.partitions) {
            if (!group.offsets.find(topic.name, partition.partition_index)) continue;
            count++;
            queue.add_tombstone(wire::OffsetCommitKey{
                .group = request.group_id, .topic = topic.name, .partition = partition.partition_index});
        }
    }
    if (count == 0) return parked.answer(Error::none);
    const Error error = propose(group, [this, count, &parked](Error end) {
        if (end == Error::none) stats.offsets_deleted += count;
        parked.answer(end);
    });
    if (error != Error::none) parked.answer(error);
}

}  // namespace millrace
