// OffsetCommit, OffsetFetch, OffsetDelete: committed offsets, whose topics are named by name or by id
// (version 10). What names an unknown topic is answered here; the rest goes to the group's coordinator.
#include "group_calls.h"
#include "handlers.h"

namespace millrace {
namespace {

// ---- OffsetCommit ----------------------------------------------------------------------------------------

using CommitRequest = wire::OffsetCommitRequest;
using CommitResponse = wire::OffsetCommitResponse;

CommitResponse::Topic refuse_commit(Call& call, const CommitRequest::Topic& asked, Error error) {
    CommitResponse::Topic topic{.name = asked.name, .topic_id = asked.topic_id, .partitions = {}};
    topic.partitions = call.arena.make<CommitResponse::Partition>(asked.partitions.size());
    for (size_t i = 0; i < asked.partitions.size(); i++)
        topic.partitions[i] = {.partition_index = asked.partitions[i].partition_index, .error_code = error};
    return topic;
}

// Moves the partitions that the topic does not have out of `asked`, to their answers.
void refuse_unknown_partitions(Call& call, size_t count, CommitRequest::Topic& asked,
                               std::vector<CommitResponse::Topic>& refused) {
    const auto is_known = [count](const CommitRequest::Partition& partition) {
        return partition.partition_index >= 0 && static_cast<size_t>(partition.partition_index) < count;
    };
    if (std::all_of(asked.partitions.begin(), asked.partitions.end(), is_known)) return;
    CommitRequest::Topic unknown = asked;
    unknown.partitions = call.arena.make<CommitRequest::Partition>(asked.partitions.size());
    auto known = call.arena.make<CommitRequest::Partition>(asked.partitions.size());
    size_t known_count = 0, unknown_count = 0;
    for (const auto& partition : asked.partitions)
        (is_known(partition) ? known[known_count++] : unknown.partitions[unknown_count++]) = partition;
    asked.partitions = known.first(known_count);
    unknown.partitions = unknown.partitions.first(unknown_count);
    refused.push_back(refuse_commit(call, unknown, Error::unknown_topic_or_partition));
}

// The request with only the topics and partitions that exist, named; the answers for the others.
CommitRequest known_topics(Call& call, const CommitRequest& request,
                           std::vector<CommitResponse::Topic>& refused) {
    CommitRequest known = request;
    known.topics = call.arena.make<CommitRequest::Topic>(request.topics.size());
    size_t count = 0;
    for (const CommitRequest::Topic& asked : request.topics) {
        const TopicLookup lookup = find_topic(call.shard, asked.name, asked.topic_id, call.version() >= 10);
        if (!lookup.topic) {
            refused.push_back(refuse_commit(call, asked, lookup.error));
            continue;
        }
        known.topics[count] = asked;
        known.topics[count].name = call.arena.copy(lookup.topic->name);
        known.topics[count].topic_id = lookup.topic->id;
        refuse_unknown_partitions(call, lookup.topic->partitions.size(), known.topics[count], refused);
        if (!known.topics[count].partitions.empty()) count++;
    }
    known.topics = known.topics.first(count);
    return known;
}

CommitResponse refuse_all(Call& call, const CommitRequest& request, Error error) {
    CommitResponse response;
    response.topics = call.arena.make<CommitResponse::Topic>(request.topics.size());
    for (size_t i = 0; i < request.topics.size(); i++)
        response.topics[i] = refuse_commit(call, request.topics[i], error);
    return response;
}

template <class T> wire::List<T> join_lists(Arena& arena, wire::List<T> first, const std::vector<T>& second) {
    const auto all = arena.make<T>(first.size() + second.size());
    std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), all.begin()));
    return all;
}

// ---- OffsetFetch -----------------------------------------------------------------------------------------

using FetchRequest = wire::OffsetFetchRequest;
using FetchResponse = wire::OffsetFetchResponse;

