// Reading: whole batches, from the tail's chunks where they are in memory, else from the segment's file.
#include "file_window.h"
#include "storage.h"

namespace millrace {

// ---- Memory --------------------------------------------------------------------------------------------

Chunk* PartitionLog::chunk_at(const Segment& segment, uint64_t position) {
    for (auto it = chunks_.rbegin(); it != chunks_.rend(); ++it) {
        Chunk* chunk = *it;
        if (chunk->segment == segment.base && position >= chunk->position && position < chunk->end_position())
            return chunk;
    }
    return nullptr;
}

std::optional<BatchHeader> PartitionLog::header_at(const Segment& segment, uint64_t position) {
    const Chunk* chunk = chunk_at(segment, position);
    if (!chunk) return {};
    if (position + batch_header_size <= chunk->end_position())
        return BatchHeader::parse(chunk->buffer.data() + (position - chunk->position));
    std::array<uint8_t, batch_header_size> bytes;
    for (size_t done = 0; done < bytes.size();) {
        const Chunk* part = chunk_at(segment, position + done);
        if (!part) return {};
        const uint64_t at = position + done - part->position;
        const size_t size = std::min<size_t>(bytes.size() - done, part->end - at);
        std::copy_n(part->buffer.data() + at, size, bytes.data() + done);
        done += size;
    }
    return BatchHeader::parse(bytes.data());
}

// Where the batch with that offset (or the first above it) begins, if it is in memory.
std::optional<uint64_t> PartitionLog::cached_place(const Segment& segment, Offset from) {
    std::optional<uint64_t> place;
    for (auto it = chunks_.rbegin(); it != chunks_.rend() && !place; ++it) {
        const Chunk& chunk = **it;
        if (chunk.segment == segment.base && chunk.first_batch != UINT32_MAX && chunk.first_offset <= from)
            place = chunk.position + chunk.first_batch;
    }
    if (!place) return {};
    if (segment.index) {
        const auto entry = segment.index->floor(static_cast<uint32_t>(from - segment.base));
        place = std::max<uint64_t>(*place, entry.position);
    }
    while (*place < segment.size) {
        const auto batch = header_at(segment, *place);
        ASSERT(batch);
        if (batch->next() > from) break;
        *place += batch->size;
    }
    return place;
}

std::optional<Result<Slice>> PartitionLog::read_cached(const ReadRequest& request) {
    if (failure() != Error::none) return failure();
    if (request.from < log_start_ || request.from > end_) return Result<Slice>{Error::offset_out_of_range};
    if (request.from >= std::min(request.limit, end_)) return Result<Slice>{Slice{}};
    if (!damage_.empty()) return std::nullopt;
    return collect_cached(request);
}

// Nothing of [from, limit) is damaged.
std::optional<Result<Slice>> PartitionLog::collect_cached(const ReadRequest& request) {
    const Segment* segment = segment_at(request.from);
    auto place = cached_place(*segment, request.from);
    if (place && *place == segment->size &&
        segment->sealed) {  // A gap at its end: the next one begins with it.
        segment = after(segment->base);
        place = cached_place(*segment, segment->base);
    }
    if (!place) return std::nullopt;
    return collect(*segment, *place, request);
}

Segment* PartitionLog::after(Offset base) {
    const auto next = std::upper_bound(segments_.begin(), segments_.end(), base,
                                       [](Offset o, const auto& segment) { return o < segment->base; });
    return next == segments_.end() ? nullptr : next->get();
}

Result<Slice> PartitionLog::collect(const Segment& segment, uint64_t position, const ReadRequest& request) {
    Slice slice;
    uint64_t end = position;
    Offset first, next;
    while (end < segment.size) {
        const auto batch = header_at(segment, end);
        ASSERT(batch);
        const bool fits = end + batch->size - position <= request.max_bytes;
        if (batch->next() > request.limit || (!fits && (end > position || !request.at_least_one))) break;
        if (end == position) first = batch->base;
        next = batch->next();
        end += batch->size;
    }
    add_pieces(slice, segment, position, end);
    slice.set_offsets(first, next);
    return slice;
}

void PartitionLog::add_pieces(Slice& slice, const Segment& segment, uint64_t from, uint64_t to) {
    while (from < to) {
        Chunk* chunk = chunk_at(segment, from);
        ASSERT(chunk);
        const uint64_t end = std::min(to, chunk->end_position());
        chunk->pins++;
        slice.add({chunk->buffer.data() + (from - chunk->position), end - from}, chunk);
        from = end;
    }
}

Segment* PartitionLog::segment_at(Offset offset) {
    const auto above = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                        [](Offset o, const auto& segment) { return o < segment->base; });
    return above == segments_.begin() ? segments_.front().get() : (above - 1)->get();
}

