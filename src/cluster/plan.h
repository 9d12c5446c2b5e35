// What an admin request would change: its items judged one by one, and the records that would do it.
//
// Planning changes nothing and waits for nothing, so a plan is right as long as its turn lasts. Texts and the
// order of checks are those of Kafka's controller.
#pragma once
#include "millrace/cluster.h"
#include "millrace/wire.h"

namespace millrace {

template <class Record> void add_record(MetadataRecords& records, const Record& record, int16_t version) {
    wire::Writer writer;
    wire::encode_metadata_record(writer, record, version);
    records.add(writer.copy());
}

template <class Outcome> struct Plan {
    std::vector<Outcome> outcomes;
    MetadataRecords records;
};

// An error with Kafka's own sentence for it.
AdminOutcome refusal(Error error);

// Of everything that was to be changed, nothing was.
template <class Outcome> void fail_all(std::vector<Outcome>& outcomes, Error error) {
    for (Outcome& outcome : outcomes)
        if (outcome.ok()) static_cast<AdminOutcome&>(outcome) = refusal(error);
}

// Topics are added one after the other; existing ones may grow. Counts what the request adds, so that the
// limits hold for it as a whole.
class TopicPlanner {
 public:
    TopicPlanner(const MetadataState& state, const ControllerOptions& options, Io& io);

    TopicOutcome create(const NewTopic& topic);
    TopicOutcome grow(const NewPartitions& topic);
    MetadataRecords take_records() { return std::move(records_); }

 private:
    AdminOutcome judge(const NewTopic& topic) const;
    AdminOutcome judge_counts(const NewTopic& topic) const;
    AdminOutcome judge_limits(size_t topics, size_t partitions) const;
    Uuid new_id();
    void add_partitions(const Uuid& topic, int32_t first, std::span<const struct Placed> placed);

    const MetadataState& state_;
    const ControllerOptions& options_;
    Io& io_;
    MetadataRecords records_;
    size_t topics_added_ = 0;
    size_t partitions_added_ = 0;
};

// How many partitions the request asks for, at most.
uint64_t partitions_asked(std::span<const NewTopic> topics, int32_t partitions_default);

Plan<DeletedTopic> plan_deletion(const MetadataState& state, std::span<const TopicToDelete> topics);
Plan<AdminOutcome> plan_configs(const MetadataState& state, std::span<const ResourceChange> changes);

}  // namespace millrace
