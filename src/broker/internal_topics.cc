// Topics that come into being when they are first needed: see the header.
#include "internal_topics.h"

namespace millrace {
namespace {

bool is_for_clients(const NewTopic& topic) { return !topic.name.starts_with("__"); }

// On shard 0. The broker's own topics may use the disk's reserve.
Task<std::vector<TopicOutcome>> ensure_on_zero(Shard& zero, std::vector<NewTopic> topics) {
    constexpr uint64_t topic_bytes = 64 << 10;
    if (std::ranges::any_of(topics, is_for_clients)) {
        auto looking = zero.storage().has_space_for(topics.size() * topic_bytes);
        const bool has_space = co_await looking;
        std::vector<TopicOutcome> refused(has_space ? 0 : topics.size());
        for (size_t i = 0; i < refused.size(); i++)
            refused[i].name = topics[i].name, refused[i].error = Error::kafka_storage_error;
        if (!has_space) co_return refused;
    }
    auto ensuring = zero.controller().ensure_topics(std::move(topics));
    auto outcomes = co_await ensuring;
    co_await zero.settled();
    co_return outcomes;
}

}  // namespace

NewTopic auto_topic(const BrokerConfig& config, std::string_view name) {
    NewTopic topic{.name = std::string(name), .assignments = {}, .configs = {}};
    if (name != offsets_topic_name) return topic;
    topic.partitions = config.offsets_topic_partitions;
    topic.replication_factor = 1;  // As many as there are nodes, up to offsets.topic.replication.factor.
    topic.configs = {{"cleanup.policy", "compact"},
                     {"compression.type", "producer"},
                     {"segment.bytes", std::to_string(config.offsets_topic_segment_bytes)}};
    return topic;
}

Task<std::vector<TopicOutcome>> ensure_topics(Shard& shard, std::vector<NewTopic> topics) {
    auto ensuring = shard.on<std::vector<TopicOutcome>>(
        ShardId{0}, [&topics](Shard& zero) { return ensure_on_zero(zero, std::move(topics)); });
    co_return co_await ensuring;
}

}  // namespace millrace
