// Administration: topics, their configuration, groups.
#include "millrace/client.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/delete_topics.h"
#include "millrace/wire/describe_configs.h"
#include "millrace/wire/describe_groups.h"
#include "millrace/wire/list_groups.h"

namespace millrace::client {

namespace {

constexpr int32_t timeout_ms = 30000;
constexpr int8_t topic_resource = 2;

AdminOutcome outcome_of(Error error, const wire::Nullable<wire::String>& message) {
    return {error, std::string(message.value_or(""))};
}

}  // namespace

Task<CreatedTopic> create_topic(Client& client, NewTopic topic, ValidateOnly validate_only) {
    std::vector<wire::CreateTopicsRequest::Config> configs;
    for (const auto& [name, value] : topic.configs)
        configs.push_back({.name = name, .value = std::string_view(value)});
    wire::CreateTopicsRequest::Topic asked{.name = topic.name,
                                           .num_partitions = topic.partitions,
                                           .replication_factor = topic.replication_factor,
                                           .configs = std::span(configs)};
    const wire::CreateTopicsRequest request{
        .topics = {&asked, 1}, .timeout_ms = timeout_ms, .validate_only = validate_only == ValidateOnly::yes};
    const auto reply = co_await client.ask_controller<wire::CreateTopicsResponse>(request);
    if (!reply) co_return CreatedTopic{.outcome = {reply.error(), client.failure()}};
    if ((*reply)->topics.size() != 1) co_return CreatedTopic{.outcome = {Error::unknown_server_error, ""}};
    const auto& told = (*reply)->topics[0];
    co_return CreatedTopic{.outcome = outcome_of(told.error_code, told.error_message),
                           .partitions = told.num_partitions,
                           .replication_factor = told.replication_factor};
}

Task<AdminOutcome> delete_topic(Client& client, std::string name) {
    wire::DeleteTopicsRequest::Topic asked{.name = std::string_view(name)};
    wire::String asked_name = name;
    const wire::DeleteTopicsRequest request{
        .topics = {&asked, 1}, .topic_names = {&asked_name, 1}, .timeout_ms = timeout_ms};
    const auto reply = co_await client.ask_controller<wire::DeleteTopicsResponse>(request);
    if (!reply) co_return AdminOutcome{reply.error(), client.failure()};
    if ((*reply)->responses.size() != 1) co_return AdminOutcome{Error::unknown_server_error, ""};
    const auto& told = (*reply)->responses[0];
    co_return outcome_of(told.error_code, told.error_message);
}

Task<Result<std::vector<DescribedConfig>>> topic_configs(Client& client, std::string name) {
    wire::DescribeConfigsRequest::Resource asked{.resource_type = topic_resource, .resource_name = name};
    asked.configuration_keys.reset();
    const wire::DescribeConfigsRequest request{.resources = {&asked, 1}};
    const auto reply = co_await client.ask_any<wire::DescribeConfigsResponse>(request);
    if (!reply) co_return reply.error();
    if ((*reply)->results.size() != 1) co_return Error::unknown_server_error;
    const auto& told = (*reply)->results[0];
    if (told.error_code != Error::none) co_return told.error_code;
    std::vector<DescribedConfig> configs;
    for (const auto& config : told.configs) {
        DescribedConfig described{.name = std::string(config.name), .source = config.config_source};
        if (config.value) described.value = std::string(*config.value);
        configs.push_back(std::move(described));
    }
    std::ranges::sort(configs, {}, &DescribedConfig::name);
    co_return configs;
}

Task<Result<std::vector<ListedGroup>>> list_groups(Client& client) {
    const Result<> known = co_await client.refresh({});
    if (!known) co_return known.error();
    std::vector<int32_t> nodes;
    for (const auto& [id, broker] : client.brokers()) nodes.push_back(id);
    std::vector<ListedGroup> groups;
    for (int32_t id : nodes) {
        const Result<ClientConnection*> connection = co_await client.node(id);
        if (!connection) co_return connection.error();
        Task<Result<Reply<wire::ListGroupsResponse>>> asking =
            (*connection)->call<wire::ListGroupsResponse>(wire::ListGroupsRequest{});
        const auto reply = co_await asking;
        if (!reply) co_return reply.error();
        if ((*reply)->error_code != Error::none) co_return (*reply)->error_code;
        for (const auto& group : (*reply)->groups)
            groups.push_back({std::string(group.group_id), std::string(group.protocol_type),
                              std::string(group.group_state), std::string(group.group_type)});
    }
    std::ranges::sort(groups, {}, &ListedGroup::group);
    co_return groups;
}

Task<DescribedGroup> describe_group(Client& client, std::string group) {
    wire::String asked = group;
    const wire::DescribeGroupsRequest request{.groups = {&asked, 1}};
    const auto reply = co_await client.ask_coordinator<wire::DescribeGroupsResponse>(group, request);
    if (!reply) co_return DescribedGroup{.outcome = {reply.error(), client.failure()}};
    if ((*reply)->groups.size() != 1) co_return DescribedGroup{.outcome = {Error::unknown_server_error, ""}};
    const auto& told = (*reply)->groups[0];
    DescribedGroup described{.outcome = outcome_of(told.error_code, told.error_message),
                             .state = std::string(told.group_state),
                             .protocol_type = std::string(told.protocol_type),
                             .protocol = std::string(told.protocol_data)};
    for (const auto& member : told.members) {
        DescribedMember one{.id = std::string(member.member_id),
                            .client_id = std::string(member.client_id),
                            .host = std::string(member.client_host),
                            .assignment = parse_assignment(member.member_assignment)};
        if (member.group_instance_id) one.instance_id = std::string(*member.group_instance_id);
        described.members.push_back(std::move(one));
    }
    co_return described;
}

}  // namespace millrace::client
