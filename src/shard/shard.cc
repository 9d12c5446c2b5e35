// What a shard is made of: its partitions and settings, as its copy of the metadata asks for them.
#include "millrace/shard.h"

#include "metadata_files.h"
#include "millrace/group_host.h"

namespace millrace {
namespace {

constexpr size_t opened_at_once_max = 64;
constexpr uint64_t reopen_after_ns = 1'000'000'000;
constexpr uint64_t own_wait_ns = 5'000'000'000;  // For room.

LogConfig log_config(std::string_view name, const TopicConfig& topic, const BrokerConfig& broker) {
    return {
        .retention_ms = topic.retention_ms,
        .retention_bytes = topic.retention_bytes,
        .segment_bytes = static_cast<uint64_t>(topic.segment_bytes),
        .segment_ms = topic.segment_ms,
        .segment_jitter_ms = topic.segment_jitter_ms,
        .segment_index_bytes = static_cast<uint32_t>(topic.segment_index_bytes),
        .index_interval_bytes = static_cast<uint32_t>(topic.index_interval_bytes),
        .deletes = topic.cleanup_delete,
        .compacts = topic.cleanup_compact,
        .delete_retention_ms = topic.delete_retention_ms,
        .min_cleanable_dirty_ratio = topic.min_cleanable_dirty_ratio,
        .max_compaction_lag_ms = topic.max_compaction_lag_ms,
        .min_compaction_lag_ms = topic.min_compaction_lag_ms,
        // What a coordinator has answered must hold: its own topics are always flushed.
        .in_memory = topic.durability == Durability::memory && !name.starts_with("__"),
        .flush_messages = topic.flush_messages,
        .flush_ms = topic.flush_ms,
        .uses_reserve = name.starts_with("__"),
        .producer_id_expiration_ms = broker.producer_id_expiration_ms,
    };
}

}  // namespace

CleanerConfig Shard::cleaner_config() const {
    const auto all = static_cast<uint64_t>(std::max<int64_t>(config_.cleaner_dedupe_buffer_bytes, 0));
    return {.enable = config_.cleaner_enable,
            .map_bytes = all / node_.shard_count(),
            .map_load_factor = config_.cleaner_load_factor,
            .bytes_per_second = config_.cleaner_bytes_per_second,
            .backoff_ns = static_cast<uint64_t>(config_.cleaner_backoff_ms) * 1'000'000};
}

// The observer of one batch: what it asks this shard to do, done once the batch is applied.
class Shard::Noting final : public MetadataObserver {
 public:
    explicit Noting(Shard& shard) : shard_(shard) {}
    bool all_settings_changed = false, epochs_changed = false;
    std::vector<std::string> settings_changed;

    void partition_added(const TopicInfo& topic, int32_t index) override {
        const Slot slot = topic.partitions[index].slot;
        if (shard_.home(slot) == shard_.id()) shard_.to_open_.push_back(slot);
    }
    void topic_removed(const TopicInfo& topic) override {
        std::vector<Slot> slots;
        for (const PartitionInfo& partition : topic.partitions)
            if (shard_.home(partition.slot) == shard_.id()) slots.push_back(partition.slot);
        shard_.to_remove_.push_back({topic.name, std::move(slots)});
    }
    void configs_changed(ConfigKind kind, std::string_view name) override {
        if (kind == ConfigKind::topic) settings_changed.emplace_back(name);
        if (kind == ConfigKind::broker) all_settings_changed = true;
    }
    void brokers_changed() override { epochs_changed = true; }