Segment* PartitionLog::find_segment(Offset base) {
    Segment* segment = segment_at(base);
    return segment->base == base ? segment : nullptr;
}

// ---- Disk ----------------------------------------------------------------------------------------------

Task<Result<Slice>> PartitionLog::read(ReadRequest request) {
    readers_++;
    auto result = co_await read_anywhere(request);
    leave_reader();
    co_return result;
}

Task<Result<Slice>> PartitionLog::read_anywhere(ReadRequest request) {
    int examined = 0;
    for (;;) {
        if (failure() != Error::none) co_return failure();
        if (request.from < log_start_ || request.from > end_) co_return Error::offset_out_of_range;
        if (request.from >= std::min(request.limit, end_)) co_return Slice{};
        ReadRequest bounded = request;
        const Error damaged = bound_by_damage(bounded);
        if (damaged != Error::none) co_return damaged;
        const Offset base = segment_at(request.from)->base;
        auto found = co_await read_between(base, bounded);
        if (!found && found.error() == replaced) continue;
        if (!found && found.error() == Error::corrupt_message && examined++ < 2) {
            const auto learned = co_await examine(base, 100);
            if (!learned) co_return learned.error();
            if (*learned) continue;
        }
        if (!found) co_return found.error();
        if (*found) {
            const bool stuck = (*found)->empty() && bounded.limit < request.limit && request.at_least_one;
            if (stuck) co_return Error::corrupt_message;  // What comes next is damaged.
            co_return std::move(**found);
        }
        // Nothing at or above the offset in that file: a gap at its end.
        const Segment* next = after(base);
        if (!next || next->base >= request.limit) co_return Slice{};
        request.from = std::max(request.from, next->base);
    }
}

Task<Result<std::optional<Slice>>> PartitionLog::read_between(Offset base, ReadRequest request) {
    auto cached = collect_cached(request);
    if (!cached) co_return co_await read_segment(base, request);
    if (!*cached) co_return cached->error();
    co_return std::optional<Slice>{std::move(**cached)};
}

// Where the last reader that came so far went on; else by the index. Behind what is damaged.
Task<Result<PartitionLog::Begin>> PartitionLog::begin_of(Offset base, Offset from) {
    const Segment* segment = find_segment(base);
    if (!segment) co_return replaced;  // Or dropped: whoever looks again will see.
    Begin begin{.order = segment->final ? Order::rising : Order::gapless};
    if (const auto known = storage_.read_ahead().place_of(key_of(*segment), from)) {
        begin.position = *known;
        co_return begin;
    }
    const auto relative = static_cast<uint32_t>(std::max<int64_t>(from - base, 0));
    if (segment->index) {
        begin.position = segment->index->floor(relative).position;
    } else {
        const auto index =
            co_await storage_.indexes().get(key_of(*segment), path_of(*segment, ""), segment->size);
        if (!index && index.error() != Error::resource_not_found) co_return index.error();
        if (index) begin.position = (*index)->floor(relative).position;
    }
    begin.by_index = begin.position > 0;
    const DamagedRange* below = damage_.below(base, from);
    if (below && below->end_position() >= begin.position)
        begin.position = below->end_position(), begin.by_index = false;
    co_return begin;
}

// The file's sums, where it has some and they are sound.
Task<Result<>> PartitionLog::load_sums(Offset base) {
    const Segment* segment = find_segment(base);
    if (!segment || !segment->final || storage_.blocks().knows_sums(key_of(*segment))) co_return Result<>{};
    const FileKey key = key_of(*segment);
    const uint64_t size = segment->size;
    const auto bytes = co_await read_file(storage_.io(), path_of(*segment, ".sum"));
    if (!bytes && bytes.error() != Error::resource_not_found) co_return bytes.error();
    auto sums = bytes ? SegmentSums::from_bytes(*bytes) : std::nullopt;
    if (sums && sums->size == 0) sums.reset();
    if (bytes && !sums && bytes->size() > SegmentSums::header_size) {
        storage_.io().log().warn("log", "a segment's sums are damaged and left out",
                                 {{"directory", directory_}, {"segment", base.value}});
    }
    if (sums && (sums->size != size || sums->base != base)) sums.reset();
    storage_.blocks().put_sums(key, sums ? std::move(sums->blocks) : std::vector<uint64_t>{});
    co_return Result<>{};
}

