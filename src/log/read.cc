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
    for (;;) {
        auto cached = read_cached(request);
        if (cached) co_return std::move(*cached);
        const Offset base = segment_at(request.from)->base;
        auto found = co_await read_segment(base, request);
        if (!found) co_return found.error();
        if (*found) co_return std::move(**found);
        // Nothing at or above the offset in that file: a gap at its end.
        const Segment* next = after(base);
        if (!next || next->base >= request.limit) co_return Slice{};
        request.from = std::max(request.from, next->base);
    }
}

Task<Result<uint64_t>> PartitionLog::floor_position(Offset base, Offset from) {
    const Segment* segment = find_segment(base);
    if (!segment) co_return Error::offset_out_of_range;
    const auto relative = static_cast<uint32_t>(std::max<int64_t>(from - base, 0));
    if (segment->index) co_return uint64_t{segment->index->floor(relative).position};
    const auto index =
        co_await storage_.indexes().get(key_of(*segment), path_of(*segment, ""), segment->size);
    if (!index && index.error() == Error::resource_not_found) co_return uint64_t{0};
    if (!index) co_return index.error();
    co_return uint64_t{(*index)->floor(relative).position};
}

// The file of the segment based at `base`, as far as it is out. Nothing: it ends below the offset.
Task<Result<std::optional<Slice>>> PartitionLog::read_segment(Offset base, ReadRequest request) {
    const auto floor = co_await floor_position(base, request.from);
    if (!floor) co_return floor.error();
    const Segment* segment = find_segment(base);
    if (!segment) co_return Error::offset_out_of_range;  // Dropped in the meantime.
    const uint64_t file_end = segment->out;
    const auto file = co_await storage_.descriptors().acquire(key_of(*segment), path_of(*segment, ".log"),
                                                              Descriptors::Create::no);
    if (!file && file.error() == Error::resource_not_found) co_return Error::offset_out_of_range;
    if (!file) co_return file.error();
    const FileHold hold{storage_.descriptors(), *file};
    FileWindow window{storage_.io(), hold.fd(), file_end, storage_.counters()};
    const auto begin = co_await skip_to(window, *floor, request);
    if (!begin) co_return begin.error();
    if (*begin == file_end) co_return std::optional<Slice>{};
    auto slice = co_await collect_from(window, *begin, request);
    if (!slice) co_return slice.error();
    co_return std::optional<Slice>{std::move(*slice)};
}

// Where the first batch begins that ends above the offset; the file's end when none does.
Task<Result<uint64_t>> PartitionLog::skip_to(FileWindow& window, uint64_t at, ReadRequest request) {
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
        if (batch->next() > request.from) co_return at;
        at += batch->size;
        if (at > window.end()) window.begin_at(at);
    }
    co_return window.file_end();
}

Task<Result<Slice>> PartitionLog::collect_from(FileWindow& window, uint64_t begin, ReadRequest request) {
    uint64_t at = begin;
    Offset first, next;
    while (at < window.file_end()) {
        const bool enough = at > begin && at + batch_header_size - begin > request.max_bytes;
        if (enough) break;
        const auto batch = window.header_at(at);
        const uint64_t needed = batch ? at + batch->size : at + batch_header_size;
        if (needed > window.file_end() && at > begin) break;  // Its end is not out yet.
        if (needed > window.file_end()) co_return Error::corrupt_message;
        const bool fits = needed - begin <= request.max_bytes;
        if (batch && batch->next() > request.limit) break;
        if (batch && !fits && (at > begin || !request.at_least_one)) break;
        if (needed > window.end()) {
            const auto more =
                co_await window.more(std::max(needed, begin + request.max_bytes) - window.end());
            if (!more) co_return more.error();
            continue;
        }
        if (!batch || !window.crc_matches(at, *batch)) co_return Error::corrupt_message;
        if (at == begin) first = batch->base;
        next = batch->next();
        at = needed;
    }
    Slice slice;
    if (at == begin) co_return slice;  // The first batch is too large, or not below the limit.
    window.add_to(slice, begin, at);
    slice.set_offsets(first, next);
    co_return slice;
}

}  // namespace millrace
