// Cleaning one log.
#include "cleaning.h"

#include <charconv>

#include <fmt/format.h>

namespace millrace {

namespace {

constexpr std::string_view checkpoint = "/cleaner-offset-checkpoint";
// What recompressing costs beside reading and writing.
constexpr uint64_t rebuilt_weight = 4;

}  // namespace

Task<Offset> read_cleaned_until(Io& io, std::string directory) {
    const auto bytes = co_await read_file(io, directory + std::string{checkpoint}, block_size);
    if (!bytes) co_return Offset{0};
    std::string_view text = as_text(*bytes);
    while (text.ends_with('\n')) text.remove_suffix(1);
    const size_t space = text.rfind(' ');
    int64_t offset = 0;
    if (!text.starts_with("0\n1\n") || space == std::string_view::npos) co_return Offset{0};
    const auto [end, error] = std::from_chars(text.data() + space + 1, text.data() + text.size(), offset);
    const bool is_number = error == std::errc{} && end == text.data() + text.size() && offset >= 0;
    co_return is_number ? Offset{offset} : Offset{0};
}

Task<Result<>> Cleaning::run() {
    const uint64_t began_ns = io_.now_ns(), bytes_before = log_.size_bytes();
    const auto cleaned = co_await clean();
    log_.release_group();
    storage_.counters().cleaner_read_bytes += totals_.read;
    storage_.counters().cleaner_write_bytes += totals_.written;
    if (cleaned) {
        storage_.counters().cleanings++;
        tell(bytes_before, began_ns);
        co_return Result<>{};
    }
    if (cleaned.error() != Error::corrupt_message) co_return cleaned;
    log_.is_uncleanable = true;
    storage_.counters().cleaner_failures++;
    io_.log().error("log", "a partition cannot be cleaned: a batch of it cannot be read",
                    {{"directory", log_.directory()}});
    co_return Result<>{};
}

void Cleaning::tell(uint64_t bytes_before, uint64_t began_ns) const {
    io_.log().info("log", "a partition was cleaned",
                   {{"directory", log_.directory()},
                    {"until", log_.first_dirty->value},
                    {"bytes_before", bytes_before},
                    {"bytes", log_.size_bytes()},
                    {"ms", (io_.now_ns() - began_ns) / 1'000'000}});
}

bool Cleaning::must_end() const {
    return cleaner_.must_end() || log_.is_resting() || log_.failure() != Error::none;
}

Task<Result<>> Cleaning::clean() {
    const auto settled = co_await log_.settle(range_.end);
    if (!settled) co_return cleaning_stopped;
    const CleanerConfig& config = cleaner_.config();
    OffsetMap map{{.bytes_max = config.map_bytes,
                   .load_factor = config.map_load_factor,
                   .keys_wanted = static_cast<uint64_t>(range_.end - range_.first)}};
    cleaner_.set_map_bytes(map.memory());
    const auto whole = co_await fill(map);
    if (!whole) co_return whole.error();
    if (!*whole && map.latest() < range_.first) co_return Error::corrupt_message;  // No room for one batch.
    BatchFilter filter{
        map,
        {.now_ms = io_.wall_ms(), .delete_retention_ms = log_.spec().config.delete_retention_ms},
        cleaner_.compressor(),
        cleaner_.decompressor()};
    // What lies behind the last batch is a gap.
    const Offset end = *whole ? range_.end : map.latest() + 1;
    const auto result = co_await rewrite(filter, end);
    if (!result) co_return result;
    log_.first_dirty = end;
    const std::string text =
        fmt::format("0\n1\n{} {} {}\n", log_.spec().topic, log_.spec().partition, end.value);
    co_return co_await write_file(io_, log_.directory() + std::string{checkpoint},
                                  std::vector<uint8_t>(text.begin(), text.end()), Sync::yes);
}

// ---- The map -------------------------------------------------------------------------------------------

Task<Result<bool>> Cleaning::fill(OffsetMap& map) {
    for (Offset at = log_.segment_at(range_.first)->base; at < range_.end;) {
        const auto added = co_await add_segment(map, at);
        if (!added || !*added) co_return added;
        const Segment* following = log_.after(at);
        ASSERT(following);
        at = following->base;
    }
    co_return true;
}

// False: the map is full.
Task<Result<bool>> Cleaning::add_segment(OffsetMap& map, Offset base) {
    const Segment* segment = log_.find_segment(base);
    if (!segment) co_return true;  // Dropped by retention.
    const uint64_t size = segment->size;
    auto file = co_await open(base);
    if (!file) co_return file.error();
    BatchStream stream{io_, file->fd(), size};
    while (!stream.at_end()) {
        const auto fetched = co_await next(stream);
        if (!fetched) co_return fetched.error();
        const auto added = add_batch(map, stream.take());
        if (!added || !*added) co_return added;
    }
    totals_.read += stream.bytes_read();
    co_return true;
}

Result<bool> Cleaning::add_batch(OffsetMap& map, const BatchView& batch) {
    // Whether a transaction's records count is not known without its index: they supersede nothing.
    const bool counts = !batch.is_control() && !batch.is_transactional();
    if (counts && batch.last_offset() >= range_.first) {
        auto records = RecordReader::open(batch, cleaner_.decompressor());
        if (!records) return Error::corrupt_message;
        while (const auto record = records->next())
            if (record->key && record->offset >= range_.first && !map.put(*record->key, record->offset))
                return false;
        if (records->error() != Error::none) return Error::corrupt_message;
    }
    if (batch.last_offset() >= range_.first) map.set_latest(batch.last_offset());
    return true;
}

// ---- Writing anew --------------------------------------------------------------------------------------

Task<Result<>> Cleaning::rewrite(BatchFilter& filter, Offset end) {
    for (Offset at; at < end;) {
        // An examination ends soon after the log or the storage must.
        while (log_.is_examined()) co_await log_.examined();
        if (must_end()) co_return cleaning_stopped;
        const auto group = log_.hold_group(at, end);
        if (!group) break;
        const bool has_space = co_await storage_.has_space_for(group->bytes);
        Result<> result = has_space ? Result<>{} : Result<>{disk_full};
        if (result) result = co_await rewrite_group(filter, *group);
        log_.release_group();
        if (!result) co_return result;
        at = group->until;
    }
    co_return Result<>{};
}

Task<Result<>> Cleaning::rewrite_group(BatchFilter& filter, const CleanGroup& group) {
    SegmentWriter writer{io_, log_.directory() + "/" + offset_name(group.first(), ""), group.first(),
                         log_.spec().config.index_interval_bytes};
    changed_ = group.bases.size() > 1;
    auto result = co_await writer.open();
    if (result) result = co_await filter_group(filter, group, writer);
    if (result) result = co_await writer.finish();
    if (result && must_end()) result = cleaning_stopped;
    const bool is_gone = log_.log_start() >= group.until;  // Deleted meanwhile.
    if (result && changed_ && !is_gone) {
        totals_.groups++;
        co_return co_await log_.replace(group, writer);
    }
    const auto discarded = co_await writer.discard();
    co_return result ? discarded : result;
}

Task<Result<>> Cleaning::filter_group(BatchFilter& filter, const CleanGroup& group, SegmentWriter& writer) {
    for (const Offset base : group.bases) {
        auto result = co_await filter_segment(filter, base, writer);
        if (!result) co_return result;
    }
    co_return Result<>{};
}

Task<Result<>> Cleaning::filter_segment(BatchFilter& filter, Offset base, SegmentWriter& writer) {
    const uint64_t size = log_.find_segment(base)->size;
    auto file = co_await open(base);
    if (!file) co_return file.error();
    BatchStream stream{io_, file->fd(), size};
    while (!stream.at_end()) {
        auto fetched = co_await next(stream);
        if (!fetched) co_return fetched;
        const BatchView batch = stream.take();
        const bool is_last =
            batch.has_producer_id() && log_.producers_.is_last(batch.producer_id(), batch.last_offset());
        const auto kept = filter.filter(batch, BatchFilter::LastOfProducer{is_last});
        if (!kept) co_return kept.error();
        changed_ |= filter.changed();
        if (filter.changed()) cleaner_.spend(rebuilt_weight * batch.size());
        if (kept->empty()) continue;
        cleaner_.spend(kept->size());
        totals_.batches++, totals_.written += kept->size();
        auto written = co_await writer.append(*kept);
        if (!written) co_return written;
    }
    totals_.read += stream.bytes_read();
    co_return Result<>{};
}

// A file that cannot be opened or read is like one that is damaged: its log is not cleaned, all else goes on.
Task<Result<FileHold>> Cleaning::open(Offset base) {
    const Segment* segment = log_.find_segment(base);
    ASSERT(segment);
    const auto file = co_await storage_.descriptors().acquire(
        log_.key_of(*segment), log_.path_of(*segment, ".log"), Descriptors::Create::no);
    if (!file) co_return Error::corrupt_message;
    co_return FileHold{storage_.descriptors(), *file};
}

Task<Result<>> Cleaning::next(BatchStream& stream) {
    const uint64_t before = stream.bytes_read();
    const auto fetched = co_await stream.fetch();
    cleaner_.spend(stream.bytes_read() - before);
    if (!fetched) co_return Error::corrupt_message;
    if (cleaner_.is_tired()) co_await cleaner_.rest();
    co_return must_end() ? Result<>{cleaning_stopped} : Result<>{};
}

}  // namespace millrace
