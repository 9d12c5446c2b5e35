// The cluster's metadata: what exists, who leads it, how it is configured, and how that is changed.
//
// A change is a batch of KRaft-shaped records that the controller (on shard 0) proposes to the metadata log.
// What is committed is given to every shard, and each shard replays it into its own MetadataState: the same
// batches in the same order make the same state, slots included. Nothing here is shared between shards.
#pragma once
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/base.h"
#include "millrace/config.h"
#include "millrace/io.h"
#include "millrace/task.h"

namespace millrace {

// ---- The image -----------------------------------------------------------------------------------------

inline constexpr NodeId no_leader{-1};
// The metadata log's own place: `__cluster_metadata-0`, on shard 0, with the id that Kafka reserves for it.
inline constexpr Slot metadata_slot{0};
inline constexpr std::string_view metadata_topic_name = "__cluster_metadata";
inline constexpr Uuid metadata_topic_id{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// 48 bytes. The lists are interned: they stay valid as long as the state does.
struct PartitionInfo {
    std::span<const NodeId> replicas;  // The first one is preferred as leader.
    std::span<const NodeId> isr;
    Slot slot;
    NodeId leader = no_leader;
    Epoch leader_epoch;
    int32_t partition_epoch = 0;
};

// A random id (version 4).
Uuid new_uuid(Io& io);

// Kafka's numbers of config resource types.
enum class ConfigKind : int8_t { topic = 2, broker = 4, client_metrics = 16, group = 32 };

struct TopicInfo {
    std::string name;
    Uuid id;
    std::vector<PartitionInfo> partitions;  // By partition number.
    ConfigMap configs;                      // Overrides only.

    int32_t partition_count() const { return static_cast<int32_t>(partitions.size()); }
    // Kafka derives this from the name alone.
    bool is_internal() const;
};

struct BrokerEndpoint {
    std::string listener;  // "PLAINTEXT"
    std::string host;
    uint16_t port = 0;
    int16_t security_protocol = 0;  // Kafka's numbers: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    bool operator==(const BrokerEndpoint&) const = default;
};

struct BrokerInfo {
    NodeId id;
    int64_t epoch = -1;  // Place of its registration in the metadata log.
    Uuid incarnation;
    std::vector<BrokerEndpoint> endpoints;
    std::optional<std::string> rack;
    bool fenced = true;

    const BrokerEndpoint* endpoint(std::string_view listener) const;  // Null when it has none of that name.
};

struct TopicPartition {
    const TopicInfo* topic;
    int32_t index;
    const PartitionInfo& info() const { return topic->partitions[index]; }
};

// Is told of each change while a batch is replayed, after the state has it. The references are the state's
// own and valid for the call only. Not allowed to change the state.
class MetadataObserver {
 public:
    virtual void partition_added(const TopicInfo&, int32_t /*index*/) {}  // Its topic's configs are there.
    virtual void partition_changed(const TopicInfo&, int32_t /*index*/) {}
    virtual void topic_removed(const TopicInfo&) {}  // The state has forgotten it; all its partitions go.
    virtual void configs_changed(ConfigKind, std::string_view /*name*/) {}  // Once per changed key.
    virtual void brokers_changed() {}

 protected:
    ~MetadataObserver() = default;
};

// One shard's copy of the committed metadata. Pointers and references into it are good until the next apply:
// after a co_await look them up again.
class MetadataState {
 public:
    explicit MetadataState(std::string cluster_id) : cluster_id_(std::move(cluster_id)) {}
    MetadataState(const MetadataState&) = delete;
    MetadataState& operator=(const MetadataState&) = delete;

    // Replays one committed record batch (v2) of the metadata log. It must begin at next_offset(). Fails with
    // corrupt_message on bytes that are no such batch, unsupported_version on a record of a newer release;
    // the state is then unusable, since a part may have been applied.
    Result<void> apply(Bytes batch, MetadataObserver* observer = nullptr);

    // The offset of the next batch; grows with every change, so it is the version of the metadata too.
    Offset next_offset() const { return next_offset_; }
    const std::string& cluster_id() const { return cluster_id_; }  // 22 characters; not from the log.

    // Null when there is none.
    const TopicInfo* topic(std::string_view name) const;
    const TopicInfo* topic(const Uuid& id) const;
    const PartitionInfo* partition(std::string_view topic_name, int32_t index) const {
        return partition(topic(topic_name), index);
    }
    const PartitionInfo* partition(const Uuid& topic_id, int32_t index) const {
        return partition(topic(topic_id), index);
    }
    std::optional<TopicPartition> partition(Slot slot) const;
    // All topics, sorted by name.
    const std::map<std::string, TopicInfo, std::less<>>& topics() const { return topics_; }
    size_t partition_count() const { return partition_count_; }
    uint32_t next_slot() const { return next_slot_; }
    // An existing topic whose name is the same once '.' is read as '_', but is not `name`; empty when none.
    std::string_view colliding_topic(std::string_view name) const;

    // Overrides of that resource; empty ones when nothing is set. A broker's name is its number in decimal,
    // "" is the cluster-wide default.
    const ConfigMap& configs(ConfigKind kind, std::string_view name) const;
    // All that is set for resources of this kind other than topics, by name.
    const std::map<std::string, ConfigMap, std::less<>>& all_configs(ConfigKind kind) const;

    const std::map<NodeId, BrokerInfo>& brokers() const { return brokers_; }
    const BrokerInfo* broker(NodeId id) const;
    const std::map<std::string, int16_t, std::less<>>& features() const { return features_; }
    int64_t next_producer_id() const { return next_producer_id_; }

    // XXH3 over all of it in a fixed order: equal logs make equal fingerprints on every shard and node.
    uint64_t fingerprint() const;

 private:
    friend class MetadataReplay;  // src/cluster/replay.cc: one function per record type.

    // Consecutive slots that went to consecutive partitions of one topic.
    struct SlotRun {
        const TopicInfo* topic;
        int32_t first_partition;
        int32_t count;
        bool continues(const TopicInfo& with, int32_t partition, uint32_t first_slot, uint32_t slot) const {
            return topic == &with && first_partition + count == partition && first_slot + count == slot;
        }
    };
    static const PartitionInfo* partition(const TopicInfo* topic, int32_t index);
    TopicInfo& add_topic(std::string_view name, const Uuid& id);
    TopicInfo take_topic(const Uuid& id);
    void forget_collision(std::string_view name);
    PartitionInfo& add_partition(TopicInfo& topic);
    std::span<const NodeId> intern(std::span<const int32_t> nodes);

    std::string cluster_id_;
    Offset next_offset_{0};
    std::map<std::string, TopicInfo, std::less<>> topics_;
    std::unordered_map<std::string_view, TopicInfo*> by_name_;                  // Never iterated.
    std::unordered_map<Uuid, TopicInfo*> by_id_;                                // Never iterated.
    std::map<uint32_t, SlotRun> slots_;                                         // By first slot.
    std::map<std::string, std::set<std::string_view>, std::less<>> colliding_;  // Name with '_' -> names.
    std::map<ConfigKind, std::map<std::string, ConfigMap, std::less<>>> configs_;
    std::map<NodeId, BrokerInfo> brokers_;
    std::map<std::string, int16_t, std::less<>> features_;
    std::set<std::vector<NodeId>> node_lists_;  // As many as there are different placements.
    size_t partition_count_ = 0;
    uint32_t next_slot_ = 1;
    int64_t next_producer_id_ = 0;
};

// ---- The log -------------------------------------------------------------------------------------------

// Encoded metadata records that are committed together or not at all: each is Kafka's frame version 1, record
// type and version as unsigned varints, then the struct of millrace/wire/{topic,broker,cluster}_records.h.
class MetadataRecords {
 public:
    void add(std::vector<uint8_t> value) { values_.push_back(std::move(value)); }
    size_t count() const { return values_.size(); }
    bool empty() const { return values_.empty(); }

    // One uncompressed record batch (v2) with null keys, as in Kafka's __cluster_metadata. Not when empty.
    std::vector<uint8_t> to_batch(Offset base, Epoch term, int64_t wall_ms) const;

 private:
    std::vector<std::vector<uint8_t>> values_;
};

// Where the bytes of the metadata log are: slot 0 of shard 0. Implemented above the log module.
class MetadataStore {
 public:
    // Appends one batch whose offsets are final, and ends when it is flushed to the device. `batch` stays
    // valid until then. kafka_storage_error: the device failed and it is unknown whether the batch is there;
    // the log stays dead. Any other error: nothing was appended.
    virtual Task<Result<void>> append(Bytes batch) = 0;
    // One or more whole batches from this offset on, some hundred KiB at most beyond the first batch; empty
    // at the end of the log.
    virtual Task<Result<std::vector<uint8_t>>> read(Offset from) = 0;

 protected:
    ~MetadataStore() = default;
};

// Is given every committed batch, in order, once each: those of earlier lives first. Applies it to this
// shard's state before it returns, and sends it to the other shards. The bytes are valid for the call only.
class CommitListener {
 public:
    virtual void on_committed(Bytes batch) = 0;

 protected:
    ~CommitListener() = default;
};

// The consensus on the order of metadata records, as the controller sees it. Only on shard 0.
class MetadataLog {
 public:
    virtual ~MetadataLog() = default;
    // Ends when the records are committed and the listener has them, or with the reason why not. At most one
    // call at a time (the controller sees to it). Never empty. not_controller: this node does not lead the
    // log; kafka_storage_error: the log is dead.
    virtual Task<Result<Offset>> propose(MetadataRecords records) = 0;  // Offset of the first record.
    virtual Epoch term() const = 0;
};

// A log with one voter, this node: committed is what its own device has flushed.
class SingleMetadataLog final : public MetadataLog {
 public:
    SingleMetadataLog(Io& io, MetadataStore& log, CommitListener& listener);
    // Once, before anything else: gives the listener all that the log has.
    Task<Result<void>> replay();
    Task<Result<Offset>> propose(MetadataRecords records) override;
    Epoch term() const override { return Epoch{0}; }

 private:
    bool give_batches(Bytes bytes);

    Io& io_;
    MetadataStore& log_;
    CommitListener& listener_;
    Offset next_{0};
    bool replayed_ = false;
    bool dead_ = false;
    bool proposing_ = false;
};

// ---- The controller ------------------------------------------------------------------------------------

struct ControllerOptions {
    int32_t partitions_default = 1;          // num.partitions
    int16_t replication_factor_default = 1;  // default.replication.factor
    bool topic_deletion = true;              // delete.topic.enable
    uint32_t topics_max = 100'000;
    uint32_t partitions_max = 200'000;
    uint32_t partitions_per_request_max = 10'000;  // Kafka's limit too.
    uint32_t waiting_max = 1'000;                  // Requests that wait for their turn.
};

// How one item of an admin request ended. The text is null on success.
struct AdminOutcome {
    Error error = Error::none;
    std::optional<std::string> message;
    bool ok() const { return error == Error::none; }
};

struct ConfigValue {
    std::string name;
    std::optional<std::string> value;
};

struct NewTopic {
    struct Assignment {
        int32_t partition;
        std::vector<NodeId> brokers;
    };
    std::string name;
    int32_t partitions = -1;          // -1: the default, or as assigned.
    int16_t replication_factor = -1;  // -1: the default, or as assigned.
    std::vector<Assignment> assignments;
    std::vector<ConfigValue> configs;
};

struct TopicOutcome : AdminOutcome {
    std::string name;
    Uuid id;
    int32_t partitions = -1;
    int16_t replication_factor = -1;
};

enum class Effect : uint8_t { commit, validate_only };

struct TopicToDelete {  // Either of the two.
    std::optional<std::string> name;
    Uuid id;
};
struct DeletedTopic : AdminOutcome {
    std::optional<std::string> name;
    Uuid id;
};

struct NewPartitions {
    std::string topic;
    int32_t count = 0;                                            // In all, afterwards.
    std::optional<std::vector<std::vector<NodeId>>> assignments;  // Of the new ones only.
};

struct ConfigChange {
    AlterOperation operation = AlterOperation::set;
    std::string name;
    std::optional<std::string> value;
};
struct ResourceChange {
    ConfigKind kind = ConfigKind::topic;
    std::string name;
    std::vector<ConfigChange> changes;
};

struct ProducerIdBlock {
    int64_t first = 0;
    int32_t size = 0;
};

struct BrokerRegistration {
    NodeId id;
    Uuid incarnation;  // New in every life of the process.
    std::vector<BrokerEndpoint> endpoints;
    std::optional<std::string> rack;
};

// Turns admin requests into committed records. On shard 0. Requests take turns in the order of their calls:
// each is judged against everything that was committed before it. Every function may be called again while
// others wait; answers are in the order of the items asked for, one per distinct item. Items fail on their
// own; when the log refuses, all that would have changed fail with its error.
class Controller {
 public:
    static constexpr int32_t producer_ids_per_block = 1'000;

    Controller(Io& io, const MetadataState& state, MetadataLog& log, ControllerOptions options);
    ~Controller();

    // Call first in each life of the node, after the replay. Error::none also when nothing had changed.
    Task<Result<void>> register_broker(BrokerRegistration registration);

    Task<std::vector<TopicOutcome>> create_topics(std::vector<NewTopic> topics, Effect effect);
    // As create_topics, but a topic that is there already is no error: for auto-creation and internal topics.
    Task<std::vector<TopicOutcome>> ensure_topics(std::vector<NewTopic> topics);
    Task<std::vector<DeletedTopic>> delete_topics(std::vector<TopicToDelete> topics);
    Task<std::vector<TopicOutcome>> create_partitions(std::vector<NewPartitions> topics, Effect effect);
    // KIP-339. One outcome per resource, in order.
    Task<std::vector<AdminOutcome>> alter_configs(std::vector<ResourceChange> changes, Effect effect);
    // A block of ids that nobody was given before, in this life or an earlier one.
    Task<Result<ProducerIdBlock>> allocate_producer_ids(NodeId broker);

 private:
    class Turns;
    enum class Existing : uint8_t { refused, accepted };
    Task<std::vector<TopicOutcome>> create(std::vector<NewTopic> topics, Existing existing, Effect effect);
    Task<Error> commit(MetadataRecords records);

    Io& io_;
    const MetadataState& state_;
    MetadataLog& log_;
    ControllerOptions options_;
    std::unique_ptr<Turns> turns_;
};

}  // namespace millrace