 private:
    Shard& shard_;
};

Shard::Shard(Io& io, Node& node)
    : io_(io),
      node_(node),
      deadlines_(io),
      memory_(io, deadlines_, metrics_, node.config.memory_bytes),
      config_(node.config) {
    ASSERT(!node_.shards_[id().value]);
    node_.shards_[id().value] = this;
    io_.post(ShardId{0}, joined_);
}

Shard::~Shard() = default;

Hosted* Shard::hosted(Slot slot) {
    const auto found = hosted_.find(slot);
    return found == hosted_.end() ? nullptr : &found->second;
}

Error Shard::why_absent(Slot slot) const {
    return unopened_.contains(slot) ? Error::kafka_storage_error : Error::not_leader_or_follower;
}

GroupHost* Shard::group_host(int32_t partition) {
    const auto found = group_hosts_.find(partition);
    return found == group_hosts_.end() ? nullptr : found->second.get();
}

Task<Result<>> Shard::room_for_own() {
    if (append_gate_->is_open()) co_return Result<>{};
    auto entering = append_gate_->enter(AppendGate::Order::own, io_.now_ns() + own_wait_ns);
    co_return co_await entering;
}

ConfigLayers Shard::config_layers() const {
    return {.broker = node_.config,
            .dynamic_broker = metadata_->configs(ConfigKind::broker, std::to_string(node_.id().value)),
            .dynamic_default = metadata_->configs(ConfigKind::broker, "")};
}

Task<Result<ProducerId>> Shard::next_producer_id() {
    while (producer_ids_.size == 0) {
        auto block = co_await on<Result<ProducerIdBlock>>(
            ShardId{0}, [](Shard& zero) { return zero.controller().allocate_producer_ids(zero.node_.id()); });
        if (!block) co_return block.error();
        // Two that asked at once: the later block is the one that is used, the rest of the other is lost.
        producer_ids_ = *block;
    }
    producer_ids_.size--;
    co_return ProducerId{producer_ids_.first++};
}

// ---- Following the metadata ------------------------------------------------------------------------------

bool Shard::apply(Bytes batch) {
    Noting noting{*this};
    const auto applied = metadata_->apply(batch, &noting);
    if (!applied) {
        io_.log().error("shard", "metadata not understood: was a newer release here?",
                        {{"offset", metadata_->next_offset()}, {"error", applied.error()}});
        return false;
    }
    if (noting.all_settings_changed) refresh_all_settings();
    if (noting.epochs_changed) refresh_epochs();
    for (const std::string& name : noting.settings_changed)
        if (const TopicInfo* topic = metadata_->topic(name)) refresh_settings(*topic);
    return true;
}

void Shard::refresh_epochs() {
    for (auto& [slot, hosted] : hosted_)
        if (const auto place = metadata_->partition(slot)) hosted.partition->lead(place->info().leader_epoch);
}

void Shard::refresh_settings(const TopicInfo& topic) {
    const TopicConfig config = effective_topic_config(config_layers(), topic.configs);
    settings_[topic.name].config = config;
    for (const PartitionInfo& partition : topic.partitions)
        if (Hosted* hosted = this->hosted(partition.slot))
            hosted->partition->log().set_config(log_config(topic.name, config, config_));
}

void Shard::refresh_all_settings() {
    config_ = effective_broker_config(config_layers());
    tell_config_changed_();
    storage_->set_cleaner(cleaner_config());
    for (const auto& [name, topic] : metadata_->topics())
        if (settings_.contains(name)) refresh_settings(topic);
}

LogSpec Shard::log_spec(const TopicInfo& topic, int32_t index) const {
    const TopicConfig config = effective_topic_config(config_layers(), topic.configs);
    return {.slot = topic.partitions[index].slot,
            .topic_id = topic.id,
            .topic = topic.name,
            .partition = index,
            .config = log_config(topic.name, config, config_)};
}

Task<> Shard::lock() {
    while (reconciling_) co_await reconciled_;
    reconciling_ = true;
}

void Shard::unlock() {
    reconciling_ = false;
    reconciled_.notify_all();
}

Task<> Shard::reconcile() {
    co_await lock();
    while (!to_remove_.empty() || !to_open_.empty()) {
        while (!to_remove_.empty()) {
            const Removal removal = std::move(to_remove_.front());
            to_remove_.pop_front();
            std::vector<Task<>> removals;
            for (Slot slot : removal.slots) removals.push_back(remove_partition(slot));
            co_await gather(std::move(removals));
            co_await forget_topic(removal.topic);
        }
        std::vector<Task<>> openings;
        for (; !to_open_.empty() && openings.size() < opened_at_once_max; to_open_.pop_front())
            openings.push_back(open_partition(to_open_.front()));
        co_await gather(std::move(openings));
    }
    unlock();
}

Task<> Shard::open_partition(Slot slot) {
    const auto place = metadata_->partition(slot);
    if (!place || hosted(slot) || stopping_) co_return;  // Deleted again, or opened, meanwhile.
    LogSpec spec = log_spec(*place->topic, place->index);
    const auto arrival = arrivals_.find(slot);
    const bool arrives = arrival != arrivals_.end();
    opening_++;
    auto loading = arrives ? storage_->take_over(std::move(spec), arrival->second.state)
                           : storage_->load(std::move(spec));
    auto log = co_await loading;
    if (--opening_ == 0) opened_.notify_all();
    if (!log) co_return note_unopened(slot, log.error());
    unopened_.erase(slot);
    if (arrives) settle(arrivals_.extract(slot).mapped().move).detach();
    const auto now = metadata_->partition(slot);
    if (!now) co_return;  // Its removal is noted, and finds the log.
    host(**log, *now->topic, now->info().leader_epoch);
    (*log)->set_config(log_spec(*now->topic, now->index).config);  // It may have changed meanwhile.
    if (now->topic->name != offsets_topic_name) co_return;
    auto& group_host = group_hosts_[now->index];
    group_host = std::make_unique<GroupHost>(*this, slot);
    if (ready_) group_host->live().detach();
}

// The disk has no room for it, or has failed; whoever made it is told.
void Shard::note_unopened(Slot slot, Error error) {
    if (!metadata_->partition(slot)) return;
    if (unopened_.insert(slot).second)
        io_.log().error("shard", "partition not opened: it is tried again while the disk works",
                        {{"slot", slot}, {"error", error}});
    if (ready_ && !reopen_timer_.is_set() && storage_->failure() == Error::none)
        deadlines_.set(reopen_timer_, io_.now_ns() + reopen_after_ns);
}

Task<> Shard::reopen() {
    for (const Slot slot : unopened_) to_open_.push_back(slot);
    co_await reconcile();
    if (unopened_.empty()) io_.log().info("shard", "every partition is open now");
}

Task<std::set<Slot>> Shard::unopened_here() { co_return unopened_; }

Task<std::set<Slot>> Shard::unopened() {
    std::vector<Task<std::set<Slot>>> asked;
    const auto ask = [](Shard& shard) { return shard.unopened_here(); };
    for (uint16_t i = 0; i < node_.shard_count(); i++) asked.push_back(on<std::set<Slot>>(ShardId{i}, ask));
    auto told = co_await gather(std::move(asked));
    std::set<Slot> all;
    for (std::set<Slot>& some : told) all.merge(some);
    co_return all;
}

void Shard::host(Log& log, const TopicInfo& topic, Epoch leader_epoch) {
    const auto [settings, is_new] = settings_.try_emplace(topic.name);
    if (is_new) settings->second.config = effective_topic_config(config_layers(), topic.configs);
    auto partition = std::make_unique<Partition>(log, deadlines_, leader_epoch);
    hosted_.insert_or_assign(log.spec().slot, Hosted{std::move(partition), &settings->second});
}

Task<> Shard::remove_partition(Slot slot) {
    unopened_.erase(slot);
    if (const auto arrival = arrivals_.extract(slot)) settle(arrival.mapped().move).detach();
    if (Hosted* hosted = this->hosted(slot)) {
        const int32_t index = hosted->partition->spec().partition;
        const bool has_groups = hosted->partition->spec().topic == offsets_topic_name;
        if (has_groups && group_hosts_.contains(index)) {
            co_await group_hosts_[index]->stop();
            group_hosts_.erase(index);
        }
        if ((hosted = this->hosted(slot))) hosted->partition->resign(Error::unknown_topic_or_partition);
        hosted_.erase(slot);
    }
    const auto removed = co_await storage_->remove(slot);
    if (!removed)
        io_.log().error("shard", "partition not removed", {{"slot", slot}, {"error", removed.error()}});
}

Task<> Shard::forget_topic(std::string name) {
    if (!metadata_->topic(name)) settings_.erase(name);
    for (auto place = group_hosts_.begin(); place != group_hosts_.end();) {
        const int32_t index = place->first;
        GroupHost& host = *place->second;
        co_await host.coordinator().topic_deleted(name, host.now());
        place = group_hosts_.upper_bound(index);  // It may have gone meanwhile.
    }
}

void Shard::retain_logs() {
    for (auto& [slot, hosted] : hosted_)
        hosted.partition->log().retain(io_.wall_ms(), hosted.partition->high_watermark());
    const auto interval_ms = static_cast<uint64_t>(node_.config.log_retention_check_interval_ms);
    if (!stopping_) deadlines_.set(retention_timer_, io_.now_ns() + interval_ms * 1'000'000);
}

}  // namespace millrace
