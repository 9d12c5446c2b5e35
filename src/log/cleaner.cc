// Which log is cleaned, when, and how fast.
#include "batch_stream.h"
#include "cleaning.h"

namespace millrace {

namespace {

constexpr uint64_t second_ns = 1'000'000'000;

}  // namespace

Cleaner::Cleaner(StorageImpl& storage) : storage_(storage), config_(storage.config().cleaner) {}

void Cleaner::set_config(const CleanerConfig& config) {
    config_ = config;
    stop();
}

void Cleaner::stop() {
    if (sleeping_) sleeping_->cancel();
}

bool Cleaner::must_end() const { return storage_.is_ending() || !config_.enable; }

Task<> Cleaner::run() {
    while (!storage_.is_ending()) {
        bool again = false;
        if (config_.enable && !storage_.is_full()) {
            std::vector<Slot> slots;
            for (const auto& [slot, log] : storage_.all_logs())
                if (log->spec().config.compacts && !log->first_dirty) slots.push_back(slot);
            for (const Slot slot : slots) co_await learn(slot);
            const auto slot = dirtiest();
            if (slot) again = co_await clean(*slot);
        }
        if (!again) co_await sleep(config_.backoff_ns);
    }
}

Task<> Cleaner::sleep(uint64_t ns) {
    if (storage_.is_ending()) co_return;
    Once sleep{storage_.io(), Op::Kind::sleep, {.size = ns}};
    sleeping_ = &sleep;
    co_await sleep;
    sleeping_ = nullptr;
}

// A busy shard cleans at some 30 MB/s, an idle one at some 300.
Task<> Cleaner::rest() {
    constexpr uint64_t pause_min_ns = 200'000, pause_per_percent_ns = 20'000;
    const uint64_t debt = std::exchange(debt_, 0);
    const double rate = std::max(config_.bytes_per_second, 1.0);
    const double owed = static_cast<double>(debt) / rate * static_cast<double>(second_ns);
    const uint64_t throttle_ns = static_cast<uint64_t>(std::min(owed, 1e18));
    const uint64_t busy = storage_.io().busy_percent(storage_.io().shard());
    const uint64_t pause_ns = (pause_min_ns + busy * pause_per_percent_ns) * debt / step_bytes;
    co_await sleep(std::max(throttle_ns, pause_ns));
}

// ---- Choosing ------------------------------------------------------------------------------------------

// What this life does not know yet of a log: how far earlier ones have cleaned it, how old its segments are.
Task<> Cleaner::learn(Slot slot) {
    auto* log = static_cast<PartitionLog*>(storage_.find(slot));
    if (!log || must_end() || log->is_resting() || log->failure() != Error::none) co_return;
    log->enter_cleaning();
    const auto from = co_await read_cleaned_until(storage_.io(), log->directory());
    if (log->failure() == Error::none) co_await learn_times(*log);
    log->first_dirty = std::min(from, log->end());
    log->leave_cleaning();
}

Task<> Cleaner::learn_times(PartitionLog& log) {
    if (log.spec().config.max_compaction_lag_ms == INT64_MAX) co_return;
    std::vector<Offset> bases;
    for (const auto& segment : log.segments_)
        if (segment->final && segment->first_timestamp < 0 && segment->size > 0)
            bases.push_back(segment->base);
    for (const Offset base : bases) {
        Segment* segment = log.find_segment(base);
        if (!segment || must_end()) co_return;
        const auto file = co_await storage_.descriptors().acquire(
            log.key_of(*segment), log.path_of(*segment, ".log"), Descriptors::Create::no);
        if (!file) continue;
        const FileHold hold{storage_.descriptors(), *file};
        segment = log.find_segment(base);
        if (!segment) continue;
        BatchStream stream{storage_.io(), hold.fd(), segment->size};
        const auto fetched = co_await stream.fetch();
        segment = log.find_segment(base);
        if (segment && fetched) segment->first_timestamp = stream.take().max_timestamp();
    }
}

std::optional<Slot> Cleaner::dirtiest() const {
    std::optional<Slot> found;
    double worst = -1;
    const int64_t now_ms = storage_.io().wall_ms();
    for (const auto& [slot, log] : storage_.all_logs()) {
        const auto range = log->dirty_range(now_ms);
        if (!range || range->dirty_bytes == 0) continue;
        const double ratio = range->ratio();
        if (ratio <= log->spec().config.min_cleanable_dirty_ratio && !range->is_overdue) continue;
        if (ratio > worst) worst = ratio, found = slot;
    }
    return found;
}

Task<bool> Cleaner::clean(Slot slot) {
    auto* log = static_cast<PartitionLog*>(storage_.find(slot));
    const auto range = log ? log->dirty_range(storage_.io().wall_ms()) : std::nullopt;
    if (!range) co_return true;
    log->enter_cleaning();
    Cleaning cleaning{*this, storage_, *log, *range};
    const auto cleaned = co_await cleaning.run();
    set_map_bytes(0);
    log->leave_cleaning();
    if (cleaned || cleaned.error() == cleaning_stopped) co_return cleaned.ok();
    if (cleaned.error() != disk_full) storage_.fail("cleaning failed");
    co_return false;
}

}  // namespace millrace
