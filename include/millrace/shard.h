// One core of a node: its storage, its copy of the metadata, the partitions and coordinators that live here,
// and the way to the other cores.
//
// Everything in a Shard belongs to its thread. Others reach it through Shard::on(), and look things up again
// after every co_await: partitions come and go.
#pragma once
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "millrace/append_gate.h"
#include "millrace/balance.h"
#include "millrace/cluster.h"
#include "millrace/compression.h"
#include "millrace/config.h"
#include "millrace/coordinator.h"
#include "millrace/crossing.h"
#include "millrace/deadlines.h"
#include "millrace/io.h"
#include "millrace/log.h"
#include "millrace/memory_watch.h"
#include "millrace/metrics.h"
#include "millrace/replication.h"

namespace millrace {

class Shard;
class GroupHost;

inline constexpr std::string_view offsets_topic_name = "__consumer_offsets";

// What the shards of one node have in common. Written while the node starts, read-only afterwards.
class Node {
 public:
    // `storage`: of every shard's, but for the directory, which is the configuration's.
    Node(BrokerConfig config, uint16_t shard_count, StorageConfig storage = {})
        : config(std::move(config)), storage(std::move(storage)), shards_(shard_count) {}

    const BrokerConfig config;
    const StorageConfig storage;
    DeviceUse device;
    NodeId id() const { return NodeId{config.node_id}; }
    uint16_t shard_count() const { return static_cast<uint16_t>(shards_.size()); }
    Shard& shard(ShardId id) const { return *shards_[id.value]; }
    const std::string& cluster_id() const { return cluster_id_; }

 private:
    friend class Shard;
    std::vector<Shard*> shards_;
    std::string cluster_id_;
};

// A topic's effective settings on this shard; stays in place while the topic exists, follows every change.
struct TopicSettings {
    TopicConfig config;
};

// A partition that lives on this shard.
struct Hosted {
    std::unique_ptr<Partition> partition;
    const TopicSettings* settings;
};

class Shard {
 public:
    // On the shard's thread, once all rings exist. Tells shard 0 that it is there.
    Shard(Io& io, Node& node);
    ~Shard();
    Shard(const Shard&) = delete;

    // ---- Life. On shard 0 only; it conducts the others. ----

    // Recovers what the disk has, replays the metadata, opens every partition and coordinator of every shard,
    // registers the broker. kafka_storage_error: a bad or full disk; invalid_config: another node's disk.
    Task<Result<>> start_node();
    // No longer ready: parked fetches and group calls are answered on every shard, so that connections can
    // end.
    Task<> begin_stop();
    // Answers all other waiters, however long they meant to wait: nobody is left to hear it.
    Task<> end_waits();
    // Puts everything on disk. Connections are closed, and their last handlers have ended, before.
    Task<> stop_node();

    // ---- What is here. ----

    Io& io() { return io_; }
    Node& node() { return node_; }
    const Node& node() const { return node_; }
    // What was loaded, with what may change at run time as it is now.
    const BrokerConfig& config() const { return config_; }
    // Called whenever config() has changed. Set before the node starts.
    void on_config_changed(std::function<void()> tell) { tell_config_changed_ = std::move(tell); }
    // Called when the node stops, after the shard is no longer ready. Set before the node starts.
    void on_wind_down(std::function<void()> tell) { tell_wind_down_ = std::move(tell); }
    ShardId id() const { return io_.shard(); }
    Metrics& metrics() { return metrics_; }
    Deadlines& deadlines() { return deadlines_; }
    MemoryWatch& memory() { return memory_; }
    const MetadataState& metadata() const { return *metadata_; }
    Storage& storage() { return *storage_; }
    AppendGate& append_gate() { return *append_gate_; }
    // For compressed batches: what it gives is valid until it is used again, so not beyond a co_await.
    Decompressor& decompressor() { return decompressor_; }
    // Room for the node's own records, before all clients'; appends at once then. request_timed_out when
    // there is none for a while (a full disk), not_leader_or_follower when the node stops.
    Task<Result<>> room_for_own();
    // Whether the node has started, and its disk works.
    bool is_ready() const { return ready_ && storage_->failure() == Error::none; }

    // Why a partition that the metadata have here is not: kafka_storage_error where it could not be opened
    // (it is tried again while the disk works), else not_leader_or_follower.
    Error why_absent(Slot slot) const;
    // The partition of this slot, or null when it is not here (yet, or any more).
    Hosted* hosted(Slot slot);
    const std::map<Slot, Hosted>& all_hosted() const { return hosted_; }
    // The shard where the partition lives, as far as this one knows. While is_held(slot) it is about to
    // change: new requests wait for settled_home(), which lets them go in the order in which they came.
    ShardId home(Slot slot) const { return homes_.of(slot); }
    bool is_held(Slot slot) const { return held_ == slot; }
    bool is_any_held() const { return held_.has_value(); }
    Task<ShardId> settled_home(Slot slot);
    // Rises whenever a home is held, or let go.
    uint64_t homes_version() const { return homes_version_; }
    // On the home shard, around whatever a request does there: no partition leaves in the midst of it.
    class Visit {
     public:
        explicit Visit(Shard& shard) : count_(shard.visits_[shard.visits_now_]) { count_++; }
        ~Visit() { count_--; }
        Visit(const Visit&) = delete;

