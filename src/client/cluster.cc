// A client's view of a cluster: its brokers, connections to them, and what metadata said last.
#include "millrace/address.h"
#include "millrace/client.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/list_offsets.h"

namespace millrace::client {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;

TopicInfo topic_of(const wire::MetadataResponse::Topic& told) {
    TopicInfo topic{
        .name = std::string(told.name.value_or("")), .id = told.topic_id, .is_internal = told.is_internal};
    for (const auto& p : told.partitions)
        topic.partitions.push_back({.index = p.partition_index,
                                    .leader = p.leader_id,
                                    .leader_epoch = p.leader_epoch,
                                    .replicas = {p.replica_nodes.begin(), p.replica_nodes.end()},
                                    .isr = {p.isr_nodes.begin(), p.isr_nodes.end()},
                                    .error = p.error_code});
    std::ranges::sort(topic.partitions, {}, &PartitionInfo::index);
    return topic;
}

}  // namespace

Client::Client(Io& io, ClientOptions options) : io_(io), options_(std::move(options)) {}
Client::~Client() = default;

Task<> Client::close() {
    for (auto& [address, connection] : connections_) broken_.push_back(std::move(connection));
    connections_.clear();
    while (!broken_.empty()) {
        const std::unique_ptr<ClientConnection> connection = std::move(broken_.back());
        broken_.pop_back();
        co_await connection->close();
    }
}

// ---- Connections ---------------------------------------------------------------------------------------

Task<Result<ClientConnection*>> Client::open(std::string address) {
    if (const auto found = connections_.find(address); found != connections_.end()) {
        if (found->second->is_open()) co_return found->second.get();
        broken_.push_back(std::move(found->second));
        connections_.erase(found);
    }
    while (!broken_.empty()) {
        const std::unique_ptr<ClientConnection> connection = std::move(broken_.back());
        broken_.pop_back();
        co_await connection->close();
    }
    auto fresh = std::make_unique<ClientConnection>(io_, options_.connection);
    const Result<> opened = co_await fresh->open(address);
    if (!opened) {
        failure_ = fresh->failure();
        co_await fresh->close();
        co_return opened.error();
    }
    auto& place = connections_[address];
    if (place) broken_.push_back(std::move(place));  // Another one opened it meanwhile.
    place = std::move(fresh);
    co_return place.get();
}

Task<Result<ClientConnection*>> Client::any() {
    for (const auto& [address, connection] : connections_)
        if (connection->is_open()) co_return connection.get();
    std::vector<std::string> addresses = options_.seeds;
    for (const auto& [id, broker] : brokers_) addresses.push_back(broker.address);
    Error error = Error::network_exception;
    std::string failures;
    for (const std::string& address : addresses) {
        const Result<ClientConnection*> opened = co_await open(address);
        if (opened) co_return opened;
        error = opened.error();
        if (failures.find(failure_) == std::string::npos)
            failures += (failures.empty() ? "" : "; ") + failure_;
    }
    failure_ = failures;
    co_return error;
}

Task<Result<ClientConnection*>> Client::node(int32_t id) {
    if (brokers_.empty()) {
        const Result<> known = co_await refresh({"__consumer_offsets"});
        if (!known && brokers_.empty()) co_return known.error();
    }
    const auto found = brokers_.find(id);
    if (found == brokers_.end()) co_return Error::leader_not_available;
    const std::string address = found->second.address;
    co_return co_await open(address);
}

Task<Result<ClientConnection*>> Client::leader(std::string topic_name, int32_t partition) {
    const TopicInfo* info = topic(topic_name);
    if (!info || partition < 0 || static_cast<size_t>(partition) >= info->partitions.size())
        co_return Error::unknown_topic_or_partition;
    const int32_t id = info->partitions[static_cast<size_t>(partition)].leader;
    if (id < 0) co_return Error::leader_not_available;
    co_return co_await node(id);
}

Task<Result<ClientConnection*>> Client::coordinator(std::string group) {
    if (const auto known = coordinators_.find(group); known != coordinators_.end()) {
        const std::string address = known->second;
        co_return co_await open(address);
    }
    const uint64_t deadline = io_.now_ns() + options_.retry_ms * ns_per_ms;
    for (;;) {
        const Result<ClientConnection*> connection = co_await any();
        if (!connection) co_return connection.error();
        wire::String key = group;
        const wire::FindCoordinatorRequest request{.key = group, .coordinator_keys = {&key, 1}};
        Task<Result<Reply<wire::FindCoordinatorResponse>>> asking =
            (*connection)->call<wire::FindCoordinatorResponse>(request);
        const auto reply = co_await asking;
        if (!reply) co_return reply.error();
        const wire::FindCoordinatorResponse& answer = **reply;
        const bool listed = !answer.coordinators.empty();
        const Error error = listed ? answer.coordinators[0].error_code : answer.error_code;
        if (error == Error::none) {
            const std::string address =
                listed ? host_port_text(answer.coordinators[0].host, answer.coordinators[0].port)
                       : host_port_text(answer.host, answer.port);
            coordinators_[group] = address;
            co_return co_await open(address);
        }
        if (!is_retriable(error) || io_.now_ns() >= deadline) co_return error;
        co_await sleep_for(io_, options_.backoff_ms * ns_per_ms);
    }
}

