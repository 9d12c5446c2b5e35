// The tables of configuration keys as one, by name; which broker keys a topic key falls back to; and the
// nearest known word to a misspelt one.
#include "config_keys.h"

namespace millrace {

namespace {

void add(std::vector<ConfigKey>& keys, std::span<const KeyRow> rows, Treatment treatment) {
    for (const KeyRow& row : rows)
        keys.push_back({.name = row.name,
                        .type = row.type,
                        .default_value = row.default_value,
                        .rule = row.rule,
                        .dynamic = row.change == config_rows::dynamic,
                        .internal = row.change == config_rows::hidden,
                        .treatment = treatment,
                        .documentation = row.documentation});
}

std::vector<ConfigKey> by_name(std::vector<ConfigKey> keys) {
    std::ranges::sort(keys, {}, &ConfigKey::name);
    return keys;
}

std::vector<ConfigKey> all_broker_keys() {
    std::vector<ConfigKey> keys;
    add(keys, honoured_broker_rows(), Treatment::honoured);
    add(keys, mapped_broker_rows(), Treatment::mapped);
    add(keys, ignored_broker_rows(), Treatment::ignored);
    add(keys, refused_broker_rows(), Treatment::refused);
    return by_name(std::move(keys));
}

std::vector<ConfigKey> all_topic_keys() {
    std::vector<ConfigKey> keys;
    add(keys, topic_rows(), Treatment::honoured);
    return by_name(std::move(keys));
}

std::vector<ConfigKey> all_group_keys() {
    std::vector<ConfigKey> keys;
    add(keys, group_rows(), Treatment::ignored);
    return by_name(std::move(keys));
}

const ConfigKey* find(std::span<const ConfigKey> keys, std::string_view name) {
    const auto found = std::ranges::lower_bound(keys, name, {}, &ConfigKey::name);
    return found != keys.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string_view> names_of(std::span<const ConfigKey> keys) {
    std::vector<std::string_view> names;
    for (const ConfigKey& key : keys)
        if (!key.internal) names.push_back(key.name);
    return names;
}

struct Synonyms {
    std::string_view topic_key;
    std::array<std::string_view, 3> broker_keys;  // Strongest first; empty ones are none.
};

// In the order of the topic keys' names.
constexpr Synonyms synonyms[] = {
    {"cleanup.policy", {"log.cleanup.policy"}},
    {"compression.gzip.level", {"compression.gzip.level"}},
    {"compression.lz4.level", {"compression.lz4.level"}},
    {"compression.type", {"compression.type"}},
    {"compression.zstd.level", {"compression.zstd.level"}},
    {"delete.retention.ms", {"log.cleaner.delete.retention.ms"}},
    {"durability", {"millrace.durability"}},
    {"file.delete.delay.ms", {"log.segment.delete.delay.ms"}},
    {"flush.messages", {"log.flush.interval.messages"}},
    {"flush.ms", {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"}},
    {"index.interval.bytes", {"log.index.interval.bytes"}},
    {"local.retention.bytes", {"log.local.retention.bytes"}},
    {"local.retention.ms", {"log.local.retention.ms"}},
    {"max.compaction.lag.ms", {"log.cleaner.max.compaction.lag.ms"}},
    {"max.message.bytes", {"message.max.bytes"}},
    {"message.timestamp.after.max.ms", {"log.message.timestamp.after.max.ms"}},
    {"message.timestamp.before.max.ms", {"log.message.timestamp.before.max.ms"}},
    {"message.timestamp.type", {"log.message.timestamp.type"}},
    {"min.cleanable.dirty.ratio", {"log.cleaner.min.cleanable.ratio"}},
    {"min.compaction.lag.ms", {"log.cleaner.min.compaction.lag.ms"}},
    {"min.insync.replicas", {"min.insync.replicas"}},
    {"preallocate", {"log.preallocate"}},
    {"retention.bytes", {"log.retention.bytes"}},
    {"retention.ms", {"log.retention.ms", "log.retention.minutes", "log.retention.hours"}},
    {"segment.bytes", {"log.segment.bytes"}},
    {"segment.index.bytes", {"log.index.size.max.bytes"}},
    {"segment.jitter.ms", {"log.roll.jitter.ms", "log.roll.jitter.hours"}},
    {"segment.ms", {"log.roll.ms", "log.roll.hours"}},
    {"unclean.leader.election.enable", {"unclean.leader.election.enable"}},
};

// Letters to insert, delete, replace or swap with their neighbour to make one word of the other.
size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); i++) cost[i][0] = i;
    for (size_t j = 0; j <= b.size(); j++) cost[0][j] = j;
    for (size_t i = 1; i <= a.size(); i++) {
        for (size_t j = 1; j <= b.size(); j++) {
            const size_t replaced = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            cost[i][j] = std::min({replaced, cost[i - 1][j] + 1, cost[i][j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::span<const ConfigKey> broker_config_keys() {
    static const std::vector<ConfigKey> keys = all_broker_keys();
    return keys;
}
std::span<const ConfigKey> topic_config_keys() {
    static const std::vector<ConfigKey> keys = all_topic_keys();
    return keys;
}
std::span<const ConfigKey> group_config_keys() {
    static const std::vector<ConfigKey> keys = all_group_keys();
    return keys;
}

const ConfigKey* find_broker_key(std::string_view name) { return find(broker_config_keys(), name); }
const ConfigKey* find_topic_key(std::string_view name) { return find(topic_config_keys(), name); }

std::span<const std::string_view> broker_synonyms_of(std::string_view topic_key) {
    const auto found = std::ranges::lower_bound(synonyms, topic_key, {}, &Synonyms::topic_key);
    if (found == std::end(synonyms) || found->topic_key != topic_key) return {};
    const auto end = std::ranges::find(found->broker_keys, std::string_view{});
    return {found->broker_keys.begin(), end};
}

std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> known) {
    constexpr size_t word_max = 128;  // Nobody misspells more, and the search is quadratic.
    if (word.size() > word_max) return std::nullopt;
    std::optional<std::string_view> nearest;
    size_t best = std::max<size_t>(1, word.size() / 3) + 1;
    for (std::string_view candidate : known)
        if (const size_t d = distance(word, candidate); d < best) best = d, nearest = candidate;
    return nearest;
}

std::optional<std::string_view> nearest_broker_key(std::string_view name) {
    return nearest_word(name, names_of(broker_config_keys()));
}
std::optional<std::string_view> nearest_topic_key(std::string_view name) {
    return nearest_word(name, names_of(topic_config_keys()));
}

}  // namespace millrace
