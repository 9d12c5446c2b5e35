// Changes to stored settings: what CreateTopics, AlterConfigs and IncrementalAlterConfigs may set, with
// Kafka's errors where they do not fit.
#include "config_layers.h"
#include "config_value.h"

namespace millrace {

namespace {

std::optional<ConfigRefusal> invalid_config(std::string message) {
    return ConfigRefusal{Error::invalid_config, std::move(message)};
}

int64_t number_or_default(const ConfigMap& overrides, std::string_view name) {
    const auto found = overrides.find(name);
    const std::string_view text =
        found != overrides.end() ? std::string_view(found->second) : *find_topic_key(name)->default_value;
    return parse_whole(ConfigType::int64, trim(text)).value_or(0);
}

std::optional<ConfigRefusal> check_one_topic_setting(std::string_view name, std::string_view value) {
    const ConfigKey* key = find_topic_key(name);
    if (!key) return invalid_config("Unknown topic config name: " + std::string(name));
    if (std::string message = check_config_value(*key, value); !message.empty())
        return invalid_config(message);
    const std::string normal = normal_config_value(*key, value);
    if (name == "remote.storage.enable" && normal == "true")
        return invalid_config(
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote "
            "log storage.");
    return std::nullopt;
}

std::optional<ConfigRefusal> check_agreement(const ConfigMap& overrides) {
    const int64_t least = number_or_default(overrides, "min.compaction.lag.ms");
    const int64_t most = number_or_default(overrides, "max.compaction.lag.ms");
    if (least <= most) return std::nullopt;
    return invalid_config("conflict topic config setting min.compaction.lag.ms (" + std::to_string(least) +
                          ") > max.compaction.lag.ms (" + std::to_string(most) + ")");
}

std::optional<ConfigRefusal> invalid_request(std::string_view resource, const std::string& reason) {
    return ConfigRefusal{Error::invalid_request,
                         "Invalid config value for resource " + std::string(resource) + ": " + reason};
}

// What would need the sockets or the process to be made anew.
bool is_fixed_here(std::string_view name) {
    return name == "listeners" || name == "listener.security.protocol.map";
}

const ConfigKey* find_key(ConfigScope scope, std::string_view name) {
    return scope == ConfigScope::topic ? find_topic_key(name) : find_broker_key(name);
}

std::string joined(std::span<const std::string> items) {
    std::string text;
    for (size_t i = 0; i < items.size(); i++) text.append(i == 0 ? "" : ",").append(items[i]);
    return text;
}

// The list that append and subtract start from.
std::vector<std::string> current_items(const ConfigMap& config, const ConfigKey& key) {
    const auto found = config.find(key.name);
    const std::string_view text =
        found != config.end() ? std::string_view(found->second) : key.default_value.value_or("");
    std::vector<std::string> items;
    for (std::string_view item : list_items(text)) items.emplace_back(item);
    return items;
}

void alter_list(ConfigMap& config, const ConfigKey& key, AlterOperation operation, std::string_view value) {
    std::vector<std::string> items = current_items(config, key);
    for (std::string_view item : list_items(value)) {
        const auto found = std::ranges::find(items, item);
        if (operation == AlterOperation::append && found == items.end()) items.emplace_back(item);
        if (operation == AlterOperation::subtract && found != items.end()) items.erase(found);
    }
    config[std::string(key.name)] = joined(items);
}

}  // namespace

std::optional<ConfigRefusal> check_topic_config(const ConfigMap& overrides) {
    for (const auto& [name, value] : overrides)
        if (auto refusal = check_one_topic_setting(name, value)) return refusal;
    return check_agreement(overrides);
}

std::string check_broker_setting(std::string_view name, std::string_view value) {
    const auto number = parse_whole(ConfigType::int64, trim(value));
    if (name.starts_with("log.retention.") && broker_names_with(name).size() > 1 && number &&
        (*number == 0 || *number < -1))
        return std::string(name) + " must be unlimited (-1) or, equal or greater than 1";
    if (name == "max.connections.per.ip" && number == 0)
        return "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property "
               "is "
               "set.";
    return {};
}

namespace {

// The names of all that only a restart changes, as Kafka lists them.
std::string fixed_names(const ConfigMap& settings) {
    std::string names;
    for (const auto& [name, value] : settings) {
        const ConfigKey* key = find_broker_key(name);
        if (key && (!key->dynamic || is_fixed_here(name)))
            names.append(names.empty() ? "" : ", ").append(name);
    }
    return names;
}

}  // namespace

std::optional<ConfigRefusal> check_dynamic_config(const ConfigMap& settings, std::string_view resource) {
    if (const std::string names = fixed_names(settings); !names.empty())
        return ConfigRefusal{Error::invalid_request,
                             "Cannot update these configs dynamically: [" + names + "]"};
    for (const auto& [name, value] : settings) {
        const ConfigKey* key = find_broker_key(name);
        if (!key) return invalid_request(resource, "Unknown config name: " + name);
        if (key->treatment == Treatment::refused)
            return invalid_request(resource, name + " is refused: " + std::string(key->documentation));
        if (const std::string message = check_config_value(*key, value); !message.empty())
            return invalid_request(resource, message);
        if (const std::string message = check_broker_setting(name, value); !message.empty())
            return invalid_request(resource, message);
    }
    return std::nullopt;
}

std::optional<ConfigRefusal> alter_config(ConfigScope scope, ConfigMap& config,
                                          const Alteration& alteration) {
    const std::string name(alteration.name);
    if (alteration.operation == AlterOperation::remove) {
        config.erase(name);
        return std::nullopt;
    }
    if (!alteration.value)
        return ConfigRefusal{Error::invalid_request, "Null value not supported for : " + name};
    if (alteration.operation == AlterOperation::set) {
        config[name] = std::string(*alteration.value);
        return std::nullopt;
    }
    const ConfigKey* key = find_key(scope, name);
    if (!key || key->type != ConfigType::list) {
        const char* word = alteration.operation == AlterOperation::append ? "APPEND" : "SUBTRACT";
        return invalid_config("Can't " + std::string(word) + " to key " + name +
                              " because its type is not LIST.");
    }
    alter_list(config, *key, alteration.operation, *alteration.value);
    return std::nullopt;
}

std::string check_topic_name(std::string_view name) {
    constexpr size_t length_max = 249;
    const auto is_legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    };
    const std::string prefix = "Topic name is invalid: ";
    if (name.empty()) return prefix + "the empty string is not allowed";
    if (name == "." || name == "..") return prefix + "'" + std::string(name) + "' is not allowed";
    if (name.size() > length_max)
        return prefix + "the length of '" + std::string(name) + "' is longer than the max allowed length 249";
    if (!std::ranges::all_of(name, is_legal))
        return prefix + "'" + std::string(name) +
               "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
    return "";
}

}  // namespace millrace
