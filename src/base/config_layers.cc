// Effective settings: a key's value through its layers, and the typed structs made of them.
#include "config_layers.h"

#include "config_value.h"

namespace millrace {

namespace {

// Families of keys of which the first one set counts.
constexpr std::array<std::array<std::string_view, 3>, 4> families{{
    {"log.retention.ms", "log.retention.minutes", "log.retention.hours"},
    {"log.roll.ms", "log.roll.hours"},
    {"log.roll.jitter.ms", "log.roll.jitter.hours"},
    {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"},
}};

int64_t milliseconds_per_unit(std::string_view name) {
    if (name.ends_with(".hours")) return 3600000;
    if (name.ends_with(".minutes")) return 60000;
    return 1;
}

std::string in_milliseconds(std::string_view name, std::string_view value) {
    const int64_t unit = milliseconds_per_unit(name);
    const auto number = parse_whole(ConfigType::int64, trim(value));
    if (unit == 1 || !number) return std::string(value);
    return std::to_string(*number < 0 ? -1 : *number * unit);
}

Compression parse_compression(std::string_view name) {
    if (name == "uncompressed") return Compression::uncompressed;
    if (name == "gzip") return Compression::gzip;
    if (name == "snappy") return Compression::snappy;
    if (name == "lz4") return Compression::lz4;
    if (name == "zstd") return Compression::zstd;
    return Compression::producer;
}

Durability parse_durability(std::string_view name) {
    return name == "memory" ? Durability::memory : Durability::flush;
}

// Values were checked when they were set, so each of these can be parsed.
class Reader {
 public:
    virtual std::string text(std::string_view name) const = 0;
    int64_t int64(std::string_view name) const {
        const auto number = parse_whole(ConfigType::int64, text(name));
        ASSERT(number.has_value());
        return *number;
    }
    int32_t int32(std::string_view name) const { return static_cast<int32_t>(int64(name)); }
    bool boolean(std::string_view name) const { return parse_boolean(text(name)).value(); }
    double real(std::string_view name, double otherwise) const {
        return parse_double(text(name)).value_or(otherwise);
    }

 protected:
    ~Reader() = default;
};

class BrokerReader final : public Reader {
 public:
    explicit BrokerReader(const ConfigLayers& layers) : layers_(layers) {}
    std::string text(std::string_view name) const override {
        return std::string(trim(broker_value(layers_, name).value_or("")));
    }

 private:
    const ConfigLayers& layers_;
};

class TopicReader final : public Reader {
 public:
    TopicReader(const ConfigLayers& layers, const ConfigMap& overrides)
        : layers_(layers), overrides_(overrides) {}
    std::string text(std::string_view name) const override {
        const ConfigKey* key = find_topic_key(name);
        ASSERT(key != nullptr);
        return topic_value(layers_, overrides_, *key).value_or("");
    }

 private:
    const ConfigLayers& layers_;
    const ConfigMap& overrides_;
};

void read_network(BrokerConfig& config, const BrokerReader& read) {
    config.socket_request_max_bytes = read.int32("socket.request.max.bytes");
    config.connections_max_idle_ms = read.int64("connections.max.idle.ms");
    config.max_connections = read.int32("max.connections");
    config.max_connections_per_ip = read.int32("max.connections.per.ip");
    config.fetch_max_bytes = read.int32("fetch.max.bytes");
    config.fetch_session_slots = read.int32("max.incremental.fetch.session.cache.slots");
    config.request_partitions_max = read.int32("max.request.partition.size.limit");
}

void read_groups(BrokerConfig& config, const BrokerReader& read) {
    config.offsets_topic_partitions = read.int32("offsets.topic.num.partitions");
    config.offsets_topic_segment_bytes = read.int32("offsets.topic.segment.bytes");
    config.offsets_retention_minutes = read.int32("offsets.retention.minutes");
    config.offsets_retention_check_interval_ms = read.int64("offsets.retention.check.interval.ms");
    config.offset_metadata_max_bytes = read.int32("offset.metadata.max.bytes");
    config.group_initial_rebalance_delay_ms = read.int32("group.initial.rebalance.delay.ms");
    config.group_min_session_timeout_ms = read.int32("group.min.session.timeout.ms");
    config.group_max_session_timeout_ms = read.int32("group.max.session.timeout.ms");
    config.group_max_size = read.int32("group.max.size");
}

void read_topics(BrokerConfig& config, const BrokerReader& read) {
    config.durability = parse_durability(read.text("millrace.durability"));
    config.shard_balance = read.boolean("millrace.shard.balance");
    config.shard_listeners = read.boolean("millrace.shard.listeners");
    config.num_partitions = read.int32("num.partitions");
    config.default_replication_factor = read.int32("default.replication.factor");
    config.auto_create_topics = read.boolean("auto.create.topics.enable");
    config.delete_topics = read.boolean("delete.topic.enable");
    config.producer_id_expiration_ms = read.int32("producer.id.expiration.ms");
    config.log_retention_check_interval_ms = read.int64("log.retention.check.interval.ms");
    config.scrub_percent = read.int32("millrace.scrub.percent");
}

void read_cleaner(BrokerConfig& config, const BrokerReader& read) {
    config.cleaner_enable = read.boolean("log.cleaner.enable");
    config.cleaner_dedupe_buffer_bytes = read.int64("log.cleaner.dedupe.buffer.size");
    config.cleaner_load_factor = read.real("log.cleaner.io.buffer.load.factor", 0);
    config.cleaner_bytes_per_second = read.real("log.cleaner.io.max.bytes.per.second", 0);
    config.cleaner_backoff_ms = read.int64("log.cleaner.backoff.ms");
}

void read_segments(TopicConfig& config, const TopicReader& read) {
    const std::string internal_segment_bytes = read.text("internal.segment.bytes");
    config.segment_bytes =
        read.int32(internal_segment_bytes.empty() ? "segment.bytes" : "internal.segment.bytes");
    config.segment_ms = read.int64("segment.ms");
    config.segment_jitter_ms = read.int64("segment.jitter.ms");
    config.segment_index_bytes = read.int32("segment.index.bytes");
    config.index_interval_bytes = read.int32("index.interval.bytes");
    config.file_delete_delay_ms = read.int64("file.delete.delay.ms");
    config.preallocate = read.boolean("preallocate");
    config.flush_messages = read.int64("flush.messages");
    config.flush_ms = read.int64("flush.ms");
}

void read_cleaning(TopicConfig& config, const TopicReader& read) {
    const std::string policy = read.text("cleanup.policy");
    const std::vector<std::string_view> policies = list_items(policy);
    config.cleanup_delete = std::ranges::count(policies, "delete") > 0;
    config.cleanup_compact = std::ranges::count(policies, "compact") > 0;
    config.retention_ms = read.int64("retention.ms");
    config.retention_bytes = read.int64("retention.bytes");
    config.delete_retention_ms = read.int64("delete.retention.ms");
    config.min_compaction_lag_ms = read.int64("min.compaction.lag.ms");
    config.max_compaction_lag_ms = read.int64("max.compaction.lag.ms");
    config.min_cleanable_dirty_ratio = read.real("min.cleanable.dirty.ratio", 0.5);
}

void read_records(TopicConfig& config, const TopicReader& read) {
    config.max_message_bytes = read.int32("max.message.bytes");
    config.min_insync_replicas = read.int32("min.insync.replicas");
    config.compression = parse_compression(read.text("compression.type"));
    config.gzip_level = read.int32("compression.gzip.level");
    config.lz4_level = read.int32("compression.lz4.level");
    config.zstd_level = read.int32("compression.zstd.level");
    config.timestamp_type = read.text("message.timestamp.type") == "LogAppendTime"
                                ? TimestampType::log_append_time
                                : TimestampType::create_time;
    config.timestamp_before_max_ms = read.int64("message.timestamp.before.max.ms");
    config.timestamp_after_max_ms = read.int64("message.timestamp.after.max.ms");
    config.unclean_leader_election = read.boolean("unclean.leader.election.enable");
    config.durability = parse_durability(read.text("durability"));
}

}  // namespace

std::optional<std::string_view> static_value(const Settings& settings, std::string_view name) {
    const auto found = settings.find(name);
    if (found == settings.end() || found->second.empty()) return std::nullopt;
    return found->second.front().value;
}

std::optional<std::string_view> broker_value(const ConfigLayers& layers, std::string_view name) {
    if (const auto found = layers.dynamic_broker.find(name); found != layers.dynamic_broker.end())
        return found->second;
    if (const auto found = layers.dynamic_default.find(name); found != layers.dynamic_default.end())
        return found->second;
    if (const auto value = static_value(layers.broker.settings, name)) return value;
    const ConfigKey* key = find_broker_key(name);
    return key ? key->default_value : std::nullopt;
}

std::optional<std::string> topic_value(const ConfigLayers& layers, const ConfigMap& overrides,
                                       const ConfigKey& key) {
    if (const auto found = overrides.find(key.name); found != overrides.end())
        return normal_config_value(key, found->second);
    for (std::string_view name : broker_synonyms_of(key.name))
        if (const auto value = broker_value(layers, name))
            return normal_config_value(key, in_milliseconds(name, *value));
    if (!key.default_value) return std::nullopt;
    return std::string(*key.default_value);
}

std::vector<std::string_view> broker_names_with(std::string_view name) {
    for (const auto& family : families) {
        if (std::ranges::find(family, name) == family.end()) continue;
        return {family.begin(), std::ranges::find(family, std::string_view{})};
    }
    return {name};
}

void read_static_config(BrokerConfig& config) {
    static const ConfigMap nothing;
    const ConfigLayers layers{.broker = config, .dynamic_broker = nothing, .dynamic_default = nothing};
    const BrokerReader read(layers);
    config.rack = read.text("broker.rack");
    config.log_level = read.text("millrace.log.level");
    read_network(config, read);
    read_groups(config, read);
    read_topics(config, read);
    read_cleaner(config, read);
}

// Of the keys that may change at run time, those that a topic's settings do not have.
BrokerConfig effective_broker_config(const ConfigLayers& layers) {
    BrokerConfig config = layers.broker;
    const BrokerReader read(layers);
    const auto take = [&](int32_t& value, std::string_view name) {
        if (layers.dynamic_broker.contains(name) || layers.dynamic_default.contains(name))
            value = read.int32(name);
    };
    take(config.max_connections, "max.connections");
    take(config.max_connections_per_ip, "max.connections.per.ip");
    take(config.producer_id_expiration_ms, "producer.id.expiration.ms");
    const auto is_cleaners = [](const auto& entry) { return entry.first.starts_with("log.cleaner."); };
    if (std::ranges::any_of(layers.dynamic_broker, is_cleaners) ||
        std::ranges::any_of(layers.dynamic_default, is_cleaners))
        read_cleaner(config, read);
    return config;
}

TopicConfig effective_topic_config(const ConfigLayers& layers, const ConfigMap& overrides) {
    TopicConfig config;
    const TopicReader read(layers, overrides);
    read_segments(config, read);
    read_cleaning(config, read);
    read_records(config, read);
    return config;
}

}  // namespace millrace
