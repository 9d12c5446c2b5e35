// One member of a classic consumer group: join, sync, heartbeat, commit, leave; as leader it assigns ranges.
#include "millrace/client.h"
#include "millrace/wire/consumer_protocol.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/leave_group.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/sync_group.h"

namespace millrace::client {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;
constexpr int16_t protocol_version = 1;  // Of subscriptions and assignments: every client reads it.

std::vector<uint8_t> subscription(const std::vector<std::string>& topics) {
    std::vector<wire::String> names(topics.begin(), topics.end());
    wire::Writer out;
    wire::encode_record_value(out, wire::ConsumerProtocolSubscription{.topics = std::span(names)},
                              protocol_version);
    return out.copy();
}

std::vector<std::string> subscribed_topics(Bytes metadata) {
    const auto numbered = wire::parse_numbered(metadata);
    if (!numbered) return {};
    Arena memory;
    const int16_t version = std::min<int16_t>(numbered->number, 3);
    const auto told = wire::decode<wire::ConsumerProtocolSubscription>(numbered->body, version, memory);
    if (!told) return {};
    return {told->topics.begin(), told->topics.end()};
}

std::vector<uint8_t> assignment_bytes(const TopicPartitions& assigned) {
    std::vector<std::vector<int32_t>> partitions;
    for (const auto& [topic, list] : assigned) partitions.push_back(list);
    std::vector<wire::ConsumerProtocolAssignment::TopicPartition> topics;
    size_t i = 0;
    for (const auto& [topic, list] : assigned)
        topics.push_back({.topic = topic, .partitions = std::span(partitions[i++])});
    wire::Writer out;
    wire::encode_record_value(out, wire::ConsumerProtocolAssignment{.assigned_partitions = std::span(topics)},
                              protocol_version);
    return out.copy();
}

}  // namespace

TopicPartitions parse_assignment(Bytes bytes) {
    const auto numbered = wire::parse_numbered(bytes);
    if (!numbered) return {};
    Arena memory;
    const int16_t version = std::min<int16_t>(numbered->number, 3);
    const auto told = wire::decode<wire::ConsumerProtocolAssignment>(numbered->body, version, memory);
    TopicPartitions assigned;
    if (told)
        for (const auto& topic : told->assigned_partitions)
            assigned[std::string(topic.topic)].assign(topic.partitions.begin(), topic.partitions.end());
    return assigned;
}

std::map<std::string, TopicPartitions> assign_ranges(
    const std::map<std::string, std::vector<std::string>>& members,
    const std::map<std::string, int32_t>& partition_counts) {
    std::map<std::string, TopicPartitions> assigned;
    for (const auto& [member, topics] : members) assigned[member];
    for (const auto& [topic, count] : partition_counts) {
        std::vector<std::string> takers;
        for (const auto& [member, topics] : members)
            if (std::ranges::count(topics, topic) > 0) takers.push_back(member);
        int32_t next = 0;
        for (size_t i = 0; i < takers.size(); i++) {
            const auto shares = static_cast<int32_t>(takers.size());
            const int32_t size = count / shares + (static_cast<int32_t>(i) < count % shares ? 1 : 0);
            for (int32_t n = 0; n < size; n++) assigned[takers[i]][topic].push_back(next++);
        }
    }
    return assigned;
}

GroupMember::GroupMember(Client& client, GroupOptions options)
    : client_(client), options_(std::move(options)) {}

// Whether to ask again, after finding the coordinator anew where it moved.
bool GroupMember::is_over(Error error) {
    if (error == Error::not_coordinator || error == Error::coordinator_not_available ||
        error == Error::network_exception)
        client_.forget_coordinator(options_.group);
    if (error == Error::unknown_member_id) member_id_.clear();
    return !is_retriable(error) && error != Error::unknown_member_id &&
           error != Error::rebalance_in_progress && error != Error::illegal_generation &&
           error != Error::member_id_required;
}

