// A metadata log with one voter: what this node's device has flushed is committed.
//
// next_ is one past the last batch that the listener has. Owned by shard 0.
#include "millrace/batch.h"
#include "millrace/cluster.h"

namespace millrace {

SingleMetadataLog::SingleMetadataLog(Io& io, MetadataStore& log, CommitListener& listener)
    : io_(io), log_(log), listener_(listener) {}

Task<Result<void>> SingleMetadataLog::replay() {
    ASSERT(!replayed_);
    while (true) {
        const auto bytes = co_await log_.read(next_);
        if (!bytes) co_return bytes.error();
        if (bytes->empty()) break;
        if (!give_batches(*bytes)) co_return Error::corrupt_message;
    }
    replayed_ = true;
    io_.log().info("cluster", "metadata replayed", {{"next_offset", next_}});
    co_return Result<void>{};
}

bool SingleMetadataLog::give_batches(Bytes bytes) {
    BatchReader batches{bytes};
    while (const auto batch = batches.next()) {
        if (batch->base_offset() != next_ || !batch->crc_matches()) return false;
        listener_.on_committed(batch->bytes());
        next_ = batch->next_offset();
    }
    return batches.error() == Error::none;
}

Task<Result<Offset>> SingleMetadataLog::propose(MetadataRecords records) {
    ASSERT(replayed_);
    ASSERT(!proposing_);
    if (dead_) co_return Error::kafka_storage_error;
    const Offset first = next_;
    const std::vector<uint8_t> batch = records.to_batch(first, term(), io_.wall_ms());
    proposing_ = true;
    const auto appended = co_await log_.append(batch);
    proposing_ = false;
    ASSERT(next_ == first);
    if (!appended) {
        dead_ = appended.error() == Error::kafka_storage_error;
        const bool is_stopping = appended.error() == Error::not_controller;
        io_.log().line(is_stopping ? Level::info : Level::error, "cluster", "metadata append failed",
                       {{"error", appended.error()}, {"offset", first}});
        co_return appended.error();
    }
    next_ = first + static_cast<int64_t>(records.count());
    listener_.on_committed(batch);
    co_return first;
}

}  // namespace millrace