void Client::forget_coordinator(std::string_view group) {
    if (const auto found = coordinators_.find(group); found != coordinators_.end())
        coordinators_.erase(found);
}

// ---- Metadata ------------------------------------------------------------------------------------------

const TopicInfo* Client::topic(std::string_view name) const {
    const auto found = topics_.find(name);
    return found == topics_.end() ? nullptr : &found->second;
}

void Client::take_metadata(const wire::MetadataResponse& told) {
    brokers_.clear();
    for (const auto& broker : told.brokers)
        brokers_[broker.node_id] = {.id = broker.node_id,
                                    .address = host_port_text(broker.host, broker.port),
                                    .rack = std::string(broker.rack.value_or(""))};
    cluster_id_ = told.cluster_id.value_or("");
    controller_ = told.controller_id;
    for (const auto& topic : told.topics) {
        const std::string name(topic.name.value_or(""));
        if (topic.error_code == Error::none)
            topics_[name] = topic_of(topic);
        else
            topics_.erase(name);
    }
}

Task<Result<>> Client::refresh(std::vector<std::string> names, AutoCreate auto_create) {
    const Result<ClientConnection*> connection = co_await any();
    if (!connection) co_return connection.error();
    std::vector<wire::MetadataRequest::Topic> topics;
    for (const std::string& name : names) topics.push_back({.name = std::string_view(name)});
    wire::MetadataRequest request{.allow_auto_topic_creation = auto_create == AutoCreate::yes};
    request.topics = std::span(topics);
    if (names.empty()) request.topics.reset();
    Task<Result<Reply<wire::MetadataResponse>>> asking = (*connection)->call<wire::MetadataResponse>(request);
    const auto reply = co_await asking;
    if (!reply) {
        failure_ = "no answer to metadata";
        co_return reply.error();
    }
    if (names.empty()) topics_.clear();
    take_metadata(**reply);
    for (const auto& topic : (*reply)->topics)
        if (!names.empty() && topic.error_code != Error::none) co_return topic.error_code;
    co_return Result<>{};
}

Task<Result<>> Client::ready(std::string name, AutoCreate auto_create) {
    const uint64_t deadline = io_.now_ns() + options_.retry_ms * ns_per_ms;
    for (;;) {
        Result<> known = co_await refresh({name}, auto_create);
        const TopicInfo* info = topic(name);
        if (known && info && !info->partitions.empty() &&
            std::ranges::all_of(info->partitions, [](const PartitionInfo& p) { return p.leader >= 0; }))
            co_return Result<>{};
        const Error error = known ? Error::leader_not_available : known.error();
        // A topic that nobody is to create will not come by waiting.
        const bool hopeless = error == Error::unknown_topic_or_partition && auto_create == AutoCreate::no;
        if (hopeless || !is_retriable(error) || io_.now_ns() >= deadline) co_return error;
        if (error == Error::network_exception && brokers_.empty()) co_return error;  // Nobody was ever there.
        co_await sleep_for(io_, options_.backoff_ms * ns_per_ms);
    }
}

Task<Result<int64_t>> Client::list_offset(std::string name, int32_t partition, int64_t timestamp) {
    const uint64_t deadline = io_.now_ns() + options_.retry_ms * ns_per_ms;
    for (;;) {
        Error error = Error::none;
        const Result<ClientConnection*> connection = co_await leader(name, partition);
        if (connection) {
            wire::ListOffsetsRequest::Partition asked{.partition_index = partition, .timestamp = timestamp};
            wire::ListOffsetsRequest::Topic asked_topic{.name = name, .partitions = {&asked, 1}};
            const wire::ListOffsetsRequest request{
                .replica_id = -1, .topics = {&asked_topic, 1}, .timeout_ms = 30000};
            Task<Result<Reply<wire::ListOffsetsResponse>>> asking =
                (*connection)->call<wire::ListOffsetsResponse>(request);
            const auto reply = co_await asking;
            if (!reply) {
                error = reply.error();
            } else if ((*reply)->topics.size() != 1 || (*reply)->topics[0].partitions.size() != 1) {
                co_return Error::unknown_server_error;
            } else {
                const auto& told = (*reply)->topics[0].partitions[0];
                if (told.error_code == Error::none) co_return told.offset;
                error = told.error_code;
            }
        } else {
            error = connection.error();
        }
        if (!is_retriable(error) || io_.now_ns() >= deadline) co_return error;
        co_await sleep_for(io_, options_.backoff_ms * ns_per_ms);
        const Result<> refreshed = co_await refresh({name});
        if (!refreshed && !is_retriable(refreshed.error())) co_return refreshed.error();
    }
}

}  // namespace millrace::client
