// The scrub: sealed segments are read again, slowly, and compared with their sums, so that damage is found
// before somebody needs the bytes. A segment without sums gets them, once all its batches were found sound.
//
// What always holds: it takes at most scrub_percent of the time that the disk needs for it, and sleeps while
// there is nothing to do: no timer runs on an idle storage until a pass is due.
#include "storage.h"

namespace millrace {

// ---- One segment ---------------------------------------------------------------------------------------

// The sealed segment that has waited longest, if one is due.
Segment* PartitionLog::next_to_scrub(int64_t due_before_ms) {
    if (failure() != Error::none || is_resting() || is_held()) return nullptr;
    Segment* oldest = nullptr;
    for (const auto& segment : segments_)
        if (segment->final && segment->size > 0 && segment->scrubbed_ms < due_before_ms &&
            (!oldest || segment->scrubbed_ms < oldest->scrubbed_ms))
            oldest = segment.get();
    return oldest;
}

// What a reader would do with damage, without a reader.
Task<Result<>> PartitionLog::scrub(Offset base) {
    if (is_held()) co_return Result<>{};
    readers_++;
    scrubbing_ = true;
    auto result = co_await scrub_segment(base);
    scrubbing_ = false;
    if (result) result = co_await check_snapshots();
    if (Segment* segment = find_segment(base)) segment->scrubbed_ms = storage_.io().wall_ms();
    examined_.notify_all();
    leave_reader();
    co_return result;
}

Task<Result<>> PartitionLog::scrub_segment(Offset base) {
    const Segment* segment = find_segment(base);
    if (!segment) co_return Result<>{};
    const std::string path = path_of(*segment, "");
    const uint64_t size = segment->size;
    const auto sums = co_await read_sums(storage_.io(), path + ".sum");
    if (!sums) co_return sums.error();
    if (!*sums || (*sums)->size != size || (*sums)->base != base) {
        co_await say_bad_sums(path, *sums ? (*sums)->size : size);
        co_return co_await make_sums(base);
    }
    bool is_wrong = co_await has_wrong_indexes(path, **sums);
    for (uint64_t at = 0; at < size && !is_wrong; at += check_step) {
        const uint64_t began_ns = storage_.io().now_ns();
        const auto wrong = co_await wrong_blocks(storage_.io(), {path + ".log", &**sums, at});
        if (!wrong) co_return wrong.error();
        storage_.counters().scrubbed_bytes += std::min(check_step, size - at);
        for (const uint64_t block : *wrong) is_wrong |= !damage_.touches(base, block, block + sum_block);
        co_await storage_.pace_scrub(began_ns);
        if (!find_segment(base) || is_resting() || storage_.is_ending()) co_return Result<>{};
    }
    if (is_wrong) co_return co_await find_damage(base);
    co_return Result<>{};
}

// None, or those of a segment that grew on through a restart, are no damage.
Task<> PartitionLog::say_bad_sums(std::string path, uint64_t size) {
    const auto info = co_await file_info(storage_.io(), path + ".sum");
    if (!info || !*info || size == 0) co_return;
    storage_.io().log().warn("log", "a segment's sums are damaged and made anew", {{"segment", path}});
}

// Old snapshots are there for the day on which the newest one is damaged.
Task<Result<>> PartitionLog::check_snapshots() {
    const auto offsets = snapshots_on_disk_;
    for (const Offset offset : offsets) {
        const std::string path = directory_ + "/" + offset_name(offset, ".snapshot");
        const auto bytes = co_await read_file(storage_.io(), path);
        if (!bytes && bytes.error() == Error::resource_not_found) continue;
        if (!bytes) co_return bytes.error();
        Producers producers;
        if (producers.from_snapshot(*bytes, storage_.io().wall_ms())) continue;
        storage_.io().log().warn("log", "a producer snapshot is damaged and removed", {{"file", path}});
        std::erase(snapshots_on_disk_, offset);
        const auto removed = co_await remove_file(storage_.io(), path);
        if (!removed) co_return removed;
    }
    co_return Result<>{};
}

Task<bool> PartitionLog::has_wrong_indexes(std::string path, SegmentSums sums) {
    const auto offsets = co_await read_file(storage_.io(), path + ".index");
    const auto times = co_await read_file(storage_.io(), path + ".timeindex");
    co_return !offsets || !times || sum_of(*offsets) != sums.index || sum_of(*times) != sums.timeindex;
}

Task<Result<>> PartitionLog::find_damage(Offset base) {
    const size_t before = damage_.ranges().size();
    const auto learned = co_await examine(base, storage_.config().scrub_percent);
    if (!learned && learned.error() == Error::request_timed_out) co_return Result<>{};
    if (!learned) co_return learned.error();
    storage_.counters().scrub_damaged += damage_.ranges().size() - std::min(before, damage_.ranges().size());
    co_return Result<>{};
}

// A segment of another hand, or one that was sealed after a restart: its batches vouch for it.
Task<Result<>> PartitionLog::make_sums(Offset base) {
    const Segment* segment = find_segment(base);
    const Segment* next = segment ? after(base) : nullptr;
    if (!segment || !next) co_return Result<>{};
    const std::string path = path_of(*segment, "");
    const FileKey key = key_of(*segment);
    SegmentSums sums{.base = base,
                     .next = next->base,
                     .size = segment->size,
                     .max_timestamp = segment->max_timestamp,
                     .index = {},
                     .timeindex = {},
                     .blocks = {}};
    const auto found = co_await find_damage(base);
    if (!found || storage_.is_ending() || is_resting() || damage_.touches(base, 0, sums.size))
        co_return found;
    auto blocks = co_await sum_file(path + ".log", sums.size);
    if (!blocks) co_return blocks.error();
    if (blocks->empty()) co_return Result<>{};
    sums.blocks = std::move(*blocks);
    co_return co_await write_sums(key, std::move(sums));
}

// None when the scrub must end.
Task<Result<std::vector<uint64_t>>> PartitionLog::sum_file(std::string path, uint64_t size) {
    Io& io = storage_.io();
    std::vector<uint64_t> sums;
    std::vector<uint8_t> bytes;
    const auto fd = co_await open_file(io, {.path = std::move(path), .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error() == Error::resource_not_found ? Result{std::move(sums)} : fd.error();
    Result<> read;
    for (uint64_t at = 0; at < size && read && !storage_.is_ending() && !is_resting(); at += check_step) {
        const uint64_t began_ns = io.now_ns();
        bytes.resize(std::min(check_step, size - at));
        read = co_await direct_read(io, *fd, at, bytes);
        for (Bytes rest = bytes; !rest.empty(); rest = rest.subspan(std::min<size_t>(sum_block, rest.size())))
            sums.push_back(block_sum(rest.first(std::min<size_t>(sum_block, rest.size()))));
        storage_.counters().scrubbed_bytes += bytes.size();
        co_await storage_.pace_scrub(began_ns);
    }
    co_await close_file(io, *fd);
    if (!read || storage_.is_ending() || is_resting()) sums.clear();
    co_return sums;
}

// With the indexes as they are.
Task<Result<>> PartitionLog::write_sums(FileKey key, SegmentSums sums) {
    const std::string path = directory_ + "/" + offset_name(key.segment, "");
    const auto offsets = co_await read_file(storage_.io(), path + ".index");
    const auto times = co_await read_file(storage_.io(), path + ".timeindex");
    if (!offsets || !times) co_return Result<>{};  // A start makes them anew; then it is tried again.
    sums.index = sum_of(*offsets), sums.timeindex = sum_of(*times);
    const Segment* segment = find_segment(key.segment);
    if (!segment || key_of(*segment) != key) co_return Result<>{};
    auto written = co_await write_file(storage_.io(), path + ".sum", sums.to_bytes(), Sync::yes);
    if (written) storage_.blocks().put_sums(key, std::move(sums.blocks));
    co_return written;
}

// ---- All of them ---------------------------------------------------------------------------------------

// What was read since `began_ns` is a share of the time until this returns.
Task<> StorageImpl::pace_scrub(uint64_t began_ns) {
    constexpr uint64_t step_ns = 100'000'000;  // A stop does not wait for longer.
    const uint64_t percent = std::clamp<uint64_t>(config_.scrub_percent, 1, 100);
    const uint64_t until_ns = began_ns + (io_.now_ns() - began_ns) * 100 / percent;
    while (io_.now_ns() < until_ns && !is_ending())
        co_await sleep_for(io_, std::min(step_ns, until_ns - io_.now_ns()));
}

Task<> StorageImpl::scrub() {
    while (!is_ending()) {
        const int64_t due_before_ms = io_.wall_ms() - config_.scrub_interval_ms;
        PartitionLog* due = nullptr;
        Segment* segment = nullptr;
        for (const auto& [slot, log] : logs_) {
            Segment* found = config_.scrub_percent > 0 ? log->next_to_scrub(due_before_ms) : nullptr;
            if (found && (!segment || found->scrubbed_ms < segment->scrubbed_ms))
                due = log.get(), segment = found;
        }
        if (!due) {
            co_await scrub_wake_;
            continue;
        }
        const Offset base = segment->base;
        auto result = co_await due->scrub(base);
        result = judge("a segment cannot be checked", result);
        if (!result && !is_ending()) co_await scrub_wake_;  // A full disk: later.
    }
}

}  // namespace millrace
