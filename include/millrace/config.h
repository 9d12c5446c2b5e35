// Configuration under Kafka's own names: the tables of keys, values checked by type, the broker's and a
// topic's effective settings with their source, and what DescribeConfigs shows of them.
//
// Layers, strongest first: topic override, dynamic broker, dynamic cluster default, static (flag >
// MILLRACE_X_Y > KAFKA_X_Y > file), default. Pure functions over values: no I/O, usable from any shard.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base.h"

namespace millrace {

// ---- Keys ----------------------------------------------------------------------------------------------

// Numbers as in DescribeConfigs.
enum class ConfigType : int8_t {
    unknown,
    boolean,
    string,
    int32,
    int16,
    int64,
    float64,
    list,
    class_name,
    password
};
enum class ConfigSource : int8_t {
    unknown,
    topic,
    dynamic_broker,
    dynamic_default,
    static_broker,
    default_value,
    broker_logger,
    client_metrics,
    group,
};

// What Millrace does with a key that Kafka knows.
enum class Treatment : uint8_t {
    honoured,
    mapped,   // Its meaning is served by another key or mechanism, which the documentation names.
    ignored,  // Accepted and shown; the documentation says why it has no effect.
    refused,  // Any value but the default is an error; the documentation says why.
};

struct ConfigRule {
    enum class Kind : uint8_t {
        any,
        range,
        one_of,
        one_of_ignoring_case,
        gzip_level,
        non_empty,
        throttled_replicas
    };
    Kind kind = Kind::any;
    double least = 0,
           most = 0;  // Of a range. Exact: every bound in Kafka's tables fits a double or is the type's own.
    std::string_view choices;  // Of one_of: separated by blanks, in Kafka's order.
};

struct ConfigKey {
    std::string_view name;
    ConfigType type;
    std::optional<std::string_view> default_value;  // None: null in Kafka.
    ConfigRule rule;
    bool dynamic;   // Kafka's clients may change it while the broker runs.
    bool internal;  // Not shown by DescribeConfigs.
    Treatment treatment;
    std::string_view documentation;

    bool is_sensitive() const { return type == ConfigType::password; }
};

std::span<const ConfigKey> broker_config_keys();  // By name. Kafka's, and Millrace's own `millrace.*`.
std::span<const ConfigKey> topic_config_keys();   // By name. Kafka's, and `durability`.
std::span<const ConfigKey> group_config_keys();   // By name.
const ConfigKey* find_broker_key(std::string_view name);
const ConfigKey* find_topic_key(std::string_view name);

// The broker keys that give the topic key its default, strongest first; empty when it has none.
std::span<const std::string_view> broker_synonyms_of(std::string_view topic_key);

// The known broker (topic) key nearest to a misspelt one, if it is near enough to be what was meant.
std::optional<std::string_view> nearest_broker_key(std::string_view name);
std::optional<std::string_view> nearest_topic_key(std::string_view name);
// The same over any words: at most a third of the letters wrong, a swap counting once.
std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> known);

// Why the value does not fit the key, in Kafka's words ("Invalid value -2 for configuration retention.ms:
// Value must be at least -1"); empty when it fits.
std::string check_config_value(const ConfigKey& key, std::string_view value);

// As Kafka shows a parsed value: trimmed, booleans in lower case, lists joined by "," without blanks.
std::string normal_config_value(const ConfigKey& key, std::string_view value);

// ---- Values --------------------------------------------------------------------------------------------

// Name -> value; ordered, so that what is stored and shown is the same on every run.
using ConfigMap = std::map<std::string, std::string, std::less<>>;

enum class ConfigOrigin : uint8_t { flag, millrace_environment, kafka_environment, file, default_value };

// One place that gave a key a value.
struct Setting {
    std::string value;
    ConfigOrigin origin;
    std::string where;  // For a person: "--set", "KAFKA_NUM_PARTITIONS", "server.properties:12".
};
// Of every key that was set anywhere: all its settings, the one that holds first.
using Settings = std::map<std::string, std::vector<Setting>, std::less<>>;

struct ListenerConfig {
    std::string name;  // "PLAINTEXT", or any name that the protocol map knows.
    std::string host;  // Empty: every interface.
    uint16_t port;
    // What clients are told; unset: the address that the client's connection came to.
    std::optional<std::string> advertised_host;
    uint16_t advertised_port = 0;

