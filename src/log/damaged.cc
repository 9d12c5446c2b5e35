// Damage while the log runs: a reader met bytes that are not what was written. How far that goes is found
// out, remembered, and said; the rest of the log goes on.
#include "index_check.h"
#include "storage.h"

namespace millrace {

// What may be read of the request: up to the next damage. corrupt_message: it begins inside one.
Error PartitionLog::bound_by_damage(ReadRequest& request) const {
    if (damage_.empty()) return Error::none;
    if (damage_.find(request.from)) return Error::corrupt_message;
    if (const DamagedRange* range = damage_.above(request.from))
        request.limit = std::min(request.limit, range->first);
    return Error::none;
}

// Where a search goes on that cannot read at the offset; the offset itself when no damage is known there.
Offset PartitionLog::behind_damage(Offset from) const {
    const DamagedRange* range = damage_.find(from);
    if (!range) range = damage_.above(from);
    return range ? range->next : from;
}

void PartitionLog::note_damage(const DamagedRange& range) {
    if (!damage_.add(range)) return;
    damage_unsaid_ = true;
    storage_.io().log().error("log", "damaged: these offsets are not served",
                              {{"directory", directory_},
                               {"first", range.first.value},
                               {"next", range.next.value},
                               {"segment", range.segment.value},
                               {"position", range.position},
                               {"bytes", range.length},
                               {"cause", name_of(range.cause)}});
    storage_.call(*this);
}

Task<Result<>> PartitionLog::write_damage() {
    damage_unsaid_ = false;
    readers_++;
    const std::string path = directory_ + "/damaged", text = damage_.to_text();
    const bool is_none = damage_.empty();
    Result<> result;
    if (is_none)
        result = co_await remove_file(storage_.io(), path);
    else
        result = co_await write_file(storage_.io(), path, std::vector<uint8_t>(text.begin(), text.end()),
                                     Sync::yes);
    if (result) result = co_await sync_directory(storage_.io(), directory_);
    if (!result) damage_unsaid_ = true;
    leave_reader();
    co_return result;
}

// Takes over what a check of the segment's file found. True when anything of it is new.
bool PartitionLog::note_report(const Segment& segment, const CheckReport& report) {
    bool is_new = false;
    for (const DamagedRange& range : report.damaged) {
        // A batch whose end is not out yet is in memory as a whole.
        const bool in_memory = !segment.final && chunk_at(segment, range.position);
        if (in_memory || damage_.contains(range)) continue;
        note_damage(range);
        is_new = true;
    }
    return is_new;
}

// Blocks that the file's sums call wrong, though each batch in them looks sound: it may be an offset. Nothing
// that touches them is served.
bool PartitionLog::note_suspects(const Segment& segment, const std::vector<Suspect>& suspects) {
    bool is_new = false;
    for (const Suspect& suspect : suspects) {
        if (!suspect.range || damage_.touches(segment.base, suspect.from, suspect.to)) continue;
        note_damage(*suspect.range);
        is_new = true;
    }
    return is_new;
}

void PartitionLog::Suspect::see(const BatchHeader& batch, uint64_t position) {
    const uint64_t end = position + batch.size;
    if (end <= from || position >= to) return;
    if (!range) range = DamagedRange{.first = batch.base, .position = position, .cause = DamageCause::sum};
    range->next = batch.next();
    range->length = end - range->position;
}

Task<Result<std::vector<PartitionLog::Suspect>>> PartitionLog::find_suspects(Offset base) {
    std::vector<Suspect> suspects;
    const Segment* segment = find_segment(base);
    if (!segment || !segment->final) co_return suspects;
    const std::string path = path_of(*segment, "");
    const auto sums = co_await read_sums(storage_.io(), path + ".sum");
    if (!sums) co_return sums.error();
    if (!*sums) co_return suspects;
    for (uint64_t at = 0; at < (*sums)->size; at += check_step) {
        const auto wrong = co_await wrong_blocks(storage_.io(), {path + ".log", &**sums, at});
        if (!wrong) co_return wrong.error();
        for (const uint64_t position : *wrong)
            suspects.push_back({.from = position, .to = position + sum_block, .range = {}});
    }
    co_return suspects;
}

// Reads the whole file of a segment in which something is wrong, with that share of the time. True when it is
// worth reading again: damage is known, an index that was wrong is mended, or all of it was found sound.
Task<Result<bool>> PartitionLog::examine(Offset base, uint32_t percent) {
    if (examining_ || is_held()) co_return false;
    examining_ = true;
    readers_++;
    auto learned = co_await examine_file(base, percent);
    examining_ = false;
    examined_.notify_all();
    leave_reader();
    co_return learned;
}

Task<Result<bool>> PartitionLog::examine_file(Offset base, uint32_t percent) {
    auto suspects = co_await find_suspects(base);
    if (!suspects) co_return suspects.error();
    const Segment* segment = find_segment(base);
    if (!segment) co_return false;
    const bool was_final = segment->final;
    const FileKey key = key_of(*segment);
    const Segment* next = after(base);
    SegmentIndex index;
    CheckRequest request{.path = path_of(*segment, ".log"),
                         .segment = base,
                         .until = segment->out,
                         .expected = base,
                         .limit = next ? next->base : end_,
                         .order = was_final ? Order::rising : Order::gapless,
                         .epochs = &epochs_,
                         .known = &damage_,
                         .percent = percent,
                         .should_stop = [this] { return is_resting() || storage_.is_ending(); }};
    auto check = co_await load_index_check(base);
    if (!check) co_return check.error();
    const uint32_t interval = spec_.config.index_interval_bytes;
    request.on_batch = [&](const BatchHeader& batch, uint64_t position) {
        index.add(batch, base, position, interval);
        if (*check) (*check)->on_batch(batch, position);
        for (Suspect& s : *suspects) s.see(batch, position);
    };
    const auto report = co_await check_segment(storage_.io(), std::move(request));
    if (!report) co_return report.error();
    segment = find_segment(base);
    if (!segment || key_of(*segment) != key) co_return true;
    for (Suspect& s : *suspects)
        if (s.range) s.range->segment = base, s.range->found_ms = storage_.io().wall_ms();
    bool learned = note_report(*segment, *report);
    learned |= note_suspects(*segment, *suspects);
    storage_.blocks().forget(key);
    if (!was_final || learned) co_return learned;
    if (*check) (*check)->finish(IndexCheck::Times::complete);
    storage_.indexes().forget(key);
    if (*check && !(*check)->wrong_offset() && !(*check)->wrong_time()) co_return true;
    index.finish();
    const auto replaced = co_await replace_index(base, std::move(index));
    if (!replaced) co_return replaced.error();
    co_return true;
}

// Of a sealed segment's index files as they are; none when one of them is not there, or not what its sums
// say.
Task<Result<std::optional<IndexCheck>>> PartitionLog::load_index_check(Offset base) {
    const Segment* segment = find_segment(base);
    if (!segment || !segment->final) co_return std::optional<IndexCheck>{};
    const uint64_t size = segment->size;
    const std::string path = path_of(*segment, "");
    const auto offsets = co_await read_file(storage_.io(), path + ".index");
    const auto times = co_await read_file(storage_.io(), path + ".timeindex");
    const auto sums = co_await read_sums(storage_.io(), path + ".sum");
    if (!sums) co_return sums.error();
    for (const auto* file : {&offsets, &times})
        if (!*file && file->error() != Error::resource_not_found) co_return file->error();
    const bool is_known = *sums && (*sums)->size > 0;
    const bool is_its =
        offsets && times &&
        (!is_known || ((*sums)->index == sum_of(*offsets) && (*sums)->timeindex == sum_of(*times)));
    co_return is_its ? std::optional<IndexCheck>{std::in_place, *offsets, *times, base, size} : std::nullopt;
}

// A sealed segment's index files become what its batches say, and its sums' word on them, too.
Task<Result<>> PartitionLog::replace_index(Offset base, SegmentIndex index) {
    const Segment* segment = find_segment(base);
    if (!segment) co_return Result<>{};
    const std::string path = path_of(*segment, "");
    storage_.io().log().warn("log", "a segment's indexes are made anew",
                             {{"directory", directory_}, {"segment", base.value}});
    auto sums = co_await read_sums(storage_.io(), path + ".sum");
    if (!sums) co_return sums.error();
    auto times = index.time_bytes(), offsets = index.offset_bytes();
    if (*sums) (*sums)->index = sum_of(offsets), (*sums)->timeindex = sum_of(times);
    auto result = co_await write_file(storage_.io(), path + ".timeindex", std::move(times), Sync::yes);
    if (result) result = co_await write_file(storage_.io(), path + ".index", std::move(offsets), Sync::yes);
    if (result && *sums)
        result = co_await write_file(storage_.io(), path + ".sum", (*sums)->to_bytes(), Sync::yes);
    if (result) result = co_await sync_directory(storage_.io(), directory_);
    co_return result;
}

}  // namespace millrace
