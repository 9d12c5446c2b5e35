// Judging changes of configs (KIP-339): each resource as a whole, or not at all.
#include <charconv>

#include <fmt/format.h>

#include "millrace/wire/topic_records.h"
#include "plan.h"

namespace millrace {
namespace {

AdminOutcome invalid_request(std::string message) { return {Error::invalid_request, std::move(message)}; }

AdminOutcome refuse_kind(ConfigKind kind) {
    switch (kind) {
        case ConfigKind::client_metrics:
        case ConfigKind::group:
            return invalid_request(fmt::format("Unexpected resource type {}.",
                                               kind == ConfigKind::group ? "GROUP" : "CLIENT_METRICS"));
        default: return invalid_request(fmt::format("Unknown resource type {}", static_cast<int>(kind)));
    }
}

AdminOutcome judge_broker(const MetadataState& state, std::string_view name) {
    if (name.empty()) return {};  // The cluster-wide default.
    int32_t id = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc{} || end != name.data() + name.size())
        return invalid_request(fmt::format("Node id must be an integer, but it is: {}", name));
    if (!state.broker(NodeId{id}))
        return {Error::broker_id_not_registered, fmt::format("No node with id {} found.", id)};
    return {};
}

AdminOutcome judge_resource(const MetadataState& state, const ResourceChange& resource) {
    if (resource.kind == ConfigKind::broker) return judge_broker(state, resource.name);
    if (resource.kind != ConfigKind::topic) return refuse_kind(resource.kind);
    if (std::string why = check_topic_name(resource.name); !why.empty())
        return {Error::invalid_topic_exception, std::move(why)};
    if (!state.topic(resource.name))
        return {Error::unknown_topic_or_partition,
                fmt::format("The topic '{}' does not exist.", resource.name)};
    return {};
}

AdminOutcome judge_keys(std::span<const ConfigChange> changes) {
    std::set<std::string_view> keys;
    std::string nulls;
    for (const ConfigChange& change : changes) {
        if (change.operation < AlterOperation::set ||
            change.operation > AlterOperation::subtract)  // A number that nobody has given a meaning.
            return invalid_request(
                fmt::format("Unknown operation {} for {}", static_cast<int>(change.operation), change.name));
        if (!keys.insert(change.name).second) return invalid_request("Error due to duplicate config keys");
        if (change.operation != AlterOperation::remove && !change.value)
            nulls += (nulls.empty() ? "" : ", ") + change.name;
    }
    if (!nulls.empty()) return invalid_request("Null value not supported for : " + nulls);
    return {};
}

AdminOutcome refused_by(std::optional<ConfigRefusal> refusal) {
    if (!refusal) return {};
    return {refusal->error, std::move(refusal->message)};
}

// What the resource would have in the end.
AdminOutcome apply_changes(const ResourceChange& resource, ConfigMap& configs) {
    const auto scope = resource.kind == ConfigKind::topic ? ConfigScope::topic : ConfigScope::broker;
    for (const ConfigChange& change : resource.changes) {
        Alteration alteration{.operation = change.operation, .name = change.name, .value = {}};
        if (change.value) alteration.value = *change.value;
        if (AdminOutcome judged = refused_by(alter_config(scope, configs, alteration)); !judged.ok())
            return judged;
    }
    if (scope == ConfigScope::topic) return refused_by(check_topic_config(configs));
    return refused_by(
        check_dynamic_config(configs, fmt::format("ConfigResource(type=BROKER, name='{}')", resource.name)));
}

void add_differences(MetadataRecords& records, const ResourceChange& resource, const ConfigMap& before,
                     const ConfigMap& after) {
    wire::ConfigRecord record{.resource_type = static_cast<int8_t>(resource.kind),
                              .resource_name = resource.name};
    for (const auto& [name, value] : before) {
        if (after.contains(name)) continue;
        record.name = name, record.value = {};
        add_record(records, record, 0);
    }
    for (const auto& [name, value] : after) {
        if (const auto old = before.find(name); old != before.end() && old->second == value) continue;
        record.name = name, record.value = value;
        add_record(records, record, 0);
    }
}

AdminOutcome judge(const MetadataState& state, const ResourceChange& resource, MetadataRecords& records) {
    if (AdminOutcome judged = judge_keys(resource.changes); !judged.ok()) return judged;
    if (AdminOutcome judged = judge_resource(state, resource); !judged.ok()) return judged;
    const ConfigMap& before = state.configs(resource.kind, resource.name);
    ConfigMap after = before;
    if (AdminOutcome judged = apply_changes(resource, after); !judged.ok()) return judged;
    add_differences(records, resource, before, after);
    return {};
}

}  // namespace

Plan<AdminOutcome> plan_configs(const MetadataState& state, std::span<const ResourceChange> changes) {
    std::map<std::pair<ConfigKind, std::string_view>, int> asked;
    for (const ResourceChange& resource : changes) asked[{resource.kind, resource.name}]++;
    Plan<AdminOutcome> plan;
    for (const ResourceChange& resource : changes)
        plan.outcomes.push_back(asked.at({resource.kind, resource.name}) > 1
                                    ? invalid_request("Each resource must appear at most once.")
                                    : judge(state, resource, plan.records));
    return plan;
}

}  // namespace millrace
