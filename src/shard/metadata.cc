// How committed metadata reaches every shard: applied on shard 0 at once, then sent on batch by batch; what
// must wait for all of them awaits settled().
#include "metadata_files.h"

namespace millrace {
namespace {

constexpr size_t read_bytes = 512 << 10;

}  // namespace

Task<Result<void>> Shard::MetadataFiles::append(Bytes batch) {
    auto waiting = shard_.room_for_own();
    const auto entered = co_await waiting;
    if (!entered)
        co_return entered.error() == Error::request_timed_out ? entered.error() : Error::not_controller;
    const auto appended = partition_.append(batch);
    if (!appended) co_return appended.error();
    co_return co_await partition_.acknowledged(appended->last + 1, Acks::all, no_deadline);
}

Task<Result<std::vector<uint8_t>>> Shard::MetadataFiles::read(Offset from) {
    auto slice = co_await partition_.log().read(
        {.from = from, .max_bytes = read_bytes, .limit = partition_.high_watermark()});
    if (!slice) co_return slice.error();
    std::vector<uint8_t> bytes;
    bytes.reserve(slice->size());
    for (Bytes piece : slice->pieces()) bytes.insert(bytes.end(), piece.begin(), piece.end());
    co_return bytes;
}

void Shard::Committed::on_committed(Bytes batch) {
    if (!shard_.metadata_readable_) return;  // The start fails, once the log is read.
    const bool is_applied = shard_.apply(batch);
    shard_.metadata_readable_ = is_applied;
    ASSERT(is_applied || !shard_.spreads_);  // What this program's controller wrote, it can read.
    shard_.unspread_.emplace_back(batch.begin(), batch.end());
    if (shard_.spreads_ && !shard_.spreading_) shard_.spread().detach();
}

// One at a time, in order: every shard has a batch before any shard has the next.
Task<> Shard::spread() {
    spreading_ = true;
    while (!unspread_.empty() && !stopping_) {
        const std::vector<uint8_t> batch = std::move(unspread_.front());
        unspread_.pop_front();
        const auto follow = [&batch](Shard& shard) { return shard.follow(batch); };
        std::vector<Task<bool>> others;
        for (uint16_t i = 0; i < node_.shard_count(); i++) others.push_back(on<bool>(ShardId{i}, follow));
        co_await gather(std::move(others));
        if (unspread_.empty()) spread_to_ = metadata_->next_offset();
        spread_signal_.notify_all();
    }
    spreading_ = false;
}

Task<bool> Shard::follow(Bytes batch) {
    const bool is_applied = id().value == 0 || apply(batch);  // Shard 0 has applied it already.
    ASSERT(is_applied);
    co_await reconcile();
    co_return true;
}

Task<> Shard::settled() {
    ASSERT(id().value == 0);
    const Offset wanted = metadata_->next_offset();
    while (spread_to_ < wanted && !stopping_) co_await spread_signal_;
}

}  // namespace millrace
