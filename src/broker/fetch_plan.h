// What a fetch asks of each shard, and what it gets back: the parts of a fetch.
//
// A part belongs to the connection's shard but while its home shard works on it. The slices in it are pinned
// on the home shard, so it goes back there to be destroyed.
#pragma once
#include <memory>
#include <vector>

#include "call.h"
#include "millrace/wire/fetch.h"

namespace millrace {

// One partition that is read.
struct FetchItem {
    // Asked.
    Slot slot;
    Uuid topic_id;  // Zero when asked by name.
    Offset from;
    size_t max_bytes = 0;
    Epoch current_leader_epoch{-1};
    Epoch last_fetched_epoch{-1};

    // Found.
    Error error = Error::none;
    Offset high_watermark{-1}, last_stable_offset{-1}, log_start{-1};
    std::optional<EpochEnd> diverging;
    Slice slice;

    FetchItem again() const {
        return {.slot = slot,
                .topic_id = topic_id,
                .from = from,
                .max_bytes = max_bytes,
                .current_leader_epoch = current_leader_epoch,
                .last_fetched_epoch = last_fetched_epoch};
    }
    // An answer that must not wait: an error, or a history that has parted from ours (KIP-320).
    bool is_urgent() const { return error != Error::none || diverging.has_value(); }
};

struct FetchPart {
    explicit FetchPart(ShardId home) : home(home) {}

    const ShardId home;
    std::vector<FetchItem> items;
    size_t max_bytes =
        0;  // Over all items; the first one that has anything gives a whole batch all the same.

    bool may_read = true;  // False: only the watermarks, since there is no memory for more.

    size_t size() const {
        size_t bytes = 0;
        for (const FetchItem& item : items) bytes += item.slice.size();
        return bytes;
    }
    bool is_urgent() const {
        return std::any_of(items.begin(), items.end(),
                           [](const FetchItem& item) { return item.is_urgent(); });
    }
};

// Keeps the slices of a part until its bytes are sent, then takes them home.
class HeldPart final : public Held {
 public:
    HeldPart(Call& call, std::unique_ptr<FetchPart> part)
        : state_(call.state), here_(call.shard), part_(std::move(part)), bytes_(part_->size()) {
        state_.reply_budget.take(bytes_);
    }
    ~HeldPart() override;
    FetchPart& part() { return *part_; }

 private:
    Broker::State& state_;
    Shard& here_;
    std::unique_ptr<FetchPart> part_;
    const size_t bytes_;
};

// Reads all items of the part, on its home shard. Earlier results are dropped first.
Task<bool> read_part(Shard& home, FetchPart& part);

}  // namespace millrace