    // As Op::Kind::listen wants it: "0.0.0.0:9092", "127.0.0.1:9092", "[::1]:9092".
    std::string address() const;
};

enum class Compression : uint8_t { uncompressed, gzip, snappy, lz4, zstd, producer };
enum class Durability : uint8_t { flush, memory };  // What is acknowledged: flushed, or in memory.

// The broker's keys that are acted on, parsed. Times in the unit of the name; -1 = no limit.
struct BrokerConfig {
    int32_t node_id = 1;
    std::string rack;  // broker.rack; empty: none.
    std::vector<ListenerConfig> listeners;
    bool shard_balance = true;        // millrace.shard.balance
    bool shard_listeners = false;     // millrace.shard.listeners
    std::string data_dir;             // log.dirs.
    int32_t shards = 0;               // millrace.shards; 0 = one per core.
    uint64_t memory_bytes = 0;        // millrace.memory, of all shards together; 0 = by itself.
    int64_t disk_reserve_bytes = -1;  // millrace.disk.reserve; -1 = by the disk's size.
    std::string admin_listen;         // millrace.admin.listen, "127.0.0.1:9644"; empty: no HTTP port.
    std::string log_level;            // millrace.log.level: debug, info, warn, error.
    Durability durability = Durability::flush;  // millrace.durability: of topics that do not say.

    int32_t num_partitions = 1;
    int32_t default_replication_factor = 1;
    bool auto_create_topics = true;
    bool delete_topics = true;

    int32_t socket_request_max_bytes = 104857600;
    int64_t connections_max_idle_ms = 600000;
    int32_t max_connections = 2147483647;
    int32_t max_connections_per_ip = 2147483647;
    int32_t fetch_max_bytes = 57671680;
    int32_t fetch_session_slots = 1000;
    int32_t request_partitions_max = 2000;  // max.request.partition.size.limit.

    int32_t offsets_topic_partitions = 50;
    int32_t offsets_topic_segment_bytes = 104857600;
    int32_t offsets_retention_minutes = 10080;
    int64_t offsets_retention_check_interval_ms = 600000;
    int32_t offset_metadata_max_bytes = 4096;
    int32_t group_initial_rebalance_delay_ms = 3000;
    int32_t group_min_session_timeout_ms = 6000;
    int32_t group_max_session_timeout_ms = 1800000;
    int32_t group_max_size = 2147483647;

    int32_t producer_id_expiration_ms = 86400000;
    int64_t log_retention_check_interval_ms = 300000;
    int32_t scrub_percent = 5;
    bool cleaner_enable = true;                       // log.cleaner.enable
    int64_t cleaner_dedupe_buffer_bytes = 134217728;  // Of all shards together.
    double cleaner_load_factor = 0.9;
    double cleaner_bytes_per_second = 1.7976931348623157E308;  // Of one shard.
    int64_t cleaner_backoff_ms = 15000;

    Settings settings;  // Everything that was set, with its origin: for DescribeConfigs and `config explain`.
};

// A topic's effective settings.
struct TopicConfig {
    bool cleanup_delete = true;
    bool cleanup_compact = false;
    int64_t retention_ms = 604800000;
    int64_t retention_bytes = -1;
    int32_t segment_bytes = 1073741824;  // internal.segment.bytes, where that is set.
    int64_t segment_ms = 604800000;
    int64_t segment_jitter_ms = 0;
    int32_t segment_index_bytes = 10485760;
    int32_t index_interval_bytes = 4096;
    int32_t max_message_bytes = 1048588;
    int32_t min_insync_replicas = 1;
    Compression compression = Compression::producer;
    int32_t gzip_level = -1;
    int32_t lz4_level = 9;
    int32_t zstd_level = 3;
    TimestampType timestamp_type = TimestampType::create_time;
    int64_t timestamp_before_max_ms = INT64_MAX;
    int64_t timestamp_after_max_ms = 3600000;
    int64_t delete_retention_ms = 86400000;
    int64_t min_compaction_lag_ms = 0;
    int64_t max_compaction_lag_ms = INT64_MAX;
    double min_cleanable_dirty_ratio = 0.5;
    int64_t file_delete_delay_ms = 60000;
    int64_t flush_messages = INT64_MAX;
    int64_t flush_ms = INT64_MAX;
    bool preallocate = false;
    bool unclean_leader_election = false;
    Durability durability = Durability::flush;
};

