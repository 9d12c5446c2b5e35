// Reading a key through the layers of configuration: what the files of src/base/config*.cc share.
#pragma once
#include "millrace/config.h"

namespace millrace {

// A broker key's raw value by its layers, the default last; nothing when null.
std::optional<std::string_view> broker_value(const ConfigLayers& layers, std::string_view name);
// The same without the dynamic layers and the default.
std::optional<std::string_view> static_value(const Settings& settings, std::string_view name);

// Fills what is typed, but for listeners and what only the loader judges, from config.settings.
void read_static_config(BrokerConfig& config);

// What is wrong with a broker key's value beyond its type and range, in Kafka's words; empty: nothing.
std::string check_broker_setting(std::string_view name, std::string_view value);

// A topic key's effective value as shown; nothing when null. Hours and minutes are given in milliseconds.
std::optional<std::string> topic_value(const ConfigLayers& layers, const ConfigMap& overrides,
                                       const ConfigKey& key);

// The keys that Kafka looks at together with this one, strongest first, itself among them.
std::vector<std::string_view> broker_names_with(std::string_view name);

}  // namespace millrace
