// Opening a stopped node.
#include "offline_node.h"

namespace millrace {

Task<Result<>> OfflineNode::open(NodeIdentity if_new) {
    const auto known = co_await read_identity(io_, directory_);
    if (!known) co_return known.error();
    identity_ = *known ? **known : if_new;
    if (!*known) {
        const auto written = co_await write_identity(io_, directory_, if_new);
        if (!written) co_return written;
    }
    auto storage = co_await Storage::open(io_, {.directory = directory_});
    if (!storage) co_return storage.error();
    storage_ = std::move(*storage);
    auto result = co_await open_logs();
    if (result) result = co_await storage_->finish_recovery();
    if (result) result = co_await storage_->start();
    if (result) result = co_await storage_->forget_past();
    co_return result;
}

Task<Result<>> OfflineNode::open_logs() {
    LogSpec spec{.slot = metadata_slot,
                 .topic_id = metadata_topic_id,
                 .topic = std::string{metadata_topic_name},
                 .partition = 0,
                 .config = {.deletes = false}};
    const auto log = co_await storage_->load(std::move(spec));
    if (!log) co_return log.error();
    log_ = *log;
    log_->set_listener(this);
    state_ = std::make_unique<MetadataState>(identity_.cluster_id);
    metadata_ = std::make_unique<SingleMetadataLog>(io_, static_cast<MetadataStore&>(*this),
                                                    static_cast<CommitListener&>(*this));
    const auto replayed = co_await metadata_->replay();
    if (!replayed) co_return replayed;
    if (unreadable_ != Error::none) co_return unreadable_;
    for (const auto& [name, topic] : state_->topics()) {
        for (int32_t index = 0; index < topic.partition_count(); index++) {
            const auto loaded = co_await load(name, index);
            if (!loaded) co_return loaded.error();
        }
    }
    co_return Result<>{};
}

Task<Result<Log*>> OfflineNode::load(std::string name, int32_t index) {
    const TopicInfo* topic = state_->topic(name);
    const PartitionInfo* partition = state_->partition(name, index);
    if (!partition) co_return Error::unknown_topic_or_partition;
    LogSpec spec{.slot = partition->slot,
                 .topic_id = topic->id,
                 .topic = std::move(name),
                 .partition = index,
                 .config = {.deletes = false}};
    co_return co_await storage_->load(std::move(spec));
}

Task<Result<>> OfflineNode::propose(MetadataRecords records) {
    const auto proposed = co_await metadata_->propose(std::move(records));
    if (!proposed) co_return proposed.error();
    co_return unreadable_ == Error::none ? Result<>{} : unreadable_;
}

Task<Result<>> OfflineNode::close() {
    if (!storage_) co_return Result<>{};
    if (log_) log_->set_listener(nullptr);
    co_return co_await storage_->close();
}

void OfflineNode::on_committed(Bytes batch) {
    const auto applied = state_->apply(batch);
    if (!applied) unreadable_ = applied.error();
}

Task<Result<void>> OfflineNode::append(Bytes batch) {
    const auto appended = log_->append({.batch = batch, .leader_epoch = Epoch{0}});
    if (!appended) co_return appended.error();
    log_->want_durable();
    while (log_->durable() <= appended->last && log_->failure() == Error::none) co_await moved_;
    co_return log_->failure() == Error::none ? Result<void>{} : log_->failure();
}

Task<Result<std::vector<uint8_t>>> OfflineNode::read(Offset from) {
    constexpr size_t read_bytes = 512 << 10;
    const auto slice = co_await log_->read({.from = from, .max_bytes = read_bytes, .limit = log_->end()});
    if (!slice) co_return slice.error();
    std::vector<uint8_t> bytes;
    for (const Bytes piece : slice->pieces()) bytes.insert(bytes.end(), piece.begin(), piece.end());
    co_return bytes;
}

}  // namespace millrace