     private:
        uint32_t& count_;
    };
    // The coordinator of that partition of `__consumer_offsets`, or null.
    GroupHost* group_host(int32_t partition);
    const std::map<int32_t, std::unique_ptr<GroupHost>>& group_hosts() const { return group_hosts_; }
    ConfigLayers config_layers() const;

    // A producer id that nobody was given before (KIP-98).
    Task<Result<ProducerId>> next_producer_id();

    // By listener's name, where each shard has a port of its own (millrace.shard.listeners), once all are
    // open: the shards' ports in their order.
    using Ports = std::map<std::string, std::vector<uint16_t>, std::less<>>;
    const Ports& ports() const { return ports_; }
    void set_ports(Ports ports) { ports_ = std::move(ports); }

    // ---- Other shards. ----

    // Runs work(target) on the shard `to` and comes back with its result. `work` makes a Task<R>; what it
    // refers to stays put, as the caller waits.
    template <class R, class Work> Task<R> on(ShardId to, Work work) {
        Shard& target = node_.shard(to);
        auto bound = [&target, work = std::move(work)] { return work(target); };
        return cross<R>(io_, target.io_, std::move(bound));
    }

    // On shard 0 only.
    Controller& controller() { return *controller_; }
    // Ends when every shard has applied, and opened or removed, what is committed now. On shard 0 only.
    Task<> settled();
    // The partitions of all shards that could not be opened. On shard 0 only.
    Task<std::set<Slot>> unopened();
    // Gives the partition a new home; no client sees more of it than a pause. One at a time, the others wait.
    // On shard 0 only. unknown_topic_or_partition; invalid_request: no such shard, or a partition of the
    // node's own topics; request_timed_out: what was under way did not end, the partition stays;
    // kafka_storage_error: it stays where it was, or is opened by the new home when the disk has room;
    // not_leader_or_follower: the node stops.
    Task<Result<>> move_partition(Slot slot, ShardId to);
    uint64_t moves() const { return moves_; }

 private:
    class Noting;         // Takes note of what an applied batch asks this shard to do.
    class MetadataFiles;  // The metadata log's bytes, as slot 0 of shard 0.
    class Committed;      // Shard 0: applies a committed batch here, and spreads it.
    struct Joined final : Letter {
        explicit Joined(Node& node) : node(node) {}
        void deliver() override;
        Node& node;
    };

    // On every shard at once; ends when all have ended.
    template <class Work> Task<Result<>> everywhere(Work work);
    // Start, in this order; shard 0 has all of them do each step before the next (src/shard/start.cc).
    Task<Result<>> identify();
    Task<Result<>> open_storage();
    Task<Result<>> settle_homes();
    Task<Result<>> replay_metadata();
    Task<Result<>> take_metadata();
    Task<Result<>> open_partitions();
    Task<Result<>> finish_recovery();
    Task<Result<>> start_storage();
    Task<Result<>> forget_past();
    Task<Result<>> register_broker();
    Task<Result<>> serve();

    // Applies a committed batch to this shard's image and notes what it asks for.
    // False when the batch cannot be read (a metadata log of a newer release, say): the image is unusable
    // then.
    bool apply(Bytes batch);
    // Opens and removes partitions until what is noted is done.
    Task<> reconcile();
    Task<> lock();
    void unlock();
    Task<> open_partition(Slot slot);
    void note_unopened(Slot slot, Error error);
    Task<> reopen();
    Task<std::set<Slot>> unopened_here();
    Task<> remove_partition(Slot slot);
    Task<> forget_topic(std::string name);
    void host(Log& log, const TopicInfo& topic, Epoch leader_epoch);
    void refresh_settings(const TopicInfo& topic);
    void refresh_all_settings();
    void refresh_epochs();
    LogSpec log_spec(const TopicInfo& topic, int32_t index) const;
    CleanerConfig cleaner_config() const;
    void retain_logs();