Task<Result<TopicPartitions>> GroupMember::join() {
    const uint64_t patience_ms =
        client_.options().retry_ms + static_cast<uint64_t>(options_.rebalance_timeout_ms);
    const uint64_t deadline = client_.io().now_ns() + patience_ms * ns_per_ms;
    for (;;) {
        const Result<> entered = co_await enter();
        Error error = entered.error();
        if (entered) {
            Result<TopicPartitions> assigned = co_await synchronise();
            if (assigned) co_return assigned;
            error = assigned.error();
        }
        if (is_over(error) || client_.io().now_ns() >= deadline) co_return error;
        if (is_retriable(error)) co_await sleep_for(client_.io(), client_.options().backoff_ms * ns_per_ms);
    }
}

Task<Result<>> GroupMember::enter() {
    const std::vector<uint8_t> metadata = subscription(options_.topics);
    wire::JoinGroupRequest::Protocol protocol{.name = "range", .metadata = metadata};
    wire::JoinGroupRequest request{.group_id = options_.group,
                                   .session_timeout_ms = options_.session_timeout_ms,
                                   .rebalance_timeout_ms = options_.rebalance_timeout_ms,
                                   .member_id = member_id_,
                                   .protocol_type = "consumer",
                                   .protocols = {&protocol, 1}};
    if (options_.instance_id) request.group_instance_id = *options_.instance_id;
    const auto reply = co_await client_.ask_coordinator<wire::JoinGroupResponse>(options_.group, request);
    if (!reply) co_return reply.error();
    const wire::JoinGroupResponse& answer = **reply;
    if (answer.error_code == Error::member_id_required) member_id_ = answer.member_id;
    if (answer.error_code != Error::none) co_return answer.error_code;
    member_id_ = answer.member_id;
    leader_ = answer.leader;
    protocol_ = answer.protocol_name.value_or("range");
    generation_ = answer.generation_id;
    members_.clear();
    for (const auto& member : answer.members)
        members_[std::string(member.member_id)] = subscribed_topics(member.metadata);
    co_return Result<>{};
}

Task<Result<TopicPartitions>> GroupMember::synchronise() {
    std::map<std::string, std::vector<uint8_t>> encoded;
    if (is_leader()) {
        std::map<std::string, int32_t> counts;
        std::vector<std::string> topics;
        for (const auto& [member, wanted] : members_)
            topics.insert(topics.end(), wanted.begin(), wanted.end());
        std::ranges::sort(topics);
        topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
        const Result<> known = co_await client_.refresh(topics);
        if (!known && known.error() != Error::unknown_topic_or_partition) co_return known.error();
        for (const std::string& name : topics)
            if (const TopicInfo* topic = client_.topic(name))
                counts[name] = static_cast<int32_t>(topic->partitions.size());
        for (const auto& [member, assigned] : assign_ranges(members_, counts))
            encoded[member] = assignment_bytes(assigned);
    }
    std::vector<wire::SyncGroupRequest::Assignment> assignments;
    for (const auto& [member, bytes] : encoded)
        assignments.push_back({.member_id = member, .assignment = bytes});
    wire::SyncGroupRequest request{.group_id = options_.group,
                                   .generation_id = generation_,
                                   .member_id = member_id_,
                                   .protocol_type = "consumer",
                                   .protocol_name = std::string_view(protocol_),
                                   .assignments = std::span(assignments)};
    if (options_.instance_id) request.group_instance_id = *options_.instance_id;
    const auto reply = co_await client_.ask_coordinator<wire::SyncGroupResponse>(options_.group, request);
    if (!reply) co_return reply.error();
    if ((*reply)->error_code != Error::none) co_return (*reply)->error_code;
    co_return parse_assignment((*reply)->assignment);
}

Task<Result<>> GroupMember::heartbeat() {
    wire::HeartbeatRequest request{
        .group_id = options_.group, .generation_id = generation_, .member_id = member_id_};
    if (options_.instance_id) request.group_instance_id = *options_.instance_id;
    const auto reply = co_await client_.ask_coordinator<wire::HeartbeatResponse>(options_.group, request);
    const Error error = reply ? (*reply)->error_code : reply.error();
    if (error != Error::none) is_over(error);
    co_return error;
}

