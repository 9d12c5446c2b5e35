// DescribeConfigs and IncrementalAlterConfigs (KIP-133, KIP-339): of topics, of this broker, of the cluster.
#include <charconv>

#include "endpoints.h"
#include "handlers.h"

namespace millrace {
namespace {

using Request = wire::DescribeConfigsRequest;
using Response = wire::DescribeConfigsResponse;

Response::Config tell_entry(Arena& arena, const ConfigEntry& entry, const Request& request) {
    Response::Config told{.name = arena.copy(entry.name),
                          .value = {},
                          .read_only = entry.read_only,
                          .config_source = static_cast<int8_t>(entry.source),
                          .is_sensitive = entry.sensitive,
                          .synonyms = {},
                          .config_type = static_cast<int8_t>(entry.type),
                          .documentation = {}};
    if (entry.value) told.value = arena.copy(*entry.value);
    if (request.include_documentation) told.documentation = entry.documentation;
    if (!request.include_synonyms) return told;
    told.synonyms = arena.make<Response::Synonym>(entry.synonyms.size());
    for (size_t i = 0; i < entry.synonyms.size(); i++) {
        const ConfigSynonym& synonym = entry.synonyms[i];
        told.synonyms[i] = {
            .name = arena.copy(synonym.name), .value = {}, .source = static_cast<int8_t>(synonym.source)};
        if (synonym.value) told.synonyms[i].value = arena.copy(*synonym.value);
    }
    return told;
}

struct Described {
    Error error = Error::none;
    std::string message;
    std::vector<ConfigEntry> entries;
};

Described describe_topic(const Call& call, std::string_view name) {
    if (std::string why = check_topic_name(name); !why.empty())
        return {.error = Error::invalid_topic_exception, .message = std::move(why), .entries = {}};
    const TopicInfo* topic = call.shard.metadata().topic(name);
    if (!topic) return {.error = Error::unknown_topic_or_partition, .message = {}, .entries = {}};
    return {.message = {}, .entries = describe_topic_config(call.shard.config_layers(), topic->configs)};
}

std::optional<int32_t> number_of(std::string_view text) {
    int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

// The node's, or one of its shards'.
bool is_own_id(const Call& call, std::string_view name) {
    const auto id = number_of(name);
    return id && node_of(call, *id) == call.shard.node().id();
}

Described describe_broker(const Call& call, std::string_view name) {
    const ConfigLayers layers = call.shard.config_layers();
    if (name.empty()) return {.message = {}, .entries = describe_cluster_default(layers.dynamic_default)};
    const std::string own = std::to_string(call.shard.node().id().value);
    if (is_own_id(call, name)) return {.message = {}, .entries = describe_broker_config(layers)};
    std::string message = number_of(name) ? "Unexpected broker id, expected " + own +
                                                " or empty string, but received " + std::string(name)
                                          : "Broker id must be an integer, but it is: " + std::string(name);
    return {.error = Error::invalid_request, .message = std::move(message), .entries = {}};
}

Described describe(const Call& call, const Request::Resource& resource) {
    switch (static_cast<ConfigKind>(resource.resource_type)) {
        case ConfigKind::topic: return describe_topic(call, resource.resource_name);
        case ConfigKind::broker: return describe_broker(call, resource.resource_name);
        case ConfigKind::group:
            if (resource.resource_name.empty()) break;
            return {.message = {}, .entries = describe_group_config(call.shard.config_layers())};
        case ConfigKind::client_metrics: break;
    }
    return {.error = Error::invalid_request,
            .message = "Unsupported resource type: " + std::to_string(resource.resource_type),
            .entries = {}};
}

bool is_wanted(const Request::Resource& resource, std::string_view name) {
    if (!resource.configuration_keys || resource.configuration_keys->empty()) return true;
    return std::find(resource.configuration_keys->begin(), resource.configuration_keys->end(), name) !=
           resource.configuration_keys->end();
}

Response::Result answer(Call& call, const Request& request, const Request::Resource& resource) {
    const Described described = describe(call, resource);
    Response::Result result{.error_code = described.error,
                            .error_message = "",  // Never null: Kafka leaves it empty.
                            .resource_type = resource.resource_type,
                            .resource_name = resource.resource_name,
                            .configs = {}};
    if (!described.message.empty()) result.error_message = call.arena.copy(described.message);
    result.configs = call.arena.make<Response::Config>(described.entries.size());
    size_t count = 0;
    for (const ConfigEntry& entry : described.entries)
        if (is_wanted(resource, entry.name)) result.configs[count++] = tell_entry(call.arena, entry, request);
    result.configs = result.configs.first(count);
    return result;
}

}  // namespace

Task<Response> handle_describe_configs(Call& call, const Request& request) {
    Response response;
    response.results = call.arena.make<Response::Result>(request.resources.size());
    for (size_t i = 0; i < request.resources.size(); i++)
        response.results[i] = answer(call, request, request.resources[i]);
    co_return response;
}

// ---- IncrementalAlterConfigs -----------------------------------------------------------------------------

namespace {

using AlterRequest = wire::IncrementalAlterConfigsRequest;
using AlterResponse = wire::IncrementalAlterConfigsResponse;

ResourceChange change_of(const Call& call, const AlterRequest::Resource& resource) {
    ResourceChange change{.kind = static_cast<ConfigKind>(resource.resource_type),
                          .name = std::string(resource.resource_name),
                          .changes = {}};
    if (change.kind == ConfigKind::broker && is_own_id(call, change.name))
        change.name = std::to_string(call.shard.node().id().value);
    for (const auto& config : resource.configs)
        change.changes.push_back(
            {.operation = static_cast<AlterOperation>(config.config_operation),
             .name = std::string(config.name),
             .value = config.value ? std::optional(std::string(*config.value)) : std::nullopt});
    return change;
}

Task<std::vector<AdminOutcome>> alter_on_zero(Shard& zero, std::vector<ResourceChange> changes,
                                              Effect effect) {
    auto altering = zero.controller().alter_configs(std::move(changes), effect);
    auto outcomes = co_await altering;
    co_await zero.settled();
    co_return outcomes;
}

}  // namespace

Task<AlterResponse> handle_incremental_alter_configs(Call& call, const AlterRequest& request) {
    std::vector<ResourceChange> changes;
    for (const auto& resource : request.resources) changes.push_back(change_of(call, resource));
    const Effect effect = request.validate_only ? Effect::validate_only : Effect::commit;
    auto altering = call.shard.on<std::vector<AdminOutcome>>(ShardId{0}, [&changes, effect](Shard& zero) {
        return alter_on_zero(zero, std::move(changes), effect);
    });
    const auto outcomes = co_await altering;
    ASSERT(outcomes.size() == request.resources.size());
    AlterResponse response;
    response.responses = call.arena.make<AlterResponse::Resource>(outcomes.size());
    for (size_t i = 0; i < outcomes.size(); i++) {
        response.responses[i] = {.error_code = outcomes[i].error,
                                 .error_message = {},
                                 .resource_type = request.resources[i].resource_type,
                                 .resource_name = request.resources[i].resource_name};
        if (outcomes[i].message) response.responses[i].error_message = call.arena.copy(*outcomes[i].message);
    }
    co_return response;
}

}  // namespace millrace
