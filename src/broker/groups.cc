// FindCoordinator and the classic group protocol: each call goes to the shard of the group's coordinator.
#include "endpoints.h"
#include "group_calls.h"
#include "handlers.h"
#include "internal_topics.h"
#include "millrace/address.h"
#include "operations.h"

namespace millrace {

std::string group_client_host(const ConnectionContext& connection) {
    const auto peer = parse_host_port(connection.peer);
    return "/" + (peer ? std::string(peer->host) : connection.peer);
}

std::optional<GroupPlace> place_of_group(const Shard& shard, std::string_view group) {
    const TopicInfo* topic = shard.metadata().topic(offsets_topic_name);
    if (!topic || topic->partitions.empty()) return {};
    const int32_t partition = coordinator_partition(group, topic->partition_count());
    return GroupPlace{.partition = partition, .home = shard.home(topic->partitions[partition].slot)};
}

namespace {

// A handler whose whole answer is one group's.
template <class Response, class Work>
Task<Response> answer_one_group(Call& call, std::string_view group, Work work) {
    Arena out;
    auto calling = call_group<Response>(call, group, out, std::move(work),
                                        [](Error error) { return Response{.error_code = error}; });
    Response response = co_await calling;
    call.hold_arena(std::move(out));
    co_return response;
}

// ---- FindCoordinator -------------------------------------------------------------------------------------

using FindResponse = wire::FindCoordinatorResponse;

FindResponse::Coordinator tell_coordinator(Call& call, std::string_view key, Error error) {
    if (error != Error::none) {
        FindResponse::Coordinator none{.key = key, .node_id = -1, .host = "", .port = -1};
        none.error_code = error;
        if (error == no_transactions) none.error_message = "Transactions are not part of this version.";
        return none;
    }
    const auto place = place_of_group(call.shard, key);
    const ShardId home = place && shows_shards(call) ? place->home : ShardId{0};
    const Endpoint endpoint = own_endpoint(call, home);
    return {.key = key,
            .node_id = shown_id(call, call.shard.node().id(), home),
            .host = call.arena.copy(endpoint.host),
            .port = endpoint.port,
            .error_message = ""};
}

Task<Error> ensure_coordinators(Call& call) {
    if (call.shard.metadata().topic(offsets_topic_name)) co_return Error::none;
    std::vector<NewTopic> missing{auto_topic(call.shard.config(), offsets_topic_name)};
    auto ensuring = ensure_topics(call.shard, std::move(missing));
    const auto outcomes = co_await ensuring;
    co_return outcomes[0].ok() ? Error::none : Error::coordinator_not_available;
}

enum class KeyType : int8_t { group, transaction };

Error refuse_transactional(Call& call, const wire::FindCoordinatorRequest& request) {
    if (call.version() < 4) refuse_transactions(call, request.key);
    for (const wire::String& key : request.coordinator_keys) refuse_transactions(call, key);
    return no_transactions;
}

}  // namespace

Task<FindResponse> handle_find_coordinator(Call& call, const wire::FindCoordinatorRequest& request) {
    FindResponse response;
    Error error = Error::invalid_request;  // Share groups have no coordinator here.
    if (request.key_type == static_cast<int8_t>(KeyType::transaction))
        error = refuse_transactional(call, request);
    if (request.key_type == static_cast<int8_t>(KeyType::group)) {
        auto ensuring = ensure_coordinators(call);
        error = co_await ensuring;
    }
    if (call.version() >= 4) {
        response.coordinators = call.arena.make<FindResponse::Coordinator>(request.coordinator_keys.size());
        for (size_t i = 0; i < request.coordinator_keys.size(); i++)
            response.coordinators[i] = tell_coordinator(call, request.coordinator_keys[i], error);
        co_return response;
    }
    const auto found = tell_coordinator(call, request.key, error);
    response.error_code = found.error_code;
    response.error_message = found.error_message;
    if (error == Error::none) response.error_message = "NONE";  // So says Kafka.
    response.node_id = found.node_id;
    response.host = found.host;
    response.port = found.port;
    co_return response;
}

// ---- Members ---------------------------------------------------------------------------------------------

Task<wire::JoinGroupResponse> handle_join_group(Call& call, const wire::JoinGroupRequest& request) {
    auto response = co_await answer_one_group<wire::JoinGroupResponse>(
        call, request.group_id, [&](GroupCoordinator& coordinator, GroupContext context, Arena& out) {
            return coordinator.join(request, context, out);
        });
    if (response.error_code != Error::none && response.member_id.empty())
        response.member_id = request.member_id;
    co_return response;
}

Task<wire::SyncGroupResponse> handle_sync_group(Call& call, const wire::SyncGroupRequest& request) {
    return answer_one_group<wire::SyncGroupResponse>(
        call, request.group_id, [&](GroupCoordinator& coordinator, GroupContext context, Arena& out) {
            return coordinator.sync(request, context, out);
        });
}

namespace {

Task<wire::HeartbeatResponse> heartbeat_here(GroupCoordinator& coordinator,
                                             const wire::HeartbeatRequest& request, GroupContext context) {
    co_return coordinator.heartbeat(request, context);
}

}  // namespace

Task<wire::HeartbeatResponse> handle_heartbeat(Call& call, const wire::HeartbeatRequest& request) {
    return answer_one_group<wire::HeartbeatResponse>(
        call, request.group_id, [&](GroupCoordinator& coordinator, GroupContext context, Arena&) {
            return heartbeat_here(coordinator, request, context);
        });
}

Task<wire::LeaveGroupResponse> handle_leave_group(Call& call, const wire::LeaveGroupRequest& request) {
    return answer_one_group<wire::LeaveGroupResponse>(
        call, request.group_id, [&](GroupCoordinator& coordinator, GroupContext context, Arena& out) {
            return coordinator.leave(request, context, out);
        });
}

// ---- What can be seen and removed ------------------------------------------------------------------------

namespace {

using DescribeResponse = wire::DescribeGroupsResponse;

Task<DescribeResponse::Group> describe_here(const GroupCoordinator& coordinator, std::string_view group,
                                            GroupContext context, Arena& out) {
    co_return coordinator.describe(group, context, out);
}

Task<> describe_one(Call& call, std::string_view group, DescribeResponse::Group& answer) {
    Arena out;
    auto calling = call_group<DescribeResponse::Group>(
        call, group, out,
        [&](GroupCoordinator& coordinator, GroupContext context, Arena& arena) {
            return describe_here(coordinator, group, context, arena);
        },
        [&](Error error) {
            return DescribeResponse::Group{
                .error_code = error, .error_message = {}, .group_id = group, .members = {}};
        });
    answer = co_await calling;
    call.hold_arena(std::move(out));
}

struct Listed {
    Arena arena;
    Error error = Error::none;
    std::vector<wire::ListGroupsResponse::Group> groups;
};

// All groups of one shard.
Task<bool> list_here(Shard& home, const wire::ListGroupsRequest& request, Listed& listed) {
    for (const auto& [partition, host] : home.group_hosts()) {
        const auto list = host->coordinator().list(request, listed.arena);
        if (list.error_code != Error::none) listed.error = list.error_code;
        listed.groups.insert(listed.groups.end(), list.groups.begin(), list.groups.end());
    }
    co_return true;
}

Task<> delete_one(Call& call, std::string_view group, wire::DeleteGroupsResponse::Result& answer) {
    Arena out;
    auto calling = call_group<Error>(
        call, group, out,
        [&](GroupCoordinator& coordinator, GroupContext context, Arena&) {
            return coordinator.delete_group(group, context);
        },
        [](Error error) { return error; });
    const Error error = co_await calling;
    answer = {.group_id = group, .error_code = error};
}

}  // namespace

Task<DescribeResponse> handle_describe_groups(Call& call, const wire::DescribeGroupsRequest& request) {
    DescribeResponse response;
    response.groups = call.arena.make<DescribeResponse::Group>(request.groups.size());
    std::vector<Task<>> descriptions;
    for (size_t i = 0; i < request.groups.size(); i++)
        descriptions.push_back(describe_one(call, request.groups[i], response.groups[i]));
    co_await gather(std::move(descriptions));
    if (request.include_authorized_operations)
        for (auto& group : response.groups) group.authorized_operations = all_group_operations;
    co_return response;
}

Task<wire::ListGroupsResponse> handle_list_groups(Call& call, const wire::ListGroupsRequest& request) {
    std::vector<Listed> listed(call.shard.node().shard_count());
    std::vector<Task<bool>> listings;
    for (uint16_t i = 0; i < listed.size(); i++)
        listings.push_back(call.shard.on<bool>(ShardId{i}, [&request, &mine = listed[i]](Shard& home) {
            return list_here(home, request, mine);
        }));
    co_await gather(std::move(listings));
    wire::ListGroupsResponse response;
    size_t count = 0;
    for (const Listed& mine : listed) count += mine.groups.size();
    response.groups = call.arena.make<wire::ListGroupsResponse::Group>(count);
    auto place = response.groups.begin();
    for (Listed& mine : listed) {
        if (mine.error != Error::none) response.error_code = mine.error;
        place = std::copy(mine.groups.begin(), mine.groups.end(), place);
        call.hold_arena(std::move(mine.arena));
    }
    co_return response;
}

Task<wire::DeleteGroupsResponse> handle_delete_groups(Call& call, const wire::DeleteGroupsRequest& request) {
    wire::DeleteGroupsResponse response;
    response.results = call.arena.make<wire::DeleteGroupsResponse::Result>(request.groups_names.size());
    std::vector<Task<>> deletions;
    for (size_t i = 0; i < request.groups_names.size(); i++)
        deletions.push_back(delete_one(call, request.groups_names[i], response.results[i]));
    co_await gather(std::move(deletions));
    co_return response;
}

}  // namespace millrace