Task<Result<>> GroupMember::leave() {
    wire::LeaveGroupRequest::Member self{.member_id = member_id_};
    if (options_.instance_id) self.group_instance_id = *options_.instance_id;
    const wire::LeaveGroupRequest request{
        .group_id = options_.group, .member_id = member_id_, .members = {&self, 1}};
    const auto reply = co_await client_.ask_coordinator<wire::LeaveGroupResponse>(options_.group, request);
    if (!reply) co_return reply.error();
    member_id_.clear();
    generation_ = -1;
    co_return (*reply)->error_code;
}

Task<Result<>> GroupMember::commit(TopicOffsets offsets) {
    // The broker may want topic ids (OffsetCommit v10), which only metadata knows.
    std::vector<std::string> unknown;
    for (const auto& [name, partitions] : offsets)
        if (!client_.topic(name)) unknown.push_back(name);
    if (!unknown.empty()) {
        const Result<> known = co_await client_.refresh(unknown);
        if (!known) co_return known.error();
    }
    std::vector<std::vector<wire::OffsetCommitRequest::Partition>> partitions;
    for (const auto& [name, list] : offsets) {
        partitions.emplace_back();
        for (const auto& [index, offset] : list)
            partitions.back().push_back({.partition_index = index, .committed_offset = offset});
    }
    std::vector<wire::OffsetCommitRequest::Topic> topics;
    for (const auto& [name, list] : offsets) {
        const TopicInfo* topic = client_.topic(name);
        topics.push_back({.name = name,
                          .topic_id = topic ? topic->id : Uuid{},
                          .partitions = std::span(partitions[topics.size()])});
    }
    wire::OffsetCommitRequest request{.group_id = options_.group,
                                      .generation_id_or_member_epoch = generation_,
                                      .member_id = member_id_,
                                      .topics = std::span(topics)};
    if (options_.instance_id) request.group_instance_id = *options_.instance_id;
    const auto reply = co_await client_.ask_coordinator<wire::OffsetCommitResponse>(options_.group, request);
    if (!reply) co_return reply.error();
    for (const auto& topic : (*reply)->topics)
        for (const auto& partition : topic.partitions)
            if (partition.error_code != Error::none) co_return partition.error_code;
    co_return Result<>{};
}

Task<Result<TopicOffsets>> committed_offsets(Client& client, std::string group) {
    const Result<> known = co_await client.refresh({});  // For the names of topic ids.
    if (!known) co_return known.error();
    std::map<Uuid, std::string> names;
    for (const auto& [name, topic] : client.topics()) names[topic.id] = name;
    wire::OffsetFetchRequest::Group asked{.group_id = group};
    asked.topics.reset();
    wire::OffsetFetchRequest request{.group_id = group, .groups = {&asked, 1}};
    request.topics.reset();
    const auto reply = co_await client.ask_coordinator<wire::OffsetFetchResponse>(group, request);
    if (!reply) co_return reply.error();
    TopicOffsets offsets;
    if ((*reply)->error_code != Error::none) co_return (*reply)->error_code;
    for (const auto& told : (*reply)->groups) {
        if (told.error_code != Error::none) co_return told.error_code;
        for (const auto& topic : told.topics) {
            const std::string name = topic.name.empty() ? names[topic.topic_id] : std::string(topic.name);
            for (const auto& p : topic.partitions)
                if (p.committed_offset >= 0) offsets[name][p.partition_index] = p.committed_offset;
        }
    }
    for (const auto& topic : (*reply)->topics)
        for (const auto& p : topic.partitions)
            if (p.committed_offset >= 0)
                offsets[std::string(topic.name)][p.partition_index] = p.committed_offset;
    co_return offsets;
}

}  // namespace millrace::client
