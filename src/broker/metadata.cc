// Metadata, DescribeCluster, DescribeTopicPartitions: who is there, what exists, who leads it.
#include <set>

#include "endpoints.h"
#include "handlers.h"
#include "internal_topics.h"
#include "operations.h"

namespace millrace {
namespace {

using Request = wire::MetadataRequest;
using Response = wire::MetadataResponse;

template <class T> void list_brokers(Call& call, wire::List<T>& brokers, auto&& set_id) {
    const auto& known = call.shard.metadata().brokers();
    const uint16_t shards = shows_shards(call) ? call.shard.node().shard_count() : uint16_t{1};
    brokers = call.arena.make<T>(known.size() + shards - 1);
    size_t count = 0;
    const auto list = [&](const BrokerInfo& broker, ShardId shard, const Endpoint& endpoint) {
        T& told = brokers[count++];
        set_id(told, shown_id(call, broker.id, shard));
        told.host = call.arena.copy(endpoint.host);
        told.port = endpoint.port;
        if (broker.rack) told.rack = call.arena.copy(*broker.rack);
    };
    for (const auto& [id, broker] : known) {
        const bool is_own = id == call.shard.node().id();
        if (broker.fenced && !is_own) continue;
        if (!is_own) list(broker, ShardId{0}, endpoint_of(call, broker));
        for (uint16_t i = 0; is_own && i < shards; i++)
            list(broker, ShardId{i}, own_endpoint(call, ShardId{i}));
    }
    brokers = brokers.first(count);
}

wire::List<int32_t> node_list(Call& call, std::span<const NodeId> nodes, ShardId home) {
    const auto list = call.arena.make<int32_t>(nodes.size());
    std::transform(nodes.begin(), nodes.end(), list.begin(),
                   [&](NodeId id) { return shown_id(call, id, home); });
    return list;
}

template <class T> T tell_partition(Call& call, const PartitionInfo& partition, int32_t index) {
    const ShardId home = call.shard.home(partition.slot);
    T told;
    told.partition_index = index;
    told.leader_id = shown_id(call, partition.leader, home);
    told.leader_epoch = partition.leader_epoch.value;
    if (partition.leader == no_leader) told.error_code = Error::leader_not_available;
    told.replica_nodes = node_list(call, partition.replicas, home);
    told.isr_nodes = node_list(call, partition.isr, home);
    return told;
}

Response::Topic tell_topic(Call& call, const TopicInfo& topic, const Request& request) {
    Response::Topic told{.name = call.arena.copy(topic.name),
                         .topic_id = topic.id,
                         .is_internal = topic.is_internal(),
                         .partitions = {}};
    if (request.include_topic_authorized_operations) told.topic_authorized_operations = all_topic_operations;
    told.partitions = call.arena.make<Response::Partition>(topic.partitions.size());
    for (size_t i = 0; i < topic.partitions.size(); i++)
        told.partitions[i] =
            tell_partition<Response::Partition>(call, topic.partitions[i], static_cast<int32_t>(i));
    return told;
}

// A topic that has an id in the request is looked up by it, whatever its name there (KIP-516).
bool is_by_id(const Request::Topic& asked) { return !asked.name || asked.topic_id != Uuid{}; }

Response::Topic tell_missing(const Request::Topic& asked, Error error) {
    Response::Topic told{
        .error_code = error, .name = asked.name, .topic_id = asked.topic_id, .partitions = {}};
    if (is_by_id(asked)) told.name.reset();
    return told;
}

// The names asked for that do not exist and may be created now (KIP-204).
std::vector<NewTopic> topics_to_create(const Call& call, const Request& request) {
    std::vector<NewTopic> missing;
    const bool is_allowed = call.version() < 4 || request.allow_auto_topic_creation;
    if (!request.topics || !is_allowed || !call.shard.config().auto_create_topics) return missing;
    std::set<std::string_view> names;
    for (const auto& asked : *request.topics) {
        if (is_by_id(asked) || call.shard.metadata().topic(*asked.name)) continue;
        if (!check_topic_name(*asked.name).empty()) continue;
        if (names.insert(*asked.name).second) missing.push_back(auto_topic(call.shard.config(), *asked.name));
    }
    return missing;
}

Error why_missing(const Call& call, const Request::Topic& asked, const std::vector<TopicOutcome>& outcomes) {
    if (is_by_id(asked)) return Error::unknown_topic_id;
    if (call.version() >= 12 && asked.name->empty()) return Error::invalid_topic_exception;
    if (!check_topic_name(*asked.name).empty()) return Error::invalid_topic_exception;
    for (const TopicOutcome& outcome : outcomes)
        if (outcome.name == *asked.name && !outcome.ok()) return outcome.error;
    return Error::unknown_topic_or_partition;
}

void list_all_topics(Call& call, const Request& request, Response& response) {
    const auto& topics = call.shard.metadata().topics();
    response.topics = call.arena.make<Response::Topic>(topics.size());
    size_t count = 0;
    for (const auto& [name, topic] : topics) response.topics[count++] = tell_topic(call, topic, request);
}

void list_asked_topics(Call& call, const Request& request, const std::vector<TopicOutcome>& outcomes,
                       Response& response) {
    response.topics = call.arena.make<Response::Topic>(request.topics->size());
    size_t count = 0;
    std::set<std::string_view> told;
    for (const auto& asked : *request.topics) {
        if (!is_by_id(asked) && !told.insert(*asked.name).second) continue;  // Kafka answers a name once.
        const TopicInfo* topic = is_by_id(asked) ? call.shard.metadata().topic(asked.topic_id)
                                                 : call.shard.metadata().topic(*asked.name);
        response.topics[count++] = topic ? tell_topic(call, *topic, request)
                                         : tell_missing(asked, why_missing(call, asked, outcomes));
    }
    response.topics = response.topics.first(count);
}

}  // namespace

Task<Response> handle_metadata(Call& call, const Request& request) {
    // Version 0 says "all" by an empty list, later ones by null.
    const bool wants_all = !request.topics || (call.version() == 0 && request.topics->empty());
    std::vector<TopicOutcome> outcomes;
    if (std::vector<NewTopic> missing = topics_to_create(call, request); !missing.empty()) {
        auto ensuring = ensure_topics(call.shard, std::move(missing));
        outcomes = co_await ensuring;
    }
    Response response;
    list_brokers(call, response.brokers, [](Response::Broker& broker, int32_t id) { broker.node_id = id; });
    response.cluster_id = call.shard.node().cluster_id();
    response.controller_id = call.shard.node().id().value;
    if (request.include_cluster_authorized_operations)
        response.cluster_authorized_operations = all_cluster_operations;
    if (wants_all) {
        list_all_topics(call, request, response);
    } else {
        list_asked_topics(call, request, outcomes, response);
    }
    co_return response;
}

Task<wire::DescribeClusterResponse> handle_describe_cluster(Call& call,
                                                            const wire::DescribeClusterRequest& request) {
    using ClusterResponse = wire::DescribeClusterResponse;
    constexpr int8_t brokers = 1, controllers = 2;
    ClusterResponse response{.error_message = {}, .endpoint_type = brokers};
    response.cluster_id = call.shard.node().cluster_id();
    if (request.endpoint_type != brokers) {
        response.error_code = request.endpoint_type == controllers ? Error::mismatched_endpoint_type
                                                                   : Error::unsupported_endpoint_type;
        response.error_message =
            request.endpoint_type == controllers
                ? "The request was sent to an endpoint of type BROKER, but we wanted an "
                  "endpoint of type CONTROLLER"
                : call.arena.copy("Unsupported endpoint type " + std::to_string(request.endpoint_type));
        co_return response;
    }
    response.controller_id = call.shard.node().id().value;
    list_brokers(call, response.brokers,
                 [](ClusterResponse::Broker& broker, int32_t id) { broker.broker_id = id; });
    if (request.include_cluster_authorized_operations)
        response.cluster_authorized_operations = all_cluster_operations;
    co_return response;
}

// ---- DescribeTopicPartitions (KIP-966) -------------------------------------------------------------------

namespace {

using PagedRequest = wire::DescribeTopicPartitionsRequest;
using PagedResponse = wire::DescribeTopicPartitionsResponse;

// Sorted names, from the cursor's topic on; all topics when none is named.
std::set<std::string, std::less<>> names_to_tell(const Call& call, const PagedRequest& request) {
    std::set<std::string, std::less<>> names;
    const auto add = [&](std::string_view name) {
        if (!request.cursor || name >= request.cursor->topic_name) names.emplace(name);
    };
    for (const auto& topic : request.topics) add(topic.name);
    if (request.topics.empty())
        for (const auto& [name, topic] : call.shard.metadata().topics()) add(name);
    return names;
}

PagedResponse::Topic tell_page(Call& call, const TopicInfo& topic, int32_t first, int32_t count) {
    PagedResponse::Topic told{.name = call.arena.copy(topic.name),
                              .topic_id = topic.id,
                              .is_internal = topic.is_internal(),
                              .partitions = {}};
    told.topic_authorized_operations = all_topic_operations;
    told.partitions = call.arena.make<PagedResponse::Partition>(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; i++) {
        auto partition =
            tell_partition<PagedResponse::Partition>(call, topic.partitions[first + i], first + i);
        partition.eligible_leader_replicas = wire::List<int32_t>{};
        partition.last_known_elr = wire::List<int32_t>{};
        told.partitions[i] = partition;
    }
    return told;
}

}  // namespace

Task<PagedResponse> handle_describe_topic_partitions(Call& call, const PagedRequest& request) {
    PagedResponse response;
    int32_t left = std::clamp(request.response_partition_limit, 1,
                              std::max(1, call.shard.config().request_partitions_max));
    const auto names = names_to_tell(call, request);
    response.topics = call.arena.make<PagedResponse::Topic>(names.size());
    size_t count = 0;
    for (const std::string& name : names) {
        const TopicInfo* topic = call.shard.metadata().topic(name);
        const bool resumes = request.cursor && request.cursor->topic_name == name;
        const int32_t first = resumes ? std::max(request.cursor->partition_index, 0) : 0;
        if (!topic) {
            const Error error = check_topic_name(name).empty() ? Error::unknown_topic_or_partition
                                                               : Error::invalid_topic_exception;
            response.topics[count++] = {.error_code = error, .name = call.arena.copy(name), .partitions = {}};
            continue;
        }
        if (left == 0) {
            response.next_cursor =
                PagedResponse::Cursor{.topic_name = call.arena.copy(name), .partition_index = 0};
            break;
        }
        const int32_t told = std::clamp(topic->partition_count() - first, 0, left);
        response.topics[count++] = tell_page(call, *topic, std::min(first, topic->partition_count()), told);
        left -= told;
        if (first + told < topic->partition_count()) {
            response.next_cursor =
                PagedResponse::Cursor{.topic_name = call.arena.copy(name), .partition_index = first + told};
            break;
        }
    }
    response.topics = response.topics.first(count);
    co_return response;
}

}  // namespace millrace