// A request of version 1-7 as the one group of version 8.
FetchRequest::Group as_group(Call& call, const FetchRequest& request) {
    FetchRequest::Group group{.group_id = request.group_id, .member_id = {}, .topics = {}};
    if (!request.topics) return group;
    auto topics = call.arena.make<FetchRequest::GroupTopic>(request.topics->size());
    for (size_t i = 0; i < topics.size(); i++)
        topics[i] = {.name = (*request.topics)[i].name,
                     .topic_id = {},
                     .partition_indexes = (*request.topics)[i].partition_indexes};
    group.topics = topics;
    return group;
}

// With version 10: names for ids. Topics that do not exist are answered here.
FetchRequest::Group with_names(Call& call, const FetchRequest::Group& asked,
                               std::vector<FetchResponse::GroupTopic>& refused) {
    FetchRequest::Group named = asked;
    if (call.version() < 10 || !asked.topics) return named;
    auto topics = call.arena.make<FetchRequest::GroupTopic>(asked.topics->size());
    size_t count = 0;
    for (const auto& topic : *asked.topics) {
        const TopicInfo* known = call.shard.metadata().topic(topic.topic_id);
        if (known) {
            topics[count] = topic;
            topics[count++].name = call.arena.copy(known->name);
            continue;
        }
        auto partitions = call.arena.make<FetchResponse::GroupPartition>(topic.partition_indexes.size());
        for (size_t i = 0; i < partitions.size(); i++)
            partitions[i] = {.partition_index = topic.partition_indexes[i],
                             .committed_offset = -1,
                             .error_code = Error::unknown_topic_id};
        refused.push_back({.name = {}, .topic_id = topic.topic_id, .partitions = partitions});
    }
    named.topics = topics.first(count);
    return named;
}

// Topics of the answer by their ids; those that are gone have none and cannot be told.
void set_ids(Call& call, FetchResponse::Group& group) {
    size_t count = 0;
    for (auto& topic : group.topics) {
        const TopicInfo* known = call.shard.metadata().topic(topic.name);
        if (!known) continue;
        topic.topic_id = known->id;
        group.topics[count++] = topic;
    }
    group.topics = group.topics.first(count);
}

Task<FetchResponse::Group> fetch_here(const GroupCoordinator& coordinator, const FetchRequest::Group& asked,
                                      Arena& out) {
    co_return coordinator.fetch_offsets(asked, out);
}

Task<> fetch_group(Call& call, const FetchRequest::Group& asked, FetchResponse::Group& answer) {
    Arena out;
    std::vector<FetchResponse::GroupTopic> refused;
    const FetchRequest::Group named = with_names(call, asked, refused);
    auto calling = call_group<FetchResponse::Group>(
        call, asked.group_id, out,
        [&](GroupCoordinator& coordinator, GroupContext, Arena& arena) {
            return fetch_here(coordinator, named, arena);
        },
        [&](Error error) {
            return FetchResponse::Group{.group_id = asked.group_id, .topics = {}, .error_code = error};
        });
    answer = co_await calling;
    call.hold_arena(std::move(out));
    if (call.version() >= 10) set_ids(call, answer);
    if (!refused.empty()) answer.topics = join_lists(call.arena, answer.topics, refused);
}

void flatten(Call& call, const FetchResponse::Group& group, FetchResponse& response) {
    response.error_code = group.error_code;
    response.topics = call.arena.make<FetchResponse::Topic>(group.topics.size());
    for (size_t t = 0; t < group.topics.size(); t++) {
        const auto& from = group.topics[t].partitions;
        auto partitions = call.arena.make<FetchResponse::Partition>(from.size());
        for (size_t p = 0; p < from.size(); p++)
            partitions[p] = {.partition_index = from[p].partition_index,
                             .committed_offset = from[p].committed_offset,
                             .committed_leader_epoch = from[p].committed_leader_epoch,
                             .metadata = from[p].metadata,
                             .error_code = from[p].error_code};
        response.topics[t] = {.name = group.topics[t].name, .partitions = partitions};
    }
}

