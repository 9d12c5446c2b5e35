// Fetch on the partition's home shard: checks of offsets and epochs, and the read itself.
#include "fetch_plan.h"

namespace millrace {
namespace {

// KIP-320: where the fetcher's history parts from ours, if it does.
Error check_divergence(Partition& partition, FetchItem& item) {
    if (item.last_fetched_epoch.value < 0) return Error::none;
    const EpochEnd end = partition.epoch_end(item.last_fetched_epoch);
    if (end.epoch.value < 0 || item.from < partition.log_start()) return Error::offset_out_of_range;
    if (end.epoch < item.last_fetched_epoch || end.end < item.from) item.diverging = end;
    return Error::none;
}

// Everything but the bytes.
void look_at(Partition& partition, FetchItem& item) {
    item.high_watermark = partition.high_watermark();
    item.last_stable_offset = partition.last_stable_offset();
    item.log_start = partition.log_start();
    item.error = item.topic_id.is_zero() || item.topic_id == partition.spec().topic_id
                     ? partition.check_epoch(item.current_leader_epoch)
                     : Error::inconsistent_topic_id;
    if (item.error == Error::none) item.error = check_divergence(partition, item);
    const bool is_inside = item.from >= item.log_start && item.from <= partition.end();
    if (item.error == Error::none && !item.diverging && !is_inside) item.error = Error::offset_out_of_range;
    if (item.error == Error::none) item.error = partition.log().failure();
}

void take(FetchItem& item, Result<Slice> slice) {
    if (slice) {
        item.slice = std::move(*slice);
    } else {
        item.error = slice.error();
    }
}

Task<> read_item(Partition& partition, FetchItem& item, ReadRequest read) {
    if (auto cached = partition.log().read_cached(read)) {
        take(item, std::move(*cached));
        co_return;
    }
    auto reading = partition.log().read(read);
    auto slice = co_await reading;
    take(item, std::move(slice));
}

}  // namespace

namespace {

Task<bool> unpin_all(FetchPart& part) {
    part.items.clear();
    co_return true;
}

// A coroutine, so that a part that is on its way when the node dies dies with it.
Task<> take_home(Shard& here, std::unique_ptr<FetchPart> part) {
    auto crossing = here.on<bool>(part->home, [&part = *part](Shard&) { return unpin_all(part); });
    co_await crossing;
}

}  // namespace

HeldPart::~HeldPart() {
    state_.reply_budget.give_back(bytes_);
    if (part_->home != here_.id()) take_home(here_, std::move(part_)).detach();
}

Task<bool> read_part(Shard& home, FetchPart& part) {
    const Shard::Visit visit{home};
    size_t left = part.max_bytes;
    bool must_give = part.may_read;
    for (FetchItem& item : part.items) {
        item.slice = {};
        item.diverging.reset();
        Hosted* hosted = home.hosted(item.slot);
        if (!hosted) {
            item.error = home.why_absent(item.slot);
            continue;
        }
        look_at(*hosted->partition, item);
        if (item.is_urgent() || item.from >= item.high_watermark || (left == 0 && !must_give)) continue;
        const ReadRequest read{.from = item.from,
                               .max_bytes = std::min(left, item.max_bytes),
                               .limit = item.high_watermark,
                               .at_least_one = must_give};
        co_await read_item(*hosted->partition, item, read);
        if (Hosted* still = home.hosted(item.slot)) still->partition->add_work(item.slice.size() / 4);
        if (!item.slice.empty()) must_give = false;
        left -= std::min(left, item.slice.size());
    }
    co_return true;
}

}  // namespace millrace
