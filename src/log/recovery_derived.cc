// What recovery derives from a log's batches: indexes, sizes and times of sealed segments, and producers.
#include "recovery.h"

namespace millrace {

Task<Result<>> Recovery::rebuild() {
    const auto snapshot = co_await load_snapshot();
    if (!snapshot) co_return snapshot.error();
    if (!log_.segments_.empty() && log_.segments_.front()->base > log_.log_start_)
        note_missing(log_.log_start_, log_.segments_.front()->base);
    for (size_t i = 0; i < log_.segments_.size(); i++) {
        Segment& segment = *log_.segments_[i];
        const Offset next = i + 1 < log_.segments_.size() ? log_.segments_[i + 1]->base : end_;
        if (segment.final) {
            const auto loaded = co_await load_index(segment, next);
            if (!loaded) co_return loaded;
        }
        if (segment.final && next <= *snapshot && !epochs_lost_) continue;
        auto rebuilt = co_await rebuild_segment(segment, *snapshot);
        if (!rebuilt) co_return rebuilt;
    }
    co_return co_await check_known_damage();
}

// The newest one that is not above the log's end; the offset from which on batches must be read.
Task<Result<Offset>> Recovery::load_snapshot() {
    auto& offsets = log_.snapshots_on_disk_;
    while (!offsets.empty()) {
        const Offset offset = offsets.back();
        const std::string path = log_.directory_ + "/" + offset_name(offset, ".snapshot");
        if (offset <= end_) {
            const auto bytes = co_await read_file(io_, path);
            if (!bytes) co_return bytes.error();
            if (log_.producers_.from_snapshot(*bytes, io_.wall_ms())) co_return offset;
            io_.log().warn("log", "a producer snapshot is damaged and left out", {{"file", path}});
        }
        const auto removed = co_await remove_file(io_, path);
        if (!removed) co_return removed.error();
        offsets.pop_back();
    }
    co_return log_.segments_.front()->base;
}

// Whether a finished segment's indexes are what they must be, as far as their ends tell; takes over its
// largest time. The rest of them is read when it is needed: a start does not depend on the log's size.
Task<Result<bool>> Recovery::has_sound_index(Segment& segment, Offset next) {
    constexpr size_t entry = SegmentIndex::entry_bytes, time_entry = SegmentIndex::time_entry_bytes;
    if (segment.size == 0) co_return true;
    const auto offsets = co_await read_end(io_, log_.path_of(segment, ".index"), entry);
    const auto times = co_await read_end(io_, log_.path_of(segment, ".timeindex"), time_entry);
    for (const auto* end : {&offsets, &times})
        if (!*end && end->error() != Error::resource_not_found) co_return end->error();
    if (!offsets || !times || offsets->size % entry != 0 || times->size % time_entry != 0) co_return false;
    const bool must_have_entries = segment.size > 2 * uint64_t{log_.spec_.config.index_interval_bytes};
    if (offsets->size == 0 && must_have_entries) co_return false;
    if (offsets->size > 0 && load_big<uint32_t>(offsets->bytes.data() + 4) >= segment.size) co_return false;
    if (times->size == 0) {  // Right where no record has a time.
        const auto first = co_await read_first_batch(segment);
        if (!first) co_return first.error();
        co_return segment.first_timestamp < 0;
    }
    const auto timestamp = load_big<int64_t>(times->bytes.data());
    if (timestamp < 0 || segment.base + load_big<uint32_t>(times->bytes.data() + 8) >= next) co_return false;
    segment.max_timestamp = timestamp;
    co_return true;
}

// Makes a finished segment's indexes anew where they are missing or wrong.
Task<Result<>> Recovery::load_index(Segment& segment, Offset next) {
    auto sound = co_await load_sum(segment, next);
    if (sound && !*sound) sound = co_await has_sound_index(segment, next);
    if (!sound) co_return sound.error();
    if (*sound) co_return Result<>{};
    segment.index = std::make_unique<SegmentIndex>();
    const auto report = co_await scan(segment, {.until = segment.size,
                                                .expected = segment.base,
                                                .limit = next,
                                                .producers_from = Offset{INT64_MAX}});
    if (!report) co_return report.error();
    note(report->damaged);
    segment.index->finish();
    segment.max_timestamp = segment.index->max_timestamp();
    auto written = co_await log_.write_indexes(segment);
    if (written) written = co_await remove_file(io_, log_.path_of(segment, ".sum"));
    if (!written) co_return written;
    storage_.indexes().put(log_.key_of(segment), std::move(*segment.index));
    segment.index.reset();
    segment.scrubbed_ms = 0;
    co_return Result<>{};
}

// Whether its sums are there, and agree with the sizes of its files. Their contents are compared when they
// are used, and by the scrub: a start does not depend on the log's size.
Task<Result<bool>> Recovery::load_sum(Segment& segment, Offset next) {
    const std::string path = log_.path_of(segment, "");
    const auto sums = co_await read_sums(io_, path + ".sum");
    if (!sums) co_return sums.error();
    const bool is_its = *sums && (*sums)->size > 0 && (*sums)->base == segment.base;
    if (!is_its || (*sums)->next > next) co_return false;
    if ((*sums)->next < next) note_missing((*sums)->next, next);
    const uint64_t size = (*sums)->size;
    const uint64_t found = std::exchange(segment.size, size);
    segment.out = segment.scheduled = size, segment.max_timestamp = (*sums)->max_timestamp;
    const int64_t interval = std::max<int64_t>(storage_.config().scrub_interval_ms, 1);
    segment.scrubbed_ms =
        io_.wall_ms() - static_cast<int64_t>(io_.random() % static_cast<uint64_t>(interval));
    if (found < size) {
        CheckRequest request{.path = path + ".log",
                             .segment = segment.base,
                             .until = size,
                             .expected = segment.base,
                             .limit = (*sums)->next};
        const auto report = co_await check_segment(io_, std::move(request));
        if (!report) co_return report.error();
        note(report->damaged);
    }
    const auto offsets = co_await file_info(io_, path + ".index");
    const auto times = co_await file_info(io_, path + ".timeindex");
    if (!offsets || !times) co_return Error::kafka_storage_error;
    co_return *offsets&&* times && (*offsets)->size == (*sums)->index.size &&
        (*times)->size == (*sums)->timeindex.size;
}

Task<Result<>> Recovery::rebuild_segment(Segment& segment, Offset producers_from) {
    const Segment* following = log_.after(segment.base);
    Scan what{.until = segment.size,
              .expected = segment.base,
              .limit = following ? following->base : end_,
              .index = !segment.final,
              .producers_from = producers_from};
    if (!segment.final && producers_from > segment.base) {
        const auto loaded = co_await load_growing_index(segment);
        if (!loaded) co_return loaded;
        const auto floor = segment.index->floor(static_cast<uint32_t>(producers_from - segment.base));
        what.from = floor.position;
        if (what.from == 0) *segment.index = {};
    }
    auto report = co_await scan(segment, what);
    const bool is_wrong = report && !report->damaged.empty();
    if (is_wrong && what.from > 0) {  // Perhaps it is only the index that is wrong.
        *segment.index = {};
        what.from = 0;
        report = co_await scan(segment, what);
    }
    if (!report) co_return report.error();
    note(report->damaged);
    if (segment.index) segment.max_timestamp = segment.index->max_timestamp();
    log_.count_unsaved(segment.size - what.from);
    if (segment.size == 0 || what.from == 0) co_return Result<>{};
    co_return co_await read_first_batch(segment);
}

// As far as its sums vouch for it; none when it is damaged. Without sums as it is.
Task<Result<>> Recovery::load_growing_index(Segment& segment) {
    const auto offsets = co_await read_file(io_, log_.path_of(segment, ".index"));
    const auto times = co_await read_file(io_, log_.path_of(segment, ".timeindex"));
    const auto bytes = co_await read_file(io_, log_.path_of(segment, ".sum"));
    if (!bytes && bytes.error() != Error::resource_not_found) co_return bytes.error();
    if (!offsets || !times) co_return Result<>{};
    const auto sums = bytes ? SegmentSums::from_bytes(*bytes) : std::nullopt;
    if (bytes && !sums)
        io_.log().warn("log", "a segment's sums are damaged and left out",
                       {{"directory", log_.directory_}, {"segment", segment.base.value}});
    Bytes sound_offsets{*offsets}, sound_times{*times};
    if (sums && sums->base == segment.base) {
        sound_offsets = sound_offsets.first(std::min(sound_offsets.size(), sums->index.size));
        sound_times = sound_times.first(std::min(sound_times.size(), sums->timeindex.size));
        if (sum_of(sound_offsets) != sums->index || sum_of(sound_times) != sums->timeindex) {
            io_.log().warn("log", "a segment's indexes are damaged and made anew",
                           {{"directory", log_.directory_}, {"segment", segment.base.value}});
            co_return Result<>{};
        }
    }
    *segment.index = SegmentIndex::from_bytes(sound_offsets, sound_times, segment.size);
    co_return Result<>{};
}

Task<Result<>> Recovery::read_first_batch(Segment& segment) {
    std::vector<uint8_t> bytes(batch_header_size);
    const auto fd =
        co_await open_file(io_, {.path = log_.path_of(segment, ".log"), .flags = Op::read_only | Op::direct});
    if (!fd) co_return Result<>{};  // Damage; said elsewhere.
    const auto read = co_await direct_read(io_, *fd, 0, bytes);
    co_await close_file(io_, *fd);
    const auto batch = read ? BatchHeader::parse(bytes.data()) : std::nullopt;
    if (batch) segment.first_timestamp = batch->record_count > 0 ? batch->max_timestamp : -1;
    co_return Result<>{};
}

Task<Result<CheckReport>> Recovery::scan(Segment& segment, Scan what) {
    CheckRequest request{.path = log_.path_of(segment, ".log"),
                         .segment = segment.base,
                         .from = what.from,
                         .until = what.until,
                         .expected = what.expected,
                         .limit = what.limit,
                         .order = segment.final || what.from > 0 ? Order::rising : Order::gapless,
                         .epochs = epochs_lost_ || !journal_ || journal_->no_place ? nullptr : &log_.epochs_,
                         .known = &log_.damage_};
    request.on_batch = [this, &segment, what, is_first = true](const BatchHeader& batch,
                                                               uint64_t at) mutable {
        if (at == 0) segment.first_timestamp = batch.record_count > 0 ? batch.max_timestamp : -1;
        if (what.index) {
            // What the index says of the bytes from there on is not held against them: it goes.
            if (std::exchange(is_first, false))
                segment.index->cut(what.from, static_cast<uint32_t>(batch.base - segment.base));
            segment.index->add(batch, segment.base, at, log_.spec_.config.index_interval_bytes);
        }
        if (what.index || epochs_lost_) log_.epochs_.assign(batch.leader_epoch, batch.base);
        if (batch.base >= what.producers_from)
            log_.producers_.record(batch, std::min(batch.max_timestamp, io_.wall_ms()),
                                   log_.spec_.config.producers_max);
        if (!segment.sealed && what.index) end_ = std::max(end_, batch.next());
    };
    co_return co_await check_segment(io_, std::move(request));
}

}  // namespace millrace
