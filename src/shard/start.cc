// How a node starts and stops: shard 0 conducts, every shard takes each step before any takes the next.
#include "metadata_files.h"
#include "millrace/group_host.h"
#include "millrace/strays.h"

namespace millrace {

void Shard::Joined::deliver() {
    Shard& zero = node.shard(ShardId{0});
    if (++zero.joined_count_ == node.shard_count()) zero.all_joined_.notify_all();
}

Task<Result<>> Shard::start_node() {
    ASSERT(id().value == 0);
    while (joined_count_ < node_.shard_count()) co_await all_joined_;
    using Step = Task<Result<>> (Shard::*)();
    constexpr std::array<std::pair<Step, bool>, 10> steps{{
        {&Shard::identify, false},
        {&Shard::open_storage, true},
        {&Shard::settle_homes, false},
        {&Shard::replay_metadata, false},
        {&Shard::take_metadata, true},
        {&Shard::open_partitions, true},
        {&Shard::finish_recovery, true},
        {&Shard::start_storage, true},
        {&Shard::forget_past, true},
        {&Shard::register_broker, false},
    }};
    for (const auto& [step, on_every_shard] : steps) {
        auto taken = on_every_shard ? everywhere([step = step](Shard& shard) { return (shard.*step)(); })
                                    : (this->*step)();
        const auto result = co_await taken;
        if (!result) co_return result.error();
    }
    co_return co_await everywhere([](Shard& shard) { return shard.serve(); });
}

// Whose directory this is. A directory without an identity is a new node's, whatever else may lie in it.
Task<Result<>> Shard::identify() {
    const std::string& directory = node_.config.data_dir;
    auto found = co_await read_identity(io_, directory);
    if (!found) co_return found.error();
    if (*found) {
        identity_ = **found;
        if (identity_.node != node_.id()) {
            io_.log().error(
                "shard", "data directory belongs to another node: set node.id, or another log.dirs",
                {{"directory", directory}, {"its_node", identity_.node}, {"node.id", node_.id()}});
            co_return Error::invalid_config;
        }
    } else {
        identity_ = {
            .node = node_.id(), .directory_id = new_uuid(io_), .cluster_id = new_uuid(io_).to_text()};
        auto written = co_await write_identity(io_, directory, identity_);
        if (!written) co_return written.error();
    }
    node_.cluster_id_ = identity_.cluster_id;
    auto homes = co_await read_homes(io_, directory, node_.shard_count());
    if (!homes) co_return homes.error();
    homes_ = std::move(*homes);
    co_return Result<>{};
}

Task<Result<>> Shard::open_storage() {
    StorageConfig config = node_.storage;
    config.directory = node_.config.data_dir;
    config.device = &node_.device;
    if (node_.config.disk_reserve_bytes >= 0) config.reserve_bytes = node_.config.disk_reserve_bytes;
    config.cleaner = cleaner_config();
    homes_ = node_.shard(ShardId{0}).homes_;  // It waits meanwhile.
    append_gate_.reset(), storage_.reset();   // Of a first try, see settle_homes.
    auto storage = co_await Storage::open(io_, std::move(config), homes_);
    homes_disagree_ = !storage && storage.error() == Error::not_leader_or_follower;
    if (homes_disagree_) co_return Result<>{};
    if (!storage) co_return storage.error();
    storage_ = std::move(*storage);
    memory_.add(*storage_);
    append_gate_.emplace(io_, *storage_, deadlines_);
    metadata_.emplace(node_.cluster_id());
    co_return Result<>{};
}

// The file may have been deleted by hand, or be an old one: then a journal has what it knows nothing of, and
// all are read as if it were damaged. Either way it is written anew, as partitions are on their first shards
// again. Where that fails the next start does the same.
Task<Result<>> Shard::settle_homes() {
    for (uint16_t i = 0; i < node_.shard_count(); i++)
        homes_disagree_ |= node_.shard(ShardId{i}).homes_disagree_;  // They wait meanwhile.
    if (!homes_disagree_ && !homes_.is_lost) co_return Result<>{};
    const std::string& directory = node_.config.data_dir;
    if (homes_disagree_) {
        io_.log().error("shard", "the file homes is missing or an old one: every shard reads all journals",
                        {{"directory", directory}});
        homes_ = {.shards = node_.shard_count(), .is_lost = true};
        auto opening = everywhere([](Shard& shard) { return shard.open_storage(); });
        const auto opened = co_await opening;
        if (!opened) co_return opened;
    }
    (void)co_await write_homes(io_, directory, {.shards = node_.shard_count()});
    co_return Result<>{};
}

Task<Result<>> Shard::replay_metadata() {
    LogSpec spec{.slot = metadata_slot,
                 .topic_id = metadata_topic_id,
                 .topic = std::string(metadata_topic_name),
                 .partition = 0,
                 .config = {.deletes = false, .uses_reserve = true}};
    auto log = co_await storage_->load(std::move(spec));
    if (!log) co_return log.error();
    metadata_files_ = std::make_unique<MetadataFiles>(*this, **log);
    committed_ = std::make_unique<Committed>(*this);
    metadata_log_ = std::make_unique<SingleMetadataLog>(io_, *metadata_files_, *committed_);
    const auto replayed = co_await metadata_log_->replay();
    if (replayed && !metadata_readable_) co_return Error::unsupported_version;
    co_return replayed;
}

namespace {

Task<Result<size_t>> set_aside_strays(Io& io, std::string directory, const MetadataState& metadata) {
    std::set<std::string> known{"__cluster_metadata-0"};
    for (const auto& [name, topic] : metadata.topics())
        for (size_t i = 0; i < topic.partitions.size(); i++)
            known.insert(std::string{name} + "-" + std::to_string(i));
    co_return co_await set_aside_unknown(io, std::move(directory), std::move(known));
}

}  // namespace

// What shard 0 has replayed, from its memory: it waits meanwhile.
Task<Result<>> Shard::take_metadata() {
    if (id().value != 0)
        for (const auto& batch : node_.shard(ShardId{0}).unspread_)
            if (!apply(batch)) co_return Error::unsupported_version;
    if (id().value == 0) {
        const auto strays = co_await set_aside_strays(io_, node_.config.data_dir, *metadata_);
        if (!strays) co_return strays.error();
    }
    to_open_.clear();  // What history opened and removed; what is left is opened next.
    to_remove_.clear();
    for (const auto& [name, topic] : metadata_->topics())
        for (const PartitionInfo& partition : topic.partitions)
            if (home(partition.slot) == id()) to_open_.push_back(partition.slot);
    co_return Result<>{};
}

Task<Result<>> Shard::open_partitions() {
    co_await reconcile();
    if (storage_->failure() != Error::none) co_return storage_->failure();
    if (unopened_.empty()) co_return Result<>{};
    // The next step drops what the journals have of them.
    io_.log().error("shard", "no room to open every partition: make room on the disk, and start again",
                    {{"unopened", unopened_.size()}});
    co_return Error::kafka_storage_error;
}

Task<Result<>> Shard::finish_recovery() { co_return co_await storage_->finish_recovery(); }

Task<Result<>> Shard::start_storage() { co_return co_await storage_->start(); }

Task<Result<>> Shard::forget_past() {
    auto forgetting = storage_->forget_past();
    const auto forgotten = co_await forgetting;
    if (forgotten) storage_->run().detach();
    co_return forgotten;
}

Task<Result<>> Shard::register_broker() {
    unspread_.clear();
    spread_to_ = metadata_->next_offset();
    const BrokerConfig& config = node_.config;
    controller_ = std::make_unique<Controller>(
        io_, *metadata_, *metadata_log_,
        ControllerOptions{
            .partitions_default = config.num_partitions,
            .replication_factor_default = static_cast<int16_t>(config.default_replication_factor),
            .topic_deletion = config.delete_topics});
    BrokerRegistration registration{
        .id = node_.id(), .incarnation = new_uuid(io_), .endpoints = {}, .rack = {}};
    for (const ListenerConfig& listener : config.listeners)
        registration.endpoints.push_back(
            {.listener = listener.name,
             .host = listener.advertised_host.value_or(listener.host),
             .port = listener.advertised_host ? listener.advertised_port : listener.port,
             .security_protocol = 0});
    if (!config.rack.empty()) registration.rack = config.rack;
    const auto registered = co_await controller_->register_broker(std::move(registration));
    if (registered) co_await spread();  // Nothing is appended before every shard has begun its new epochs.
    co_return registered;
}

Task<Result<>> Shard::serve() {
    ready_ = true;
    spreads_ = true;
    for (auto& [index, host] : group_hosts_) host->live().detach();
    retain_logs();
    if (id().value == 0 && !unspread_.empty()) spread().detach();
    if (id().value == 0) begin_balance();
    co_return Result<>{};
}

Task<> Shard::begin_stop() {
    ASSERT(id().value == 0);
    ready_ = false;  // No more moves.
    while (move_under_way_ || balancing_) co_await moved_;
    const auto winding = co_await everywhere([](Shard& shard) { return shard.wind_down(); });
    ASSERT(winding.ok());
}

Task<Result<>> Shard::wind_down() {
    ready_ = false;
    for (auto place = group_hosts_.begin(); place != group_hosts_.end();) {
        const int32_t index = place->first;
        place->second->resign();
        place = group_hosts_.upper_bound(index);  // Whoever was answered may have let it go.
    }
    if (append_gate_) append_gate_->close(Error::not_leader_or_follower);
    for (auto place = group_hosts_.begin(); place != group_hosts_.end();) {
        const int32_t index = place->first;
        co_await place->second->stop();
        place = group_hosts_.upper_bound(index);  // It may have gone meanwhile, with its topic.
    }
    for (auto& [slot, hosted] : hosted_) hosted.partition->wake_fetches();
    tell_wind_down_();
    co_return Result<>{};
}

Task<> Shard::end_waits() {
    ASSERT(id().value == 0);
    const auto ended = co_await everywhere([](Shard& shard) { return shard.end_waits_here(); });
    ASSERT(ended.ok());
}

Task<Result<>> Shard::end_waits_here() {
    stopping_ = true;
    memory_.stop();
    if (retention_timer_.is_set()) deadlines_.drop(retention_timer_);
    if (reopen_timer_.is_set()) deadlines_.drop(reopen_timer_);
    if (balance_timer_.is_set()) deadlines_.drop(balance_timer_);
    for (auto& [slot, hosted] : hosted_) hosted.partition->resign(Error::not_leader_or_follower);
    if (metadata_files_) metadata_files_->resign();
    if (storage_) storage_->end_waits();
    spread_signal_.notify_all();
    moved_.notify_all();
    co_return Result<>{};
}

Task<> Shard::stop_node() {
    ASSERT(id().value == 0);
    const auto stopped = co_await everywhere([](Shard& shard) { return shard.stop_here(); });
    if (!stopped) io_.log().error("shard", "not stopped cleanly", {{"error", stopped.error()}});
}

Task<Result<>> Shard::stop_here() {
    ready_ = false;
    auto ending = end_waits_here();
    const auto ended = co_await ending;
    ASSERT(ended.ok());
    while (opening_ > 0) co_await opened_;  // Not for removals, which may wait for room.
    while (settling_ > 0) co_await settled_;
    co_await deadlines_.stop();
    auto closed = storage_ ? co_await storage_->close() : Result<>{};
    co_return closed;
}

}  // namespace millrace
