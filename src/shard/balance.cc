// Which partition should live elsewhere: see the header; and shard 0's looks at the shards.
#include "millrace/balance.h"

#include "millrace/shard.h"

namespace millrace {
namespace {

constexpr uint64_t look_every_ns = 5'000'000'000, idle_look_every_ns = 30'000'000'000;
constexpr uint32_t busy_percent_idle = 10;

}  // namespace

Balance::Look Balance::look(std::span<const uint32_t> busy_percent) {
    const auto [least, most] = std::minmax_element(busy_percent.begin(), busy_percent.end());
    const Pair pair{ShardId{static_cast<uint16_t>(most - busy_percent.begin())},
                    ShardId{static_cast<uint16_t>(least - busy_percent.begin())}};
    const bool is_uneven = *most >= busy_percent_high && *most - *least >= gap_percent;
    if (rest_ > 0 || !is_uneven) {
        rest_ -= rest_ > 0;
        hot_.reset(), looks_ = 0;
        return {};
    }
    if (hot_ != pair.busiest) hot_ = pair.busiest, looks_ = 0;
    return {.pair = pair, .is_due = ++looks_ >= looks_before};
}

void Balance::moved() {
    rest_ = looks_after;
    hot_.reset(), looks_ = 0;
}

std::optional<Slot> Balance::choose(uint32_t busiest_percent, uint32_t idlest_percent,
                                    std::span<const Load> loads) {
    uint64_t all = 0;
    for (const Load& load : loads) all += load.work;
    std::optional<Slot> best;
    double best_busy = static_cast<double>(busiest_percent) - gain_percent;
    for (const Load& load : loads) {
        if (load.work == 0) continue;
        const double share = busiest_percent * static_cast<double>(load.work) / static_cast<double>(all);
        const double busy = std::max(busiest_percent - share, idlest_percent + share);
        if (busy <= best_busy) best = load.slot, best_busy = busy;
    }
    return best;
}

// ---- Shard 0 ---------------------------------------------------------------------------------------------

void Shard::begin_balance() {
    if (node_.config.shard_balance && node_.shard_count() > 1)
        deadlines_.set(balance_timer_, io_.now_ns() + look_every_ns);
}

Task<> Shard::balance() {
    if (!ready_) co_return;
    balancing_ = true;
    std::vector<uint32_t> busy;
    for (uint16_t i = 0; i < node_.shard_count(); i++) busy.push_back(io_.busy_percent(ShardId{i}));
    const Balance::Look look = balance_.look(busy);
    if (look.pair) {
        auto spreading = spread_work(*look.pair, look.is_due, busy);
        co_await spreading;
    } else {
        work_before_.clear();
    }
    balancing_ = false;
    moved_.notify_all();
    if (!ready_) co_return;
    const bool is_idle = *std::max_element(busy.begin(), busy.end()) < busy_percent_idle;
    deadlines_.set(balance_timer_, io_.now_ns() + (is_idle ? idle_look_every_ns : look_every_ns));
}

Task<> Shard::spread_work(Balance::Pair pair, bool is_due, std::vector<uint32_t> busy) {
    auto asking = on<std::map<Slot, uint64_t>>(pair.busiest, [](Shard& shard) { return shard.work_here(); });
    const auto work = co_await asking;
    const auto before = std::exchange(work_before_, work);
    if (!is_due || before.empty()) co_return;
    std::vector<Balance::Load> loads;
    for (const auto& [slot, now] : work)
        if (const auto then = before.find(slot); then != before.end() && then->second <= now)
            loads.push_back({slot, now - then->second});
    const uint32_t from = busy[pair.busiest.value], to = busy[pair.idlest.value];
    const auto slot = Balance::choose(from, to, loads);
    const auto place = slot ? metadata_->partition(*slot) : std::nullopt;
    if (!place) co_return;
    io_.log().info("shard", "a partition moves to a shard with less to do",
                   {{"topic", place->topic->name},
                    {"partition", place->index},
                    {"from", pair.busiest.value},
                    {"to", pair.idlest.value},
                    {"from_busy", from},
                    {"to_busy", to}});
    auto moving = move_partition(*slot, pair.idlest);
    const auto moved = co_await moving;
    balance_.moved();
    work_before_.clear();
    if (!moved) io_.log().info("shard", "the partition was not moved", {{"error", moved.error()}});
}

// What may move from here.
Task<std::map<Slot, uint64_t>> Shard::work_here() {
    std::map<Slot, uint64_t> work;
    for (const auto& [slot, hosted] : hosted_)
        if (hosted.partition->spec().topic != offsets_topic_name) work[slot] = hosted.partition->work();
    co_return work;
}

}  // namespace millrace