    // Moving a partition (src/shard/moving.cc). On its old home, but where it says otherwise.
    Task<Result<>> judge_move(Slot slot, ShardId to);  // Shard 0.
    Task<Result<>> record_move(Homes::Move move);      // Shard 0.
    Task<Result<>> finish_move();                      // Shard 0.
    Task<Result<>> move_out(Homes::Move move, uint64_t generation);
    Task<Result<>> move_held(Homes::Move move, uint64_t generation);
    Task<Result<>> leave(Homes::Move move, uint64_t generation);
    Task<bool> drain();
    Task<Result<>> hold(Slot slot);                   // Every shard.
    Task<Result<>> release(Slot slot, ShardId home);  // Every shard.
    struct Arrival {
        Homes::Move move;
        LogState state;
        LogSpec spec;  // As the old home knew it.
    };
    Task<Result<>> arrive(Arrival arrival);  // The new home.
    Task<> settle(Homes::Move move);         // The new home.
    Task<Result<>> forget_left(Slot slot);
    Task<> spread();
    Task<bool> follow(Bytes batch);
    Task<Result<>> wind_down();
    Task<Result<>> end_waits_here();
    Task<Result<>> stop_here();

    struct Removal {
        std::string topic;
        std::vector<Slot> slots;
    };
    struct RetentionTimer final : Deadlines::Entry {
        explicit RetentionTimer(Shard& shard) : shard(shard) {}
        void on_deadline() override { shard.retain_logs(); }
        Shard& shard;
    };

    // Balancing (src/shard/balance.cc). On shard 0, but for work_here.
    void begin_balance();
    Task<> balance();
    Task<> spread_work(Balance::Pair pair, bool is_due, std::vector<uint32_t> busy);
    Task<std::map<Slot, uint64_t>> work_here();
    struct BalanceTimer final : Deadlines::Entry {
        explicit BalanceTimer(Shard& shard) : shard(shard) {}
        void on_deadline() override { shard.balance().detach(); }
        Shard& shard;
    };

    struct ReopenTimer final : Deadlines::Entry {
        explicit ReopenTimer(Shard& shard) : shard(shard) {}
        void on_deadline() override { shard.reopen().detach(); }
        Shard& shard;
    };

    Io& io_;
    Node& node_;
    Metrics metrics_;
    Deadlines deadlines_;
    MemoryWatch memory_;
    Decompressor decompressor_;
    std::unique_ptr<Storage> storage_;
    std::optional<AppendGate> append_gate_;  // With the storage.
    std::optional<MetadataState> metadata_;  // From the moment the cluster's id is known.
    BrokerConfig config_;
    std::function<void()> tell_config_changed_ = [] {}, tell_wind_down_ = [] {};
    std::map<std::string, TopicSettings, std::less<>> settings_;
    std::map<Slot, Hosted> hosted_;
    std::map<int32_t, std::unique_ptr<GroupHost>> group_hosts_;
    RetentionTimer retention_timer_{*this};
    ReopenTimer reopen_timer_{*this};
    std::set<Slot> unopened_;  // What is wanted here and had no place on the disk.
    Ports ports_;
    Homes homes_;
    bool homes_disagree_ = false;  // With this shard's journal; only while the node starts.
    std::optional<Slot> held_;
    uint64_t homes_version_ = 0;
    Signal released_;
    std::array<uint32_t, 2> visits_{};  // Under way: since the newest move began, and before.
    uint8_t visits_now_ = 0;
    std::map<Slot, Arrival> arrivals_;  // What has come and is not open yet.
    uint32_t settling_ = 0;
    Signal settled_;
    bool reconciling_ = false;
    uint32_t opening_ = 0;  // Partitions, now.
    Signal reconciled_, opened_;
    std::deque<Slot> to_open_;
    std::deque<Removal> to_remove_;
    ProducerIdBlock producer_ids_;
    bool ready_ = false;
    bool stopping_ = false;

    Joined joined_{node_};

    // Shard 0.
    uint16_t joined_count_ = 0;
    Signal all_joined_;
    NodeIdentity identity_;
    std::unique_ptr<MetadataFiles> metadata_files_;
    std::unique_ptr<Committed> committed_;
    std::unique_ptr<SingleMetadataLog> metadata_log_;
    std::unique_ptr<Controller> controller_;
    std::deque<std::vector<uint8_t>> unspread_;
    Offset spread_to_{0};
    bool spreads_ = false;  // From the start to the very end: what is committed while the node stops, too.
    bool spreading_ = false;
    bool metadata_readable_ = true;
    BalanceTimer balance_timer_{*this};
    Balance balance_;
    std::map<Slot, uint64_t> work_before_;  // Of the busiest shard, at the last look.
    bool balancing_ = false;
    bool moving_ = false;          // From the beginning of a move until the old home has forgotten it.
    bool move_under_way_ = false;  // Until it is answered.
    uint64_t moves_ = 0;
    Signal moved_;
    Signal spread_signal_;
};

template <class Work> Task<Result<>> Shard::everywhere(Work work) {
    std::vector<Task<Result<>>> steps;
    for (uint16_t i = 0; i < node_.shard_count(); i++) steps.push_back(on<Result<>>(ShardId{i}, work));
    const auto results = co_await gather(std::move(steps));
    for (const auto& result : results)
        if (!result) co_return result.error();
    co_return Result<>{};
}

}  // namespace millrace
