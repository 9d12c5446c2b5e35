// The administrator: makes, removes and changes topics, and compares what he sees with what he was told.
// Whatever he began he repeats until its fate is known.
#include <fmt/core.h>

#include "millrace/config.h"
#include "millrace/wire/create_partitions.h"
#include "millrace/wire/delete_records.h"
#include "millrace/wire/incremental_alter_configs.h"
#include "workload.h"

namespace millrace::sim {

namespace {

constexpr int32_t timeout_ms = 2500;
constexpr size_t volatile_topics_max = 5;
constexpr int32_t partitions_max = 6;
constexpr int8_t topic_resource = 2;
constexpr const char* phoenix = "phoenix";  // Removed and made again under its name.

const std::array<client::NewTopic, 7>& first_topics() {
    static const std::array<client::NewTopic, 7> topics{{
        {.name = "steady", .partitions = 3, .replication_factor = 1},
        {.name = "mixed", .partitions = 2, .replication_factor = 1},
        {.name = "rolling",
         .partitions = 2,
         .replication_factor = 1,
         .configs = {{"internal.segment.bytes", "65536"}, {"retention.bytes", "200000"}}},
        {.name = "growing", .partitions = 1, .replication_factor = 1},
        {.name = "fleeting", .partitions = 2, .replication_factor = 1, .configs = {{"durability", "memory"}}},
        {.name = "bounded",
         .partitions = 1,
         .replication_factor = 1,
         .configs = {{"durability", "memory"}, {"flush.messages", "1"}}},
        {.name = "keyed",
         .partitions = 2,
         .replication_factor = 1,
         .configs = {{"cleanup.policy", "compact"},
                     {"internal.segment.bytes", "20000"},
                     {"min.cleanable.dirty.ratio", "0.01"}}},
    }};
    return topics;
}

}  // namespace

Task<> Workload::administrate(Io& io, size_t place) {
    Actor actor(*this, io, place, 2000);
    bool ready = false;
    while (actor.goes_on() && !ready) {
        ready = co_await make_first_topics(actor);
        if (!ready) co_await actor.rest(300);
    }
    while (actor.goes_on()) {
        const bool done = co_await act(actor);
        if (done) actor.did();
        co_await actor.rest(200);
    }
    co_await actor.client.close();
}

Task<bool> Workload::make_first_topics(Actor& actor) {
    for (const client::NewTopic& topic : first_topics()) {
        if (ledger_.topics().contains(topic.name) && ledger_.is_certain(topic.name)) continue;
        ledger_.topics()[topic.name].rolls = topic.name == "rolling";
        ledger_.topics()[topic.name].in_memory = topic.name == "fleeting";
        ledger_.topics()[topic.name].compacts = topic.name == "keyed";
        const bool made = co_await create(actor, topic);
        if (!made) co_return false;
    }
    co_return true;
}

Task<bool> Workload::act(Actor& actor) {
    constexpr std::array<const char*, 3> changed{"steady", "mixed", "growing"};
    Task<bool> action = choose(actor, changed[below(changed.size())]);
    co_return co_await action;
}

Task<bool> Workload::choose(Actor& actor, const char* topic) {
    switch (below(10)) {
        case 0: return make_topic(actor);
        case 1: return remove_topic(actor);
        case 2: return make_again(actor);
        case 3: return grow(actor, "growing");
        case 4: return delete_records(actor, "mixed");
        case 5:
        case 6: return set_retention(actor, topic);
        case 7: return look_at_config(actor, topic);
        case 8: return change(actor, "fleeting", "durability", below(2) == 0 ? "flush" : "memory");
        default: return look_at_topics(actor);
    }
}

// ---- Topics come and go ---------------------------------------------------------------------------------

Task<bool> Workload::make_topic(Actor& actor) {
    if (volatile_topics_.size() >= volatile_topics_max) co_return co_await remove_topic(actor);
    const std::string name = fmt::format("volatile-{}", ++last_topic_);
    volatile_topics_.push_back(name);
    const auto partitions = static_cast<int32_t>(1 + below(3));
    const bool made =
        co_await create(actor, {.name = name, .partitions = partitions, .replication_factor = 1});
    if (!made) co_return false;
    const ProducerPlan plan{name, -1, true, 2000, 3000};
    client::Producer producer(actor.client, name, {.idempotent = true});
    const Result<> opened = co_await producer.open();
    if (!opened) co_return false;
    const uint32_t identity = ledger_.new_producer();
    co_return co_await send_round(actor, plan, producer, identity);
}

Task<bool> Workload::remove_topic(Actor& actor) {
    if (volatile_topics_.empty()) co_return false;
    const size_t place = below(volatile_topics_.size());
    const std::string name = volatile_topics_[place];
    const bool removed = co_await remove(actor, name);
    if (removed) std::erase(volatile_topics_, name);
    co_return removed;
}

Task<bool> Workload::make_again(Actor& actor) {
    if (ledger_.topics().contains(phoenix)) {
        const bool removed = co_await remove(actor, phoenix);
        if (!removed) co_return false;
    }
    const bool made = co_await create(actor, {.name = phoenix, .partitions = 1, .replication_factor = 1});
    if (!made) co_return false;
    client::Producer producer(actor.client, phoenix, {.idempotent = true});
    const Result<> opened = co_await producer.open();
    if (!opened) co_return false;
    const auto end = co_await actor.client.list_offset(phoenix, 0, -1);
    if (end && *end != 0) ledger_.problem(fmt::format("a topic that was made again ends at {}", *end));
    const auto added = producer.add({.key = {}, .value = as_bytes("ashes"), .partition = 0});
    ASSERT(added.ok());
    const auto results = co_await producer.flush();
    co_return results.front().error == Error::none;
}

Task<bool> Workload::create(Actor& actor, client::NewTopic topic) {
    auto& known = ledger_.topics()[topic.name];
    known.may_exist = true;
    known.may_be_missing = true;
    known.partitions_least = known.partitions_most = topic.partitions;
    known.retention_ms = {""};
    known.is_being_made = true;
    const auto created = co_await client::create_topic(actor.client, topic);
    actor.saw("create", created.outcome.error);
    if (created.outcome.error != Error::none && created.outcome.error != Error::topic_already_exists)
        co_return false;
    ledger_.topics()[topic.name].may_be_missing = false;
    ledger_.topics()[topic.name].is_being_made = false;
    co_return true;
}

Task<bool> Workload::remove(Actor& actor, std::string name) {
    ledger_.topics()[name].may_be_missing = true;
    const auto removed = co_await client::delete_topic(actor.client, name);
    actor.saw("delete", removed.error);
    if (removed.error != Error::none && removed.error != Error::unknown_topic_or_partition) co_return false;
    // What was not there may still come: a request that waited for room, say.
    const bool may_come = removed.error != Error::none && ledger_.topics()[name].is_being_made;
    if (!may_come) ledger_.topics()[name].may_exist = ledger_.topics()[name].is_being_made = false;
    co_return true;
}

Task<bool> Workload::grow(Actor& actor, std::string name) {
    auto& known = ledger_.topics()[name];
    if (known.partitions_least == partitions_max) co_return co_await look_at_topics(actor);
    const int32_t count = std::max(known.partitions_most, known.partitions_least + 1);
    known.partitions_most = count;
    wire::CreatePartitionsRequest::Topic asked{.name = name, .count = count};
    asked.assignments.reset();
    const wire::CreatePartitionsRequest request{.topics = {&asked, 1}, .timeout_ms = timeout_ms};
    const auto reply = co_await actor.client.ask_controller<wire::CreatePartitionsResponse>(request);
    actor.saw("grow", reply.error());
    if (!reply || (*reply)->results.size() != 1) co_return false;
    const Error error = (*reply)->results[0].error_code;
    actor.saw("grow", error);
    if (error != Error::none && error != Error::invalid_partitions) co_return false;
    ledger_.topics()[name].partitions_least = count;
    co_return true;
}

// ---- Changes of a topic ---------------------------------------------------------------------------------

Task<bool> Workload::delete_records(Actor& actor, std::string name) {
    const auto partition = static_cast<int32_t>(below(2));
    const auto start = co_await actor.client.list_offset(name, partition, -2);
    const auto end = co_await actor.client.list_offset(name, partition, -1);
    if (!start || !end || *end == *start) co_return false;
    const int64_t before = *start + static_cast<int64_t>(below(static_cast<uint64_t>(*end - *start + 1)));
    ledger_.ask_delete({name, partition}, before);
    wire::DeleteRecordsRequest::Partition asked{.partition_index = partition, .offset = before};
    wire::DeleteRecordsRequest::Topic topic{.name = name, .partitions = {&asked, 1}};
    const wire::DeleteRecordsRequest request{.topics = {&topic, 1}, .timeout_ms = timeout_ms};
    const auto reply = co_await actor.client.ask_controller<wire::DeleteRecordsResponse>(request);
    if (!reply || (*reply)->topics.size() != 1 || (*reply)->topics[0].partitions.size() != 1) co_return false;
    const auto& told = (*reply)->topics[0].partitions[0];
    actor.saw("delete records", told.error_code);
    if (told.error_code != Error::none) co_return false;
    ledger_.deleted({name, partition}, told.low_watermark);
    if (told.low_watermark < before)
        ledger_.problem(fmt::format("{}-{}: asked to delete {}, deleted {}", name, partition, before,
                                    told.low_watermark));
    co_return true;
}

Task<bool> Workload::set_retention(Actor& actor, std::string name) {
    const std::string value = std::to_string(600'000'000 + below(1000));
    ledger_.topics()[name].retention_ms.insert(value);
    const bool changed = co_await change(actor, name, "retention.ms", value);
    if (changed) ledger_.topics()[name].retention_ms = {value};
    co_return changed;
}

Task<bool> Workload::change(Actor& actor, std::string name, std::string setting, std::string value) {
    wire::IncrementalAlterConfigsRequest::Config config{
        .name = setting, .config_operation = 0, .value = std::string_view(value)};
    wire::IncrementalAlterConfigsRequest::Resource resource{
        .resource_type = topic_resource, .resource_name = name, .configs = {&config, 1}};
    const wire::IncrementalAlterConfigsRequest request{.resources = {&resource, 1}};
    const auto reply = co_await actor.client.ask_controller<wire::IncrementalAlterConfigsResponse>(request);
    if (!reply || (*reply)->responses.size() != 1) co_return false;
    actor.saw("alter", (*reply)->responses[0].error_code);
    co_return (*reply)->responses[0].error_code == Error::none;
}

// ---- Looking --------------------------------------------------------------------------------------------

Task<bool> Workload::look_at_topics(Actor& actor) {
    const Result<> known = co_await actor.client.refresh({});
    actor.saw("look", known.error());
    if (!known) co_return false;
    std::map<std::string, int32_t> seen;
    for (const auto& [name, topic] : actor.client.topics())
        seen[name] = static_cast<int32_t>(topic.partitions.size());
    ledger_.saw_topics(seen);
    co_return true;
}

Task<bool> Workload::look_at_config(Actor& actor, std::string name) {
    const auto configs = co_await client::topic_configs(actor.client, name);
    actor.saw("configs", configs.error());
    if (!configs) co_return false;
    std::string value;
    for (const client::DescribedConfig& config : *configs)
        if (config.name == "retention.ms" && config.source == static_cast<int8_t>(ConfigSource::topic))
            value = config.value.value_or("");
    if (!ledger_.topics()[name].retention_ms.contains(value))
        ledger_.problem(fmt::format("{}: retention.ms is '{}', which is not what was set", name, value));
    co_return true;
}

}  // namespace millrace::sim
