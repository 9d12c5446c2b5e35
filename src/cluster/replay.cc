// How committed records change the metadata image: one function per record type.
//
// A record that does not fit the state is refused: the log was written by a controller that judged against
// the same state, so it can only be damage. What follows from a record follows here and nowhere else, slots
// and epochs included, so that every replica of the image agrees.
#include "millrace/batch.h"
#include "millrace/cluster.h"
#include "millrace/wire.h"
#include "millrace/wire/broker_records.h"
#include "millrace/wire/cluster_records.h"
#include "millrace/wire/topic_records.h"

namespace millrace {

class MetadataReplay {
 public:
    MetadataReplay(MetadataState& state, MetadataObserver& observer) : state_(state), observer_(observer) {}

    Result<void> apply_batch(const BatchView& batch) {
        Decompressor decompressor;
        auto records = RecordReader::open(batch, decompressor);
        if (!records) return records.error();
        while (const auto record = records->next()) {
            if (!record->value) return Error::corrupt_message;
            if (auto applied = apply_value(*record->value); !applied) return applied;
        }
        return records->error() == Error::none ? Result<void>{} : Error::corrupt_message;
    }

 private:
    Result<void> apply_value(Bytes value) {
        const auto parsed = wire::parse_metadata_record(value);
        if (!parsed) return Error::corrupt_message;
        switch (parsed->type) {
            case wire::RegisterBrokerRecord::api.key: return decode<wire::RegisterBrokerRecord>(*parsed);
            case wire::UnregisterBrokerRecord::api.key: return decode<wire::UnregisterBrokerRecord>(*parsed);
            case wire::TopicRecord::api.key: return decode<wire::TopicRecord>(*parsed);
            case wire::PartitionRecord::api.key: return decode<wire::PartitionRecord>(*parsed);
            case wire::PartitionChangeRecord::api.key: return decode<wire::PartitionChangeRecord>(*parsed);
            case wire::RemoveTopicRecord::api.key: return decode<wire::RemoveTopicRecord>(*parsed);
            case wire::ConfigRecord::api.key: return decode<wire::ConfigRecord>(*parsed);
            case wire::FeatureLevelRecord::api.key: return decode<wire::FeatureLevelRecord>(*parsed);
            case wire::ProducerIdsRecord::api.key: return decode<wire::ProducerIdsRecord>(*parsed);
            case wire::FenceBrokerRecord::api.key: return decode<wire::FenceBrokerRecord>(*parsed);
            case wire::UnfenceBrokerRecord::api.key: return decode<wire::UnfenceBrokerRecord>(*parsed);
            case wire::BrokerRegistrationChangeRecord::api.key:
                return decode<wire::BrokerRegistrationChangeRecord>(*parsed);
            case wire::NoOpRecord::api.key: return {};
            default: return Error::unsupported_version;
        }
    }

    template <class Record> Result<void> decode(const wire::MetadataBody& body) {
        if (!Record::api.versions.has(body.version)) return Error::unsupported_version;
        memory_.reset();
        const auto record = wire::decode<Record>(body.body, body.version, memory_);
        if (!record) return Error::corrupt_message;
        return apply(*record) ? Result<void>{} : Error::corrupt_message;
    }

    // ---- Topics. False: it does not fit.

    bool apply(const wire::TopicRecord& record) {
        if (state_.topic(record.name) || state_.topic(record.topic_id)) return false;
        state_.add_topic(record.name, record.topic_id);
        return true;
    }

    bool apply(const wire::PartitionRecord& record) {
        TopicInfo* topic = find(record.topic_id);
        if (!topic || record.partition_id != topic->partition_count()) return false;
        PartitionInfo& partition = state_.add_partition(*topic);
        partition.replicas = state_.intern(record.replicas);
        partition.isr = state_.intern(record.isr);
        partition.leader = NodeId{record.leader};
        partition.leader_epoch = Epoch{record.leader_epoch};
        partition.partition_epoch = record.partition_epoch;
        observer_.partition_added(*topic, record.partition_id);
        return true;
    }

    bool apply(const wire::PartitionChangeRecord& record) {
        TopicInfo* topic = find(record.topic_id);
        const int32_t index = record.partition_id;
        if (!topic || index < 0 || index >= topic->partition_count()) return false;
        PartitionInfo& partition = topic->partitions[index];
        if (record.isr) partition.isr = state_.intern(*record.isr);
        if (record.replicas) partition.replicas = state_.intern(*record.replicas);
        if (record.leader != leader_unchanged) {
            partition.leader = NodeId{record.leader};
            ++partition.leader_epoch;
        }
        partition.partition_epoch++;
        observer_.partition_changed(*topic, index);
        return true;
    }

    bool apply(const wire::RemoveTopicRecord& record) {
        if (!state_.topic(record.topic_id)) return false;
        const TopicInfo removed = state_.take_topic(record.topic_id);
        observer_.topic_removed(removed);
        return true;
    }

    // ---- Configs, features, producer ids

