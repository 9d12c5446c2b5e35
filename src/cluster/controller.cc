// The controller: takes turns, has requests judged, and has what they change committed.
//
// Between enter() and leave() nobody else changes the metadata: a plan that was made at the beginning still
// holds when its records are committed. Owned by shard 0.
#include "millrace/wire/broker_records.h"
#include "millrace/wire/cluster_records.h"
#include "plan.h"
#include "turns.h"

namespace millrace {
namespace {

constexpr int16_t register_record_version = 3;

std::string_view kafka_sentence(Error error) {
    switch (error) {
        case Error::unknown_topic_or_partition: return "This server does not host this topic-partition.";
        case Error::unknown_topic_id: return "This server does not host this topic ID.";
        case Error::topic_authorization_failed: return "Authorization failed.";
        case Error::topic_deletion_disabled: return "Topic deletion is disabled.";
        case Error::request_timed_out: return "The request timed out.";
        case Error::not_controller: return "This is not the correct controller for this cluster.";
        case Error::kafka_storage_error: return "Disk error when trying to access log file on the disk.";
        default: return error_message(error);
    }
}

bool same_registration(const BrokerInfo& broker, const BrokerRegistration& registration) {
    return broker.incarnation == registration.incarnation && broker.endpoints == registration.endpoints &&
           broker.rack == registration.rack && !broker.fenced;
}

void add_registration(MetadataRecords& records, const BrokerRegistration& registration, int64_t epoch) {
    std::vector<wire::RegisterBrokerRecord::Endpoint> endpoints;
    for (const BrokerEndpoint& endpoint : registration.endpoints)
        endpoints.push_back({endpoint.listener, endpoint.host, endpoint.port, endpoint.security_protocol});
    wire::RegisterBrokerRecord record{.broker_id = registration.id.value,
                                      .incarnation_id = registration.incarnation,
                                      .broker_epoch = epoch,
                                      .end_points = endpoints,
                                      .rack = {},
                                      .fenced = false};
    if (registration.rack) record.rack = *registration.rack;
    add_record(records, record, register_record_version);
}

// The items without the repetitions of a name; how often each one was there.
template <class Item, class Name> auto count_names(const std::vector<Item>& items, Name Item::*name) {
    std::map<std::string_view, int> counted;
    for (const Item& item : items) counted[item.*name]++;
    return counted;
}

TopicOutcome outcome_for(std::string name, Error error, std::string_view message) {
    TopicOutcome outcome;
    outcome.error = error;
    outcome.message = message;
    outcome.name = std::move(name);
    return outcome;
}

TopicOutcome existing(const TopicInfo& topic) {
    TopicOutcome outcome;
    outcome.name = topic.name;
    outcome.id = topic.id;
    outcome.partitions = topic.partition_count();
    outcome.replication_factor = static_cast<int16_t>(topic.partitions.front().replicas.size());
    return outcome;
}

constexpr std::string_view duplicate_name = "Duplicate topic name.";
constexpr std::string_view too_many_partitions = "Excessively large number of partitions per request.";

}  // namespace

AdminOutcome refusal(Error error) { return {error, std::string{kafka_sentence(error)}}; }

Controller::Controller(Io& io, const MetadataState& state, MetadataLog& log, ControllerOptions options)
    : io_(io),
      state_(state),
      log_(log),
      options_(options),
      turns_(std::make_unique<Turns>(options.waiting_max)) {
    ASSERT(options.partitions_default > 0);
    ASSERT(options.replication_factor_default > 0);
}

Controller::~Controller() = default;

Task<Error> Controller::commit(MetadataRecords records) {
    if (records.empty()) co_return Error::none;
    const Offset before = state_.next_offset();
    const auto count = static_cast<int64_t>(records.count());
    const auto committed = co_await log_.propose(std::move(records));
    if (!committed) co_return committed.error();
    ASSERT(*committed == before);
    ASSERT(state_.next_offset() == before + count);
    co_return Error::none;
}

// ---- Topics --------------------------------------------------------------------------------------------

Task<std::vector<TopicOutcome>> Controller::create_topics(std::vector<NewTopic> topics, Effect effect) {
    return create(std::move(topics), Existing::refused, effect);
}

Task<std::vector<TopicOutcome>> Controller::ensure_topics(std::vector<NewTopic> topics) {
    return create(std::move(topics), Existing::accepted, Effect::commit);
}

Task<std::vector<TopicOutcome>> Controller::create(std::vector<NewTopic> topics, Existing accept,
                                                   Effect effect) {
    const bool entered = co_await turns_->enter();
    std::vector<TopicOutcome> outcomes;
    TopicPlanner planner{state_, options_, io_};
    const bool excessive =
        partitions_asked(topics, options_.partitions_default) > options_.partitions_per_request_max;
    auto names = count_names(topics, &NewTopic::name);
    for (const NewTopic& topic : topics) {
        const int times = std::exchange(names[topic.name], 0);
        const TopicInfo* known = accept == Existing::accepted ? state_.topic(topic.name) : nullptr;
        if (times == 0) continue;  // Answered already.
        if (excessive)
            outcomes.push_back(outcome_for(topic.name, Error::policy_violation, too_many_partitions));
        else if (times > 1)
            outcomes.push_back(outcome_for(topic.name, Error::invalid_request, duplicate_name));
        else
            outcomes.push_back(known ? existing(*known) : planner.create(topic));
    }
    Error failed = entered ? Error::none : Error::request_timed_out;
    if (entered && effect == Effect::commit) failed = co_await commit(planner.take_records());
    if (entered) turns_->leave();
    if (failed != Error::none) fail_all(outcomes, failed);
    co_return outcomes;
}

Task<std::vector<TopicOutcome>> Controller::create_partitions(std::vector<NewPartitions> topics,
                                                              Effect effect) {
    const bool entered = co_await turns_->enter();
    std::vector<TopicOutcome> outcomes;
    TopicPlanner planner{state_, options_, io_};
    auto names = count_names(topics, &NewPartitions::topic);
    for (const NewPartitions& topic : topics) {
        const int times = std::exchange(names[topic.topic], 0);
        if (times > 1) outcomes.push_back(outcome_for(topic.topic, Error::invalid_request, duplicate_name));
        if (times == 1) outcomes.push_back(planner.grow(topic));
    }
    Error failed = entered ? Error::none : Error::request_timed_out;
    if (entered && effect == Effect::commit) failed = co_await commit(planner.take_records());
    if (entered) turns_->leave();
    if (failed != Error::none) fail_all(outcomes, failed);
    co_return outcomes;
}

Task<std::vector<DeletedTopic>> Controller::delete_topics(std::vector<TopicToDelete> topics) {
    const bool entered = co_await turns_->enter();
    auto plan = plan_deletion(state_, topics);
    Error failed = entered ? Error::none : Error::request_timed_out;
    if (!options_.topic_deletion) failed = Error::topic_deletion_disabled;
    if (failed == Error::none) failed = co_await commit(std::move(plan.records));
    if (entered) turns_->leave();
    if (failed != Error::none) fail_all(plan.outcomes, failed);
    co_return std::move(plan.outcomes);
}

// ---- Configs, producer ids, brokers --------------------------------------------------------------------

Task<std::vector<AdminOutcome>> Controller::alter_configs(std::vector<ResourceChange> changes,
                                                          Effect effect) {
    const bool entered = co_await turns_->enter();
    auto plan = plan_configs(state_, changes);
    Error failed = entered ? Error::none : Error::request_timed_out;
    if (entered && effect == Effect::commit) failed = co_await commit(std::move(plan.records));
    if (entered) turns_->leave();
    if (failed != Error::none) fail_all(plan.outcomes, failed);
    co_return std::move(plan.outcomes);
}

Task<Result<ProducerIdBlock>> Controller::allocate_producer_ids(NodeId broker) {
    if (!co_await turns_->enter()) co_return Error::request_timed_out;
    const ProducerIdBlock block{.first = state_.next_producer_id(), .size = producer_ids_per_block};
    const BrokerInfo* registered = state_.broker(broker);
    Error failed = Error::broker_id_not_registered;
    if (registered) {
        MetadataRecords records;
        const wire::ProducerIdsRecord record{broker.value, registered->epoch, block.first + block.size};
        add_record(records, record, 0);
        failed = co_await commit(std::move(records));
    }
    turns_->leave();
    if (failed != Error::none) co_return failed;
    co_return block;
}

Task<Result<void>> Controller::register_broker(BrokerRegistration registration) {
    if (!co_await turns_->enter()) co_return Error::request_timed_out;
    const BrokerInfo* broker = state_.broker(registration.id);
    MetadataRecords records;
    if (!broker || !same_registration(*broker, registration))
        add_registration(records, registration, state_.next_offset().value);
    const Error failed = co_await commit(std::move(records));
    turns_->leave();
    co_return failed;
}

}  // namespace millrace
