// Judging what is asked of topics: new ones, more partitions, fewer topics.
#include <map>

#include <fmt/format.h>

#include "millrace/wire/topic_records.h"
#include "placement.h"
#include "plan.h"

namespace millrace {
namespace {

constexpr int16_t partition_record_version = 2;  // Of metadata.version 4.0 and later: directories, KIP-966.

int32_t effective(int32_t asked, int32_t otherwise) { return asked == -1 ? otherwise : asked; }

AdminOutcome invalid_request(std::string message) { return {Error::invalid_request, std::move(message)}; }

ConfigMap to_map(std::span<const ConfigValue> configs) {
    ConfigMap map;
    for (const ConfigValue& config : configs) map.insert_or_assign(config.name, config.value.value_or(""));
    return map;
}

AdminOutcome judge_configs(std::span<const ConfigValue> configs) {
    std::string nulls;
    for (const ConfigValue& config : configs)
        if (!config.value) nulls += (nulls.empty() ? "" : ",") + config.name;
    if (!nulls.empty())
        return {Error::invalid_config, "Null value not supported for topic configs: " + nulls};
    if (auto refused = check_topic_config(to_map(configs)))
        return {refused->error, std::move(refused->message)};
    return {};
}

using Placements = std::variant<std::vector<Placed>, AdminOutcome>;

Placements place_assignments(const MetadataState& state, const NewTopic& topic) {
    std::map<int32_t, Placed> placed;  // By partition number.
    size_t replication_factor = 0;
    for (const NewTopic::Assignment& assignment : topic.assignments) {
        if (placed.contains(assignment.partition))
            return AdminOutcome{Error::invalid_replica_assignment,
                                fmt::format("Found multiple manual partition assignments for partition {}",
                                            assignment.partition)};
        auto one = place_by_hand(state, assignment.partition, assignment.brokers, replication_factor);
        if (auto* refused = std::get_if<AdminOutcome>(&one)) return std::move(*refused);
        replication_factor = assignment.brokers.size();
        placed.emplace(assignment.partition, std::move(std::get<Placed>(one)));
    }
    if (placed.begin()->first != 0 || placed.rbegin()->first != static_cast<int32_t>(placed.size()) - 1)
        return AdminOutcome{Error::invalid_replica_assignment,
                            "partitions should be a consecutive 0-based integer sequence"};
    std::vector<Placed> in_order;
    for (auto& [index, one] : placed) in_order.push_back(std::move(one));
    return in_order;
}

Placements place_growth(const MetadataState& state, const TopicInfo& topic, const NewPartitions& asked) {
    const int32_t first = topic.partition_count();
    const size_t replication_factor = topic.partitions.front().replicas.size();
    if (!asked.assignments)
        return place(state, state.next_slot(), asked.count - first, static_cast<int16_t>(replication_factor));
    std::vector<Placed> placed;
    for (const std::vector<NodeId>& brokers : *asked.assignments) {
        const auto index = first + static_cast<int32_t>(placed.size());
        auto one = place_by_hand(state, index, brokers, replication_factor);
        if (auto* refused = std::get_if<AdminOutcome>(&one)) return std::move(*refused);
        placed.push_back(std::move(std::get<Placed>(one)));
    }
    return placed;
}

AdminOutcome judge_growth(const TopicInfo& topic, const NewPartitions& asked) {
    const int32_t now = topic.partition_count();
    if (asked.count == now)
        return {Error::invalid_partitions, fmt::format("Topic already has {} partition(s).", now)};
    if (asked.count < now)
        return {Error::invalid_partitions,
                fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                            topic.name, now, asked.count)};
    const auto added = static_cast<size_t>(asked.count) - now;
    if (asked.assignments && asked.assignments->size() != added)
        return {Error::invalid_replica_assignment,
                fmt::format(
                    "Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                    added, asked.assignments->size())};
    return {};
}

TopicOutcome outcome_of(std::string name, AdminOutcome judged) {
    TopicOutcome outcome;
    static_cast<AdminOutcome&>(outcome) = std::move(judged);
    outcome.name = std::move(name);
    return outcome;
}

}  // namespace

uint64_t partitions_asked(std::span<const NewTopic> topics, int32_t partitions_default) {
    uint64_t asked = 0;
    for (const NewTopic& topic : topics) {
        const int32_t automatic = std::max(effective(topic.partitions, partitions_default), 0);
        asked += topic.assignments.empty() ? static_cast<uint64_t>(automatic) : topic.assignments.size();
    }
    return asked;
}

// ---- Creating ------------------------------------------------------------------------------------------

TopicPlanner::TopicPlanner(const MetadataState& state, const ControllerOptions& options, Io& io)
    : state_(state), options_(options), io_(io) {}

TopicOutcome TopicPlanner::create(const NewTopic& topic) {
    AdminOutcome judged = judge(topic);
    if (!judged.ok()) return outcome_of(topic.name, std::move(judged));
    const auto factor =
        static_cast<int16_t>(effective(topic.replication_factor, options_.replication_factor_default));
    const int32_t count = effective(topic.partitions, options_.partitions_default);
    const uint32_t start = state_.next_slot() + static_cast<uint32_t>(partitions_added_);
    auto placements =
        topic.assignments.empty() ? place(state_, start, count, factor) : place_assignments(state_, topic);
    if (auto* refused = std::get_if<AdminOutcome>(&placements))
        return outcome_of(topic.name, std::move(*refused));
    const auto& placed = std::get<std::vector<Placed>>(placements);
    judged = judge_limits(1, placed.size());
    if (!judged.ok()) return outcome_of(topic.name, std::move(judged));

    TopicOutcome created = outcome_of(topic.name, {});
    created.id = new_id();
    created.partitions = static_cast<int32_t>(placed.size());
    created.replication_factor = static_cast<int16_t>(placed.front().replicas.size());
    add_record(records_, wire::TopicRecord{.name = topic.name, .topic_id = created.id}, 0);
    for (const auto& [name, value] : to_map(topic.configs))
        add_record(records_,
                   wire::ConfigRecord{static_cast<int8_t>(ConfigKind::topic), topic.name, name, value}, 0);
    add_partitions(created.id, 0, placed);
    topics_added_++;
    return created;
}

AdminOutcome TopicPlanner::judge(const NewTopic& topic) const {
    if (topic.name == metadata_topic_name) return refusal(Error::topic_authorization_failed);
    if (std::string why = check_topic_name(topic.name); !why.empty())
        return {Error::invalid_topic_exception, std::move(why)};
    if (state_.topic(topic.name))
        return {Error::topic_already_exists, fmt::format("Topic '{}' already exists.", topic.name)};
    if (const auto other = state_.colliding_topic(topic.name); !other.empty())
        return {Error::invalid_topic_exception,
                fmt::format("Topic '{}' collides with existing topic: {}", topic.name, other)};
    if (AdminOutcome judged = judge_configs(topic.configs); !judged.ok()) return judged;
    return judge_counts(topic);
}

AdminOutcome TopicPlanner::judge_counts(const NewTopic& topic) const {
    if (!topic.assignments.empty()) {
        const std::string_view assigned = "A manual partition assignment was specified, but ";
        if (topic.replication_factor != -1)
            return invalid_request(fmt::format("{}replication factor was not set to -1.", assigned));
        if (topic.partitions != -1)
            return invalid_request(fmt::format("{}numPartitions was not set to -1.", assigned));
        return {};
    }
    if (topic.replication_factor < -1 || topic.replication_factor == 0)
        return {Error::invalid_replication_factor,
                "Replication factor must be larger than 0, or -1 to use the default value."};
    if (topic.partitions < -1 || topic.partitions == 0)
        return {Error::invalid_partitions, "Number of partitions was set to an invalid non-positive value."};
    return {};
}

AdminOutcome TopicPlanner::judge_limits(size_t topics, size_t partitions) const {
    if (state_.topics().size() + topics_added_ + topics > options_.topics_max)
        return {Error::policy_violation,
                fmt::format("The cluster may not have more than {} topics.", options_.topics_max)};
    if (state_.partition_count() + partitions_added_ + partitions > options_.partitions_max)
        return {Error::policy_violation,
                fmt::format("The cluster may not have more than {} partitions.", options_.partitions_max)};
    return {};
}

// Never one that Kafka's tools could take for a command-line option.
Uuid TopicPlanner::new_id() {
    Uuid id;
    do id = new_uuid(io_);
    while (id.to_text().front() == '-' || state_.topic(id));
    return id;
}

void TopicPlanner::add_partitions(const Uuid& topic, int32_t first, std::span<const Placed> placed) {
    for (const Placed& one : placed) {
        std::vector<int32_t> replicas = one.replicas, isr = one.isr;
        std::vector<Uuid> unassigned(replicas.size());
        const wire::PartitionRecord record{.partition_id = first++,
                                           .topic_id = topic,
                                           .replicas = replicas,
                                           .isr = isr,
                                           .leader = isr.front(),
                                           .leader_epoch = 0,
                                           .partition_epoch = 0,
                                           .directories = unassigned};
        add_record(records_, record, partition_record_version);
    }
    partitions_added_ += placed.size();
}

// ---- Growing -------------------------------------------------------------------------------------------

TopicOutcome TopicPlanner::grow(const NewPartitions& asked) {
    const TopicInfo* topic = state_.topic(asked.topic);
    if (!topic) return outcome_of(asked.topic, refusal(Error::unknown_topic_or_partition));
    AdminOutcome judged = judge_growth(*topic, asked);
    if (judged.ok()) {
        const auto added = static_cast<size_t>(asked.count) - topic->partitions.size();
        judged =
            added + partitions_added_ > options_.partitions_per_request_max
                ? AdminOutcome{Error::policy_violation, "Excessively large number of partitions per request."}
                : judge_limits(0, added);
    }
    if (!judged.ok()) return outcome_of(asked.topic, std::move(judged));
    auto placements = place_growth(state_, *topic, asked);
    if (auto* refused = std::get_if<AdminOutcome>(&placements))
        return outcome_of(asked.topic, std::move(*refused));
    add_partitions(topic->id, topic->partition_count(), std::get<std::vector<Placed>>(placements));
    TopicOutcome grown = outcome_of(asked.topic, {});
    grown.id = topic->id;
    grown.partitions = asked.count;
    return grown;
}

// ---- Deleting ------------------------------------------------------------------------------------------

namespace {

// How often each was asked for.
struct Asked {
    std::map<std::string_view, int> names;
    std::map<Uuid, int> ids;
    std::set<Uuid> named_and_given;  // Ids that a name of the same request stands for.
};

Asked count_asked(const MetadataState& state, std::span<const TopicToDelete> topics) {
    Asked asked;
    for (const TopicToDelete& topic : topics) {
        if (topic.name && topic.id.is_zero()) asked.names[*topic.name]++;
        if (!topic.name && !topic.id.is_zero()) asked.ids[topic.id]++;
    }
    for (const auto& [name, times] : asked.names) {
        const TopicInfo* topic = times == 1 ? state.topic(name) : nullptr;
        if (topic && asked.ids.contains(topic->id)) asked.named_and_given.insert(topic->id);
    }
    return asked;
}

DeletedTopic judge_deletion(const MetadataState& state, const Asked& asked, const TopicToDelete& item) {
    if (item.name && !item.id.is_zero())
        return {invalid_request("You may not specify both topic name and topic id."), item.name, item.id};
    if (!item.name && item.id.is_zero())
        return {invalid_request("Neither topic name nor id were specified."), {}, {}};
    if (item.name) {
        if (asked.names.at(*item.name) > 1) return {invalid_request("Duplicate topic name."), item.name, {}};
        const TopicInfo* topic = state.topic(*item.name);
        if (!topic) return {refusal(Error::unknown_topic_or_partition), item.name, {}};
        if (asked.named_and_given.contains(topic->id))
            return {invalid_request("The provided topic name maps to an ID that was already supplied."),
                    item.name, topic->id};
        return {{}, topic->name, topic->id};
    }
    if (asked.ids.at(item.id) > 1) return {invalid_request("Duplicate topic id."), {}, item.id};
    const TopicInfo* topic = state.topic(item.id);
    if (!topic) return {refusal(Error::unknown_topic_id), {}, item.id};
    return {{}, topic->name, topic->id};
}

}  // namespace

Plan<DeletedTopic> plan_deletion(const MetadataState& state, std::span<const TopicToDelete> topics) {
    Plan<DeletedTopic> plan;
    const Asked asked = count_asked(state, topics);
    std::set<std::string_view> names_answered;
    std::set<Uuid> ids_answered;
    for (const TopicToDelete& item : topics) {
        const bool by_name = item.name && item.id.is_zero(), by_id = !item.name && !item.id.is_zero();
        // Duplicates are answered once; an id that is also named, with the name.
        if (by_name && !names_answered.insert(*item.name).second) continue;
        if (by_id && !ids_answered.insert(item.id).second) continue;
        if (by_id && asked.ids.at(item.id) == 1 && asked.named_and_given.contains(item.id)) continue;
        DeletedTopic& outcome = plan.outcomes.emplace_back(judge_deletion(state, asked, item));
        if (outcome.ok()) add_record(plan.records, wire::RemoveTopicRecord{.topic_id = outcome.id}, 0);
    }
    return plan;
}

}  // namespace millrace