    bool apply(const wire::ConfigRecord& record) {
        const auto kind = ConfigKind{record.resource_type};
        ConfigMap* configs = configs_of(kind, record.resource_name);
        if (!configs) return false;
        if (record.value)
            configs->insert_or_assign(std::string{record.name}, std::string{*record.value});
        else if (const auto found = configs->find(record.name); found != configs->end())
            configs->erase(found);
        if (kind != ConfigKind::topic && configs->empty())
            state_.configs_[kind].erase(std::string{record.resource_name});
        observer_.configs_changed(kind, record.resource_name);
        return true;
    }

    ConfigMap* configs_of(ConfigKind kind, std::string_view name) {
        if (kind != ConfigKind::topic) return &state_.configs_[kind][std::string{name}];
        const auto found = state_.by_name_.find(name);
        return found == state_.by_name_.end() ? nullptr : &found->second->configs;
    }

    bool apply(const wire::FeatureLevelRecord& record) {
        if (record.feature_level == 0) {
            state_.features_.erase(std::string{record.name});
        } else {
            state_.features_.insert_or_assign(std::string{record.name}, record.feature_level);
        }
        return true;
    }

    bool apply(const wire::ProducerIdsRecord& record) {
        if (record.next_producer_id < state_.next_producer_id_) return false;
        state_.next_producer_id_ = record.next_producer_id;
        return true;
    }

    // ---- Brokers

    bool apply(const wire::RegisterBrokerRecord& record) {
        BrokerInfo broker{.id = NodeId{record.broker_id}, .epoch = record.broker_epoch};
        broker.incarnation = record.incarnation_id;
        for (const auto& endpoint : record.end_points)
            broker.endpoints.push_back({std::string{endpoint.name}, std::string{endpoint.host}, endpoint.port,
                                        endpoint.security_protocol});
        if (record.rack) broker.rack = std::string{*record.rack};
        broker.fenced = record.fenced;
        const auto known = state_.brokers_.find(broker.id);
        if (known != state_.brokers_.end() && known->second.incarnation != broker.incarnation)
            begin_epochs(broker.id);
        state_.brokers_.insert_or_assign(broker.id, std::move(broker));
        observer_.brokers_changed();
        return true;
    }

    // A process that comes back may have lost what it had in memory: what it leads, it leads in a new epoch,
    // so that clients see where their history ends. (In a cluster fencing would do that, record by record.)
    void begin_epochs(NodeId leader) {
        for (auto& [name, topic] : state_.topics_)
            for (PartitionInfo& partition : topic.partitions)
                if (partition.leader == leader) ++partition.leader_epoch;
    }

    bool apply(const wire::UnregisterBrokerRecord& record) {
        if (!registered(record.broker_id, record.broker_epoch)) return false;
        state_.brokers_.erase(NodeId{record.broker_id});
        observer_.brokers_changed();
        return true;
    }

    bool apply(const wire::FenceBrokerRecord& record) { return set_fenced(record.id, record.epoch, true); }
    bool apply(const wire::UnfenceBrokerRecord& record) { return set_fenced(record.id, record.epoch, false); }

    // Its field says 1 for fenced, -1 for no longer fenced, 0 for no change.
    bool apply(const wire::BrokerRegistrationChangeRecord& record) {
        const BrokerInfo* broker = registered(record.broker_id, record.broker_epoch);
        if (!broker || record.fenced < -1 || record.fenced > 1) return false;
        const bool fenced = record.fenced == 0 ? broker->fenced : record.fenced == 1;
        return set_fenced(record.broker_id, record.broker_epoch, fenced);
    }

    bool set_fenced(int32_t id, int64_t epoch, bool fenced) {
        BrokerInfo* broker = registered(id, epoch);
        if (!broker) return false;
        broker->fenced = fenced;
        observer_.brokers_changed();
        return true;
    }

    BrokerInfo* registered(int32_t id, int64_t epoch) {
        const auto found = state_.brokers_.find(NodeId{id});
        return found == state_.brokers_.end() || found->second.epoch != epoch ? nullptr : &found->second;
    }

    TopicInfo* find(const Uuid& id) {
        const auto found = state_.by_id_.find(id);
        return found == state_.by_id_.end() ? nullptr : found->second;
    }

    static constexpr int32_t leader_unchanged = -2;

    MetadataState& state_;
    MetadataObserver& observer_;
    Arena memory_;
};

Result<void> MetadataState::apply(Bytes bytes, MetadataObserver* observer) {
    struct : MetadataObserver {
    } nobody;
    const auto batch = BatchView::parse(bytes);
    if (!batch || batch->size() != bytes.size() || !batch->crc_matches()) return Error::corrupt_message;
    if (batch->base_offset() != next_offset_) return Error::corrupt_message;
    // Control batches tell of the log itself: who led it, who votes.
    if (!batch->is_control()) {
        MetadataReplay replay{*this, observer ? *observer : nobody};
        if (auto applied = replay.apply_batch(*batch); !applied) return applied;
    }
    next_offset_ = batch->next_offset();
    return {};
}

}  // namespace millrace
