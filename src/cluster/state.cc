// The metadata image: what the broker asks of it. How records change it is in replay.cc.
//
// The unordered maps only find; whatever is walked is ordered, so that every copy gives the same answers.
// Each shard owns its copy.
#include "millrace/cluster.h"

namespace millrace {

Uuid new_uuid(Io& io) {
    Uuid id;
    store_big<uint64_t>(id.bytes.data(), io.random());
    store_big<uint64_t>(id.bytes.data() + 8, io.random());
    id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

namespace {

// Only names with one of these can be mistaken for another.
bool may_collide(std::string_view name) { return name.find_first_of("._") != name.npos; }

std::string with_underscores(std::string_view name) {
    std::string unified{name};
    std::replace(unified.begin(), unified.end(), '.', '_');
    return unified;
}

// Feeds one hash with everything that is given to it, in order; lengths keep neighbours apart.
class Fingerprint {
 public:
    void add(std::string_view text) {
        add(text.size());
        hash_ = hash64(as_bytes(text), hash_);
    }
    void add(uint64_t number) {
        uint8_t bytes[8];
        store_big(bytes, number);
        hash_ = hash64(bytes, hash_);
    }
    void add(const Uuid& id) { hash_ = hash64(id.bytes, hash_); }
    void add(std::span<const NodeId> nodes) {
        add(nodes.size());
        for (const NodeId node : nodes) add(uint64_t(node.value));
    }
    void add(const ConfigMap& configs) {
        add(configs.size());
        for (const auto& [name, value] : configs) add(name), add(value);
    }
    void add(const TopicInfo& topic) {
        add(topic.name), add(topic.id), add(topic.configs), add(topic.partitions.size());
        for (const PartitionInfo& partition : topic.partitions) add(partition);
    }
    void add(const PartitionInfo& partition) {
        add(partition.replicas), add(partition.isr), add(partition.slot.value);
        add(uint64_t(partition.leader.value)), add(uint64_t(partition.leader_epoch.value));
        add(uint64_t(partition.partition_epoch));
    }
    void add(const BrokerInfo& broker) {
        add(uint64_t(broker.id.value)), add(uint64_t(broker.epoch)), add(broker.incarnation);
        add(broker.endpoints.size());
        for (const BrokerEndpoint& endpoint : broker.endpoints) {
            add(endpoint.listener), add(endpoint.host), add(endpoint.port);
            add(uint64_t(endpoint.security_protocol));
        }
        add(uint64_t{broker.rack.has_value()}), add(broker.rack.value_or("")), add(uint64_t{broker.fenced});
    }
    uint64_t value() const { return hash_; }

 private:
    uint64_t hash_ = 0;
};

}  // namespace

bool TopicInfo::is_internal() const {
    return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

const BrokerEndpoint* BrokerInfo::endpoint(std::string_view listener) const {
    for (const BrokerEndpoint& endpoint : endpoints)
        if (endpoint.listener == listener) return &endpoint;
    return nullptr;
}

const TopicInfo* MetadataState::topic(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

const TopicInfo* MetadataState::topic(const Uuid& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

const PartitionInfo* MetadataState::partition(const TopicInfo* topic, int32_t index) {
    if (!topic || index < 0 || index >= topic->partition_count()) return nullptr;
    return &topic->partitions[index];
}

std::optional<TopicPartition> MetadataState::partition(Slot slot) const {
    auto run = slots_.upper_bound(slot.value);
    if (run == slots_.begin()) return std::nullopt;
    --run;
    const auto distance = static_cast<int64_t>(slot.value) - run->first;
    if (distance >= run->second.count) return std::nullopt;
    const TopicPartition found{run->second.topic,
                               run->second.first_partition + static_cast<int32_t>(distance)};
    ASSERT(found.info().slot == slot);
    return found;
}

std::string_view MetadataState::colliding_topic(std::string_view name) const {
    const auto same = colliding_.find(with_underscores(name));
    if (same == colliding_.end()) return {};
    for (const std::string_view other : same->second)
        if (other != name) return other;
    return {};
}

const ConfigMap& MetadataState::configs(ConfigKind kind, std::string_view name) const {
    static const ConfigMap none;
    if (kind == ConfigKind::topic) {
        const TopicInfo* found = topic(name);
        return found ? found->configs : none;
    }
    const auto& all = all_configs(kind);
    const auto found = all.find(name);
    return found == all.end() ? none : found->second;
}

const std::map<std::string, ConfigMap, std::less<>>& MetadataState::all_configs(ConfigKind kind) const {
    static const std::map<std::string, ConfigMap, std::less<>> none;
    ASSERT(kind != ConfigKind::topic);
    const auto found = configs_.find(kind);
    return found == configs_.end() ? none : found->second;
}

const BrokerInfo* MetadataState::broker(NodeId id) const {
    const auto found = brokers_.find(id);
    return found == brokers_.end() ? nullptr : &found->second;
}

uint64_t MetadataState::fingerprint() const {
    Fingerprint print;
    print.add(cluster_id_), print.add(uint64_t(next_offset_.value));
    print.add(topics_.size());
    for (const auto& [name, topic] : topics_) print.add(topic);
    for (const auto& [kind, resources] : configs_) {
        print.add(uint64_t(kind)), print.add(resources.size());
        for (const auto& [name, configs] : resources) print.add(name), print.add(configs);
    }
    print.add(brokers_.size());
    for (const auto& [id, broker] : brokers_) print.add(broker);
    print.add(features_.size());
    for (const auto& [name, level] : features_) print.add(name), print.add(uint64_t(level));
    print.add(partition_count_), print.add(next_slot_), print.add(uint64_t(next_producer_id_));
    return print.value();
}

// ---- Indexes, kept in step by the replay ---------------------------------------------------------------

TopicInfo& MetadataState::add_topic(std::string_view name, const Uuid& id) {
    auto& topic = topics_.try_emplace(std::string{name}).first->second;
    ASSERT(topic.name.empty());
    topic.name = name;
    topic.id = id;
    by_name_.emplace(topic.name, &topic);
    by_id_.emplace(id, &topic);
    if (may_collide(name)) colliding_[with_underscores(name)].insert(topic.name);
    ASSERT(by_name_.size() == topics_.size());
    ASSERT(by_id_.size() == topics_.size());
    return topic;
}

TopicInfo MetadataState::take_topic(const Uuid& id) {
    ASSERT(by_id_.contains(id));
    TopicInfo& topic = *by_id_.find(id)->second;
    for (size_t i = 0; i < topic.partitions.size();) {
        const auto run = slots_.find(topic.partitions[i].slot.value);
        ASSERT(run != slots_.end());
        i += run->second.count;
        slots_.erase(run);
    }
    partition_count_ -= topic.partitions.size();
    if (may_collide(topic.name)) forget_collision(topic.name);
    by_name_.erase(topic.name);
    by_id_.erase(id);
    TopicInfo taken = std::move(topic);
    topics_.erase(taken.name);
    ASSERT(by_name_.size() == topics_.size());
    return taken;
}

void MetadataState::forget_collision(std::string_view name) {
    const auto same = colliding_.find(with_underscores(name));
    ASSERT(same != colliding_.end());
    same->second.erase(name);
    if (same->second.empty()) colliding_.erase(same);
}

PartitionInfo& MetadataState::add_partition(TopicInfo& topic) {
    const uint32_t slot = next_slot_++;
    ASSERT(next_slot_ != 0);
    const int32_t index = topic.partition_count();
    if (!slots_.empty() && slots_.rbegin()->second.continues(topic, index, slots_.rbegin()->first, slot))
        slots_.rbegin()->second.count++;
    else
        slots_.emplace(slot, SlotRun{&topic, index, 1});
    partition_count_++;
    topic.partitions.emplace_back().slot = Slot{slot};
    return topic.partitions.back();
}

std::span<const NodeId> MetadataState::intern(std::span<const int32_t> nodes) {
    std::vector<NodeId> list;
    list.reserve(nodes.size());
    for (const int32_t node : nodes) list.emplace_back(node);
    return *node_lists_.insert(std::move(list)).first;
}

}  // namespace millrace