// ---- Loading -------------------------------------------------------------------------------------------

struct ConfigFlag {
    std::string name, value;
    std::string where;  // For messages: "--listen", "--set".
};

struct ConfigInput {
    std::vector<ConfigFlag> flags;  // In order; a later one of a name wins.
    ConfigMap environment;          // All of it; what is not ours is passed over.
    std::string file_name;          // For messages; empty: there is no file.
    std::string file_text;          // Java properties.
};

struct LoadedConfig {
    BrokerConfig config;               // Meaningful only when there are no errors.
    std::vector<std::string> errors;   // One sentence each: where, what, how to mend it.
    std::vector<std::string> notices;  // Keys that are accepted and have no effect, grouped by reason.
    bool ok() const { return errors.empty(); }
};

LoadedConfig load_broker_config(const ConfigInput& input);

// Java properties: comments with # and !, `=`, `:` or blank as separator, continuation lines, \t \n \r \f
// \uXXXX escapes. `line` is where the key stands. Never fails: Java's own reader takes any text.
struct Property {
    std::string name, value;
    int line;
};
std::vector<Property> parse_properties(std::string_view text);

// ---- Effective settings --------------------------------------------------------------------------------

// The layers below a topic's own; what lower layers give. The maps may be empty.
struct ConfigLayers {
    const BrokerConfig& broker;
    const ConfigMap& dynamic_broker;   // This node's.
    const ConfigMap& dynamic_default;  // The cluster's.
};

// The typed settings of layers.broker, but for those that a dynamic layer sets; `settings` stays what was
// loaded.
BrokerConfig effective_broker_config(const ConfigLayers& layers);
// Overrides must have passed check_topic_config.
TopicConfig effective_topic_config(const ConfigLayers& layers, const ConfigMap& overrides);

struct ConfigSynonym {
    std::string name;
    std::optional<std::string> value;
    ConfigSource source;
};
// One line of a DescribeConfigs answer; `value` is null when sensitive.
struct ConfigEntry {
    std::string name;
    std::optional<std::string> value;
    bool read_only;
    ConfigSource source;
    bool sensitive;
    ConfigType type;
    std::string_view documentation;
    std::vector<ConfigSynonym> synonyms;
};

std::vector<ConfigEntry> describe_topic_config(const ConfigLayers& layers, const ConfigMap& overrides);
std::vector<ConfigEntry> describe_broker_config(const ConfigLayers& layers);
// The resource "": only what the cluster default layer holds.
std::vector<ConfigEntry> describe_cluster_default(const ConfigMap& dynamic_default);
std::vector<ConfigEntry> describe_group_config(const ConfigLayers& layers);

// ---- Changing ------------------------------------------------------------------------------------------

struct ConfigRefusal {
    Error error;
    std::string message;
};

// A topic's whole set of overrides, as CreateTopics, AlterConfigs and (after alter_config)
// IncrementalAlterConfigs leave it: names, values, and how they agree. None: it may be stored.
std::optional<ConfigRefusal> check_topic_config(const ConfigMap& overrides);
// A broker's dynamic settings. The message is Kafka's but for the resource's name, which the caller gives.
std::optional<ConfigRefusal> check_dynamic_config(const ConfigMap& settings, std::string_view resource);

enum class AlterOperation : int8_t {
    set,
    remove,
    append,
    subtract
};  // Numbers as in IncrementalAlterConfigs.
enum class ConfigScope : uint8_t { topic, broker };

struct Alteration {
    AlterOperation operation;
    std::string_view name;
    std::optional<std::string_view> value;
};
// Applies one alteration. Append and subtract start from what is set, else from the key's default. Values are
// checked afterwards, on the whole, by check_topic_config or check_dynamic_config.
std::optional<ConfigRefusal> alter_config(ConfigScope scope, ConfigMap& config, const Alteration& alteration);

// Why a topic may not have this name, in Kafka's words ("the length of '...' is longer than ..."); empty: it
// may.
std::string check_topic_name(std::string_view name);

}  // namespace millrace