// Versions 0 and 1 have no place for an error of the group: each partition carries it.
void spread_error(Call& call, const FetchRequest& request, FetchResponse& response) {
    if (call.version() >= 2 || response.error_code == Error::none || !request.topics) return;
    response.topics = call.arena.make<FetchResponse::Topic>(request.topics->size());
    for (size_t t = 0; t < response.topics.size(); t++) {
        const auto& asked = (*request.topics)[t];
        auto partitions = call.arena.make<FetchResponse::Partition>(asked.partition_indexes.size());
        for (size_t p = 0; p < partitions.size(); p++)
            partitions[p] = {.partition_index = asked.partition_indexes[p],
                             .committed_offset = -1,
                             .error_code = response.error_code};
        response.topics[t] = {.name = asked.name, .partitions = partitions};
    }
}

// ---- OffsetDelete ----------------------------------------------------------------------------------------

using DeleteRequest = wire::OffsetDeleteRequest;
using DeleteResponse = wire::OffsetDeleteResponse;

DeleteRequest known_topics(Call& call, const DeleteRequest& request,
                           std::vector<DeleteResponse::Topic>& refused) {
    DeleteRequest known = request;
    known.topics = call.arena.make<DeleteRequest::Topic>(request.topics.size());
    size_t count = 0;
    for (const DeleteRequest::Topic& asked : request.topics) {
        if (call.shard.metadata().topic(asked.name)) {
            known.topics[count++] = asked;
            continue;
        }
        DeleteResponse::Topic topic{
            .name = asked.name,
            .partitions = call.arena.make<DeleteResponse::Partition>(asked.partitions.size())};
        for (size_t i = 0; i < asked.partitions.size(); i++)
            topic.partitions[i] = {.partition_index = asked.partitions[i].partition_index,
                                   .error_code = Error::unknown_topic_or_partition};
        refused.push_back(topic);
    }
    known.topics = known.topics.first(count);
    return known;
}

}  // namespace

Task<CommitResponse> handle_offset_commit(Call& call, const CommitRequest& request) {
    Arena out;
    std::vector<CommitResponse::Topic> refused;
    const CommitRequest known = known_topics(call, request, refused);
    auto calling = call_group<CommitResponse>(
        call, request.group_id, out,
        [&](GroupCoordinator& coordinator, GroupContext context, Arena& arena) {
            return coordinator.commit_offsets(known, context, arena);
        },
        [&](Error error) { return refuse_all(call, known, error); });
    CommitResponse response = co_await calling;
    call.hold_arena(std::move(out));
    if (!refused.empty()) response.topics = join_lists(call.arena, response.topics, refused);
    co_return response;
}

Task<FetchResponse> handle_offset_fetch(Call& call, const FetchRequest& request) {
    FetchResponse response;
    if (call.version() < 8) {
        const FetchRequest::Group asked = as_group(call, request);
        FetchResponse::Group group;
        co_await fetch_group(call, asked, group);
        flatten(call, group, response);
        spread_error(call, request, response);
        co_return response;
    }
    response.groups = call.arena.make<FetchResponse::Group>(request.groups.size());
    std::vector<Task<>> fetches;
    for (size_t i = 0; i < request.groups.size(); i++)
        fetches.push_back(fetch_group(call, request.groups[i], response.groups[i]));
    co_await gather(std::move(fetches));
    co_return response;
}

Task<DeleteResponse> handle_offset_delete(Call& call, const DeleteRequest& request) {
    Arena out;
    std::vector<DeleteResponse::Topic> refused;
    const DeleteRequest known = known_topics(call, request, refused);
    auto calling = call_group<DeleteResponse>(
        call, request.group_id, out,
        [&](GroupCoordinator& coordinator, GroupContext context, Arena& arena) {
            return coordinator.delete_offsets(known, context, arena);
        },
        [](Error error) { return DeleteResponse{.error_code = error, .topics = {}}; });
    DeleteResponse response = co_await calling;
    call.hold_arena(std::move(out));
    if (!refused.empty() && response.error_code == Error::none)
        response.topics = join_lists(call.arena, response.topics, refused);
    co_return response;
}

}  // namespace millrace
