// CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords. The controller on shard 0 decides; the answer
// is given once every shard serves what was decided.
#include "endpoints.h"
#include "handlers.h"

namespace millrace {
namespace {

// Runs on shard 0, and waits until all shards have followed.
template <class Outcome, class Work> Task<std::vector<Outcome>> on_zero(Shard& zero, Work work) {
    auto deciding = work(zero.controller());
    auto outcomes = co_await deciding;
    co_await zero.settled();
    co_return outcomes;
}

template <class Outcome, class Work> Task<std::vector<Outcome>> ask_controller(Call& call, Work work) {
    auto bound = [work = std::move(work)](Shard& zero) { return on_zero<Outcome>(zero, work); };
    return call.shard.on<std::vector<Outcome>>(ShardId{0}, std::move(bound));
}

// What a new partition needs on the disk before anything is written to it, and a little more.
constexpr uint64_t partition_bytes = 32 << 10;

void refuse_for_space(std::vector<TopicOutcome>& outcomes) {
    for (TopicOutcome& outcome : outcomes) {
        if (!outcome.ok()) continue;
        outcome.error = Error::kafka_storage_error;
        outcome.message = "The disk is nearly full: nothing was made.";
    }
}

// What the metadata have and the disk had no place for.
std::ptrdiff_t count_unopened(const Shard& zero, const std::set<Slot>& unopened,
                              const TopicOutcome& outcome) {
    const TopicInfo* topic = outcome.ok() ? zero.metadata().topic(outcome.name) : nullptr;
    if (!topic) return 0;
    return std::ranges::count_if(
        topic->partitions, [&](const PartitionInfo& partition) { return unopened.contains(partition.slot); });
}

// The disk had no room for it after all: it goes again, as a whole, so that it may be asked for again.
Task<> take_back(Shard& zero, std::vector<TopicOutcome>& outcomes) {
    auto asking = zero.unopened();
    const auto unopened = co_await asking;
    std::vector<TopicToDelete> half_made;
    for (TopicOutcome& outcome : outcomes) {
        if (count_unopened(zero, unopened, outcome) == 0) continue;
        half_made.push_back({.name = {}, .id = outcome.id});
        outcome.error = Error::kafka_storage_error;
        outcome.message = "The disk has no room for the topic's partitions: nothing was made.";
    }
    if (half_made.empty()) co_return;
    auto deleting = zero.controller().delete_topics(std::move(half_made));
    co_await deleting;
    co_await zero.settled();
}

// Partitions cannot be taken back: those that found no room after all are opened as soon as there is some.
Task<> tell_unopened(Shard& zero, std::vector<TopicOutcome>& outcomes) {
    auto asking = zero.unopened();
    const auto unopened = co_await asking;
    for (TopicOutcome& outcome : outcomes) {
        const auto count = count_unopened(zero, unopened, outcome);
        if (count == 0) continue;
        outcome.error = Error::kafka_storage_error;
        outcome.message = "The disk has no room for " + std::to_string(count) +
                          " of the topic's partitions. They are opened as soon as it has.";
    }
}

struct Made {
    std::vector<TopicOutcome> outcomes;
    bool is_made = false;  // Else they were only checked.
};

// `change(Effect)` is the controller's, and made only where the disk has room for `partitions` more.
template <class Change>
Task<Made> make_on_zero(Shard& zero, uint64_t partitions, Effect effect, Change change) {
    auto looking = zero.storage().has_space_for(partitions * partition_bytes);
    const bool has_space = co_await looking;
    auto changing = change(has_space ? effect : Effect::validate_only);
    Made made{.outcomes = co_await changing, .is_made = has_space && effect == Effect::commit};
    if (effect == Effect::commit && !has_space) refuse_for_space(made.outcomes);
    if (made.is_made) co_await zero.settled();
    co_return made;
}

Task<std::vector<TopicOutcome>> create_on_zero(Shard& zero, std::vector<NewTopic> topics, Effect effect) {
    uint64_t partitions = 0;
    for (const NewTopic& topic : topics) {
        const auto asked = static_cast<uint64_t>(std::max(topic.partitions, 1));
        partitions += std::max<uint64_t>(asked, topic.assignments.size());
    }
    auto making = make_on_zero(zero, partitions, effect, [&](Effect allowed) {
        return zero.controller().create_topics(std::move(topics), allowed);
    });
    auto made = co_await making;
    if (made.is_made) co_await take_back(zero, made.outcomes);
    co_return std::move(made.outcomes);
}

Task<std::vector<TopicOutcome>> grow_on_zero(Shard& zero, std::vector<NewPartitions> topics, Effect effect) {
    uint64_t partitions = 0;
    for (const NewPartitions& topic : topics) partitions += static_cast<uint64_t>(std::max(topic.count, 0));
    auto making = make_on_zero(zero, partitions, effect, [&](Effect allowed) {
        return zero.controller().create_partitions(std::move(topics), allowed);
    });
    auto made = co_await making;
    if (made.is_made) co_await tell_unopened(zero, made.outcomes);
    co_return std::move(made.outcomes);
}

wire::Nullable<wire::String> copy_message(Arena& arena, const AdminOutcome& outcome) {
    if (!outcome.message) return {};
    return arena.copy(*outcome.message);
}

Effect effect_of(bool validate_only) { return validate_only ? Effect::validate_only : Effect::commit; }

// ---- CreateTopics ----------------------------------------------------------------------------------------

NewTopic new_topic(const Call& call, const wire::CreateTopicsRequest::Topic& asked) {
    NewTopic topic{.name = std::string(asked.name),
                   .partitions = asked.num_partitions,
                   .replication_factor = asked.replication_factor,
                   .assignments = {},
                   .configs = {}};
    for (const auto& assignment : asked.assignments) {
        NewTopic::Assignment given{.partition = assignment.partition_index, .brokers = {}};
        for (int32_t id : assignment.broker_ids) given.brokers.push_back(node_of(call, id));
        topic.assignments.push_back(std::move(given));
    }
    for (const auto& config : asked.configs)
        topic.configs.push_back({std::string(config.name),
                                 config.value ? std::optional(std::string(*config.value)) : std::nullopt});
    return topic;
}

// As the topic has them now, or would have them (KIP-525).
void list_configs(Call& call, const wire::CreateTopicsRequest::Topic& asked,
                  wire::CreateTopicsResponse::Topic& topic) {
    using Config = wire::CreateTopicsResponse::Config;
    ConfigMap overrides;
    for (const auto& config : asked.configs)
        if (config.value) overrides.insert_or_assign(std::string(config.name), std::string(*config.value));
    const auto entries = describe_topic_config(call.shard.config_layers(), overrides);
    auto configs = call.arena.make<Config>(entries.size());
    for (size_t i = 0; i < entries.size(); i++) {
        configs[i] = {.name = call.arena.copy(entries[i].name),
                      .value = {},
                      .read_only = entries[i].read_only,
                      .config_source = static_cast<int8_t>(entries[i].source),
                      .is_sensitive = entries[i].sensitive};
        if (entries[i].value) configs[i].value = call.arena.copy(*entries[i].value);
    }
    topic.configs = configs;
}

// ---- DeleteRecords ---------------------------------------------------------------------------------------

struct Trimmed {
    Error error = Error::none;
    Offset low_watermark{-1};
};

// On the partition's home shard.
Task<Trimmed> trim(Shard& home, Slot slot, int64_t offset) {
    const Shard::Visit visit{home};
    Hosted* hosted = home.hosted(slot);
    if (!hosted) co_return Trimmed{.error = home.why_absent(slot)};
    const TopicConfig& topic = hosted->settings->config;
    if (topic.cleanup_compact && !topic.cleanup_delete) co_return Trimmed{.error = Error::policy_violation};
    const Offset high_watermark = hosted->partition->high_watermark();
    const Offset target = offset == -1 ? high_watermark : Offset{offset};
    if (target.value < 0 || target > high_watermark) co_return Trimmed{.error = Error::offset_out_of_range};
    auto trimming = hosted->partition->log().set_log_start(target);
    const auto trimmed = co_await trimming;
    if (!trimmed) co_return Trimmed{.error = trimmed.error()};
    hosted = home.hosted(slot);
    if (!hosted) co_return Trimmed{.error = Error::unknown_topic_or_partition};
    co_return Trimmed{.low_watermark = hosted->partition->log_start()};
}

Task<> trim_partition(Call& call, std::string_view name, const wire::DeleteRecordsRequest::Partition& asked,
                      wire::DeleteRecordsResponse::Partition& answer) {
    answer = {.partition_index = asked.partition_index, .low_watermark = -1};
    const TopicInfo* topic = call.shard.metadata().topic(name);
    if (!topic || asked.partition_index < 0 || asked.partition_index >= topic->partition_count()) {
        answer.error_code = Error::unknown_topic_or_partition;
        co_return;
    }
    const Slot slot = topic->partitions[asked.partition_index].slot;
    const ShardId home = co_await call.shard.settled_home(slot);
    auto trimming = call.shard.on<Trimmed>(
        home, [slot, offset = asked.offset](Shard& home) { return trim(home, slot, offset); });
    const Trimmed trimmed = co_await trimming;
    answer.error_code = trimmed.error;
    answer.low_watermark = trimmed.low_watermark.value;
}

}  // namespace

Task<wire::CreateTopicsResponse> handle_create_topics(Call& call, const wire::CreateTopicsRequest& request) {
    std::vector<NewTopic> topics;
    for (const auto& asked : request.topics) topics.push_back(new_topic(call, asked));
    const Effect effect = effect_of(request.validate_only);
    auto asking = call.shard.on<std::vector<TopicOutcome>>(ShardId{0}, [&topics, effect](Shard& zero) {
        return create_on_zero(zero, std::move(topics), effect);
    });
    const auto outcomes = co_await asking;
    wire::CreateTopicsResponse response;
    response.topics = call.arena.make<wire::CreateTopicsResponse::Topic>(outcomes.size());
    for (size_t i = 0; i < outcomes.size(); i++) {
        const TopicOutcome& outcome = outcomes[i];
        auto& topic = response.topics[i];
        topic = {.name = call.arena.copy(outcome.name),
                 .topic_id = outcome.id,
                 .error_code = outcome.error,
                 .error_message = copy_message(call.arena, outcome),
                 .num_partitions = outcome.partitions,
                 .replication_factor = outcome.replication_factor};
        if (!outcome.ok()) continue;
        for (const auto& asked : request.topics)
            if (asked.name == outcome.name) list_configs(call, asked, topic);
    }
    co_return response;
}

Task<wire::DeleteTopicsResponse> handle_delete_topics(Call& call, const wire::DeleteTopicsRequest& request) {
    std::vector<TopicToDelete> topics;
    for (const auto& asked : request.topics)
        topics.push_back({.name = asked.name ? std::optional(std::string(*asked.name)) : std::nullopt,
                          .id = asked.topic_id});
    for (const auto& name : request.topic_names) topics.push_back({.name = std::string(name), .id = {}});
    auto asking = ask_controller<DeletedTopic>(
        call, [&topics](Controller& controller) { return controller.delete_topics(std::move(topics)); });
    const auto outcomes = co_await asking;
    wire::DeleteTopicsResponse response;
    response.responses = call.arena.make<wire::DeleteTopicsResponse::Topic>(outcomes.size());
    for (size_t i = 0; i < outcomes.size(); i++) {
        const DeletedTopic& outcome = outcomes[i];
        response.responses[i] = {.name = {},
                                 .topic_id = outcome.id,
                                 .error_code = outcome.error,
                                 .error_message = copy_message(call.arena, outcome)};
        if (outcome.name) response.responses[i].name = call.arena.copy(*outcome.name);
    }
    co_return response;
}

Task<wire::CreatePartitionsResponse> handle_create_partitions(Call& call,
                                                              const wire::CreatePartitionsRequest& request) {
    std::vector<NewPartitions> topics;
    for (const auto& asked : request.topics) {
        NewPartitions wanted{.topic = std::string(asked.name), .count = asked.count, .assignments = {}};
        if (asked.assignments) {
            wanted.assignments.emplace();
            for (const auto& assignment : *asked.assignments) {
                auto& brokers = wanted.assignments->emplace_back();
                for (int32_t id : assignment.broker_ids) brokers.push_back(node_of(call, id));
            }
        }
        topics.push_back(std::move(wanted));
    }
    const Effect effect = effect_of(request.validate_only);
    auto asking = call.shard.on<std::vector<TopicOutcome>>(
        ShardId{0}, [&topics, effect](Shard& zero) { return grow_on_zero(zero, std::move(topics), effect); });
    const auto outcomes = co_await asking;
    wire::CreatePartitionsResponse response;
    response.results = call.arena.make<wire::CreatePartitionsResponse::Topic>(outcomes.size());
    for (size_t i = 0; i < outcomes.size(); i++)
        response.results[i] = {.name = call.arena.copy(outcomes[i].name),
                               .error_code = outcomes[i].error,
                               .error_message = copy_message(call.arena, outcomes[i])};
    co_return response;
}

Task<wire::DeleteRecordsResponse> handle_delete_records(Call& call,
                                                        const wire::DeleteRecordsRequest& request) {
    using Response = wire::DeleteRecordsResponse;
    Response response;
    response.topics = call.arena.make<Response::Topic>(request.topics.size());
    std::vector<Task<>> trims;
    for (size_t t = 0; t < request.topics.size(); t++) {
        const auto& asked = request.topics[t];
        response.topics[t] = {.name = asked.name,
                              .partitions = call.arena.make<Response::Partition>(asked.partitions.size())};
        for (size_t p = 0; p < asked.partitions.size(); p++)
            trims.push_back(
                trim_partition(call, asked.name, asked.partitions[p], response.topics[t].partitions[p]));
    }
    co_await gather(std::move(trims));
    co_return response;
}

}  // namespace millrace
