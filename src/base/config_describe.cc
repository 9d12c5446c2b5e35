// What DescribeConfigs shows: every entry with its value, source and synonyms, as Kafka's brokers do.
#include "config_layers.h"

namespace millrace {

namespace {

std::optional<std::string> shown(const ConfigKey& key, std::string_view value) {
    if (key.is_sensitive()) return std::nullopt;
    return std::string(value);
}

// Appends those of `names` that one layer sets.
template <class Lookup>
void add_layer(std::vector<ConfigSynonym>& synonyms, std::span<const std::string_view> names,
               ConfigSource source, Lookup lookup) {
    for (std::string_view name : names) {
        const std::optional<std::string_view> value = lookup(name);
        const ConfigKey* key = find_broker_key(name);
        if (value && key) synonyms.push_back({std::string(name), shown(*key, *value), source});
    }
}

std::optional<std::string_view> lookup_in(const ConfigMap& map, std::string_view name) {
    const auto found = map.find(name);
    if (found == map.end()) return std::nullopt;
    return found->second;
}

// Strongest first. What stands before the first one of the primary name is left out, as Kafka does: with only
// log.retention.hours set, log.retention.ms has no synonyms.
std::vector<ConfigSynonym> broker_synonyms(const ConfigLayers& layers, std::string_view primary) {
    const std::vector<std::string_view> names = broker_names_with(primary);
    std::vector<ConfigSynonym> all;
    add_layer(all, names, ConfigSource::dynamic_broker,
              [&](std::string_view name) { return lookup_in(layers.dynamic_broker, name); });
    add_layer(all, names, ConfigSource::dynamic_default,
              [&](std::string_view name) { return lookup_in(layers.dynamic_default, name); });
    add_layer(all, names, ConfigSource::static_broker,
              [&](std::string_view name) { return static_value(layers.broker.settings, name); });
    add_layer(all, names, ConfigSource::default_value,
              [&](std::string_view name) { return find_broker_key(name)->default_value; });
    all.erase(all.begin(), std::ranges::find(all, primary, &ConfigSynonym::name));
    return all;
}

ConfigEntry entry(const ConfigKey& key, std::optional<std::string> value,
                  std::vector<ConfigSynonym> synonyms) {
    return {.name = std::string(key.name),
            .value = value && key.is_sensitive() ? std::nullopt : std::move(value),
            .read_only = !key.dynamic,
            .source = synonyms.empty() ? ConfigSource::default_value : synonyms.front().source,
            .sensitive = key.is_sensitive(),
            .type = key.type,
            .documentation = key.documentation,
            .synonyms = std::move(synonyms)};
}

ConfigEntry topic_entry(const ConfigLayers& layers, const ConfigMap& overrides, const ConfigKey& key) {
    std::vector<ConfigSynonym> synonyms;
    if (const auto override = lookup_in(overrides, key.name))
        synonyms.push_back({std::string(key.name), std::string(*override), ConfigSource::topic});
    if (const auto names = broker_synonyms_of(key.name); !names.empty())
        for (ConfigSynonym& below : broker_synonyms(layers, names.front()))
            synonyms.push_back(std::move(below));
    return entry(key, topic_value(layers, overrides, key), std::move(synonyms));
}

ConfigEntry broker_entry(const ConfigLayers& layers, const ConfigKey& key) {
    std::optional<std::string> value;
    if (const auto raw = broker_value(layers, key.name)) value = normal_config_value(key, *raw);
    return entry(key, std::move(value), broker_synonyms(layers, key.name));
}

// A group's settings fall back to the broker's `group.` keys, where there are such.
ConfigEntry group_entry(const ConfigLayers& layers, const ConfigKey& key) {
    const std::string broker_name = "group." + std::string(key.name);
    if (!find_broker_key(broker_name)) {
        const std::string value(*key.default_value);
        return entry(key, value, {{std::string(key.name), value, ConfigSource::default_value}});
    }
    std::optional<std::string> value;
    if (const auto raw = broker_value(layers, broker_name)) value = normal_config_value(key, *raw);
    return entry(key, std::move(value), broker_synonyms(layers, broker_name));
}

}  // namespace

std::vector<ConfigEntry> describe_topic_config(const ConfigLayers& layers, const ConfigMap& overrides) {
    std::vector<ConfigEntry> entries;
    for (const ConfigKey& key : topic_config_keys())
        if (!key.internal) entries.push_back(topic_entry(layers, overrides, key));
    return entries;
}

std::vector<ConfigEntry> describe_broker_config(const ConfigLayers& layers) {
    std::vector<ConfigEntry> entries;
    for (const ConfigKey& key : broker_config_keys())
        if (!key.internal) entries.push_back(broker_entry(layers, key));
    return entries;
}

std::vector<ConfigEntry> describe_cluster_default(const ConfigMap& dynamic_default) {
    std::vector<ConfigEntry> entries;
    for (const auto& [name, value] : dynamic_default) {
        const ConfigKey* key = find_broker_key(name);
        if (!key) continue;
        entries.push_back(entry(*key, normal_config_value(*key, value),
                                {{name, shown(*key, value), ConfigSource::dynamic_default}}));
    }
    return entries;
}

std::vector<ConfigEntry> describe_group_config(const ConfigLayers& layers) {
    std::vector<ConfigEntry> entries;
    for (const ConfigKey& key : group_config_keys()) entries.push_back(group_entry(layers, key));
    return entries;
}

}  // namespace millrace