// The file of the segment based at `base`, as far as it is out. Nothing: it ends below the offset.
Task<Result<std::optional<Slice>>> PartitionLog::read_segment(Offset base, ReadRequest request) {
    auto in_place = co_await await_replaced();
    if (!in_place) co_return in_place.error();
    const Segment* segment = find_segment(base);
    if (!segment) co_return replaced;  // Or dropped: whoever looks again will see.
    const FileKey key = key_of(*segment);
    const auto begin = co_await begin_of(base, request.from);
    if (!begin) co_return begin.error();
    const auto loaded = co_await load_sums(base);
    if (!loaded) co_return loaded.error();
    segment = find_segment(base);
    if (!segment || key_of(*segment) != key || replacing_) co_return replaced;
    const uint64_t file_end = segment->out;
    const auto file =
        co_await storage_.descriptors().acquire(key, path_of(*segment, ".log"), Descriptors::Create::no);
    if (!file && file.error() != Error::resource_not_found) co_return file.error();
    segment = find_segment(base);
    // The name may already stand for another file.
    const bool is_same = segment && key_of(*segment) == key;
    if (!is_same && file) storage_.descriptors().release(*file), storage_.forget_file(key);
    if (!is_same) co_return replaced;
    if (!file) co_return Error::corrupt_message;
    const FileHold hold{storage_.descriptors(), *file};
    BlockCache::Place place{.key = key, .file = *file, .file_end = file_end, .position = begin->position};
    storage_.read_ahead().begins(place, request.max_bytes);
    FileWindow window{storage_.blocks(), place};
    const auto first = co_await skip_to(window, *begin, request);
    if (!first) co_return first.error();
    if (*first == file_end) co_return std::optional<Slice>{};
    auto slice = co_await collect_from(window, {.position = *first, .order = begin->order}, request);
    if (!slice) co_return slice.error();
    place.position = *first + slice->size();
    if (!slice->empty() && place.position < file_end)
        storage_.read_ahead().went_on(place, *first, slice->next());
    co_return std::optional<Slice>{std::move(*slice)};
}

// Where the first batch begins that ends above the offset; the file's end when none does.
Task<Result<uint64_t>> PartitionLog::skip_to(FileWindow& window, Begin begin, ReadRequest request) {
    uint64_t at = begin.position;
    window.begin_at(at);
    while (at < window.file_end()) {
        if (at + batch_header_size > window.end()) {
            if (window.at_file_end()) co_return Error::corrupt_message;
            const auto more = co_await window.more(request.max_bytes + 2 * block_size);
            if (!more) co_return more.error();
            continue;
        }
        const auto batch = window.header_at(at);
        if (!batch || at + batch->size > window.file_end()) co_return Error::corrupt_message;
        if (begin.order == Order::gapless || begin.by_index) {
            if (batch->base > request.from) co_return Error::corrupt_message;
            begin.by_index = false;
        }
        if (batch->next() > request.from) co_return at;
        at += batch->size;
        if (at > window.end()) window.begin_at(at);
    }
    co_return window.file_end();
}

// What a batch's CRC does not cover is looked at, too: its offsets are the place's, its epoch the log's.
bool PartitionLog::is_as_written(FileWindow& window, uint64_t at, const BatchHeader& batch) {
    if (window.is_suspect(at, at + batch.size, damage_) || !window.is_sound(at, batch)) return false;
    const Epoch epoch = epochs_.at(batch.base);
    return epoch.value < 0 || batch.leader_epoch == epoch;
}

// Ends before what is not as it was written, when there is something before it.
Task<Result<Slice>> PartitionLog::collect_from(FileWindow& window, Begin begin, ReadRequest request) {
    const uint64_t first_at = begin.position;
    uint64_t at = first_at;
    Offset first, next;
    Error error = Error::none;
    while (at < window.file_end()) {
        const bool enough = at > first_at && at + batch_header_size - first_at > request.max_bytes;
        if (enough) break;
        const auto batch = window.header_at(at);
        const uint64_t needed = batch ? at + batch->size : at + batch_header_size;
        if (needed > window.file_end()) {  // Its end is not out yet, or it is none.
            error = Error::corrupt_message;
            break;
        }
        const bool fits = needed - first_at <= request.max_bytes;
        if (batch && batch->base >= request.limit && !window.is_suspect(at, needed, damage_)) break;
        if (batch && !fits && (at > first_at || !request.at_least_one)) break;
        if (needed > window.end()) {
            const auto more =
                co_await window.more(std::max(needed, first_at + request.max_bytes) - window.end());
            if (!more) co_return more.error();
            continue;
        }
        const bool follows = batch && (at == first_at || batch->base == next ||
                                       (begin.order == Order::rising && batch->base > next));
        if (!follows || !is_as_written(window, at, *batch)) {
            error = Error::corrupt_message;
            break;
        }
        if (batch->next() > request.limit) break;
        if (at == first_at) first = batch->base;
        next = batch->next();
        at = needed;
    }
    if (at == first_at && error != Error::none) co_return error;
    Slice slice;
    if (at == first_at) co_return slice;  // The first batch is too large, or not below the limit.
    window.add_to(slice, first_at, at);
    slice.set_offsets(first, next);
    co_return slice;
}

}  // namespace millrace
