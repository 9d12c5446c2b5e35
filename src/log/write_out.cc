// Writing out: what so far only the journal and memory hold goes to the segments in large durable writes, and
// sealed segments get their final form.
#include "checkpoint.h"
#include "storage.h"

namespace millrace {

namespace {

constexpr uint64_t snapshot_bytes = 16 << 20;  // Bounds what a recovery reads again per log.
constexpr uint64_t file_step_min = 64 << 10, file_step_max = 256 << 20;

// A file grows by as much as it has, so that growing is rare where much is written.
uint64_t step_of(const Segment& segment) {
    return std::clamp(segment.allocated, file_step_min, file_step_max);
}

}  // namespace

std::string PartitionLog::path_of(const Segment& segment, std::string_view suffix) const {
    return directory_ + "/" + offset_name(segment.base, suffix);
}

bool PartitionLog::needs_write_out() const {
    const bool unfinished = segments_.size() > 1 && !segments_[segments_.size() - 2]->final;
    return unfinished || active().out < active().size || written_epoch_ != epochs_.last();
}

// Only the background calls this, one at a time per log; the log cannot go meanwhile.
Task<Result<>> PartitionLog::write_out() {
    ASSERT(!writing_out_);
    writing_out_ = true;
    while (direct_flights_ > 0 && failure() == Error::none) {
        storage_.journal().sync();
        co_await storage_.committed();
    }
    const uint64_t file = storage_.journal().current_file();
    Result<> result = failure() == Error::none ? Result<>{} : failure();
    std::vector<Segment*> unfinished;
    for (const auto& segment : segments_)
        if (!segment->final) unfinished.push_back(segment.get());
    for (Segment* segment : unfinished) {
        const bool sealed = segment->sealed;  // Else it may grow meanwhile.
        if (result) result = co_await write_segment(*segment);
        if (result && sealed) result = co_await finish_segment(*segment);
    }
    if (result) result = co_await write_derived(Sync::no);
    writing_out_ = false;
    // What was staged meanwhile is in that file or a later one.
    if (result) need_file(needs_write_out() || has_unstaged() ? file : 0);
    storage_.wake();
    co_return result;
}

Task<Result<>> PartitionLog::write_segment(Segment& segment) {
    const uint64_t end = segment.size;
    if (segment.out == end && segment.allocated > 0) co_return Result<>{};
    if (end == 0) co_return Result<>{};
    const uint64_t reused_max = std::min(align_up(spec_.config.segment_bytes), 4 * align_up(end));
    const auto reused = co_await reuse_file(segment, reused_max);
    if (!reused) co_return reused;
    const bool is_new = segment.allocated == 0;
    const auto file = co_await storage_.descriptors().acquire(key_of(segment), path_of(segment, ".log"),
                                                              Descriptors::Create::yes);
    if (!file) co_return file.error();
    const FileHold hold{storage_.descriptors(), *file};
    auto result = co_await grow_file(segment, hold.fd(), align_up(end));
    if (result && is_new) result = co_await sync_directory(storage_.io(), directory_);
    while (result && segment.out < end) result = co_await write_piece(segment, hold.fd(), end);
    co_return result;
}

// A new segment may get the file of one that was dropped. What is in it stays until it is written over: only
// the journal says where the log ends.
Task<Result<>> PartitionLog::reuse_file(Segment& segment, uint64_t size_max) {
    if (segment.allocated > 0 || storage_.descriptors().is_open(key_of(segment))) co_return Result<>{};
    RecycledFiles::Wish wish{.path = path_of(segment, ".log"), .base = segment.base, .size_max = size_max};
    const auto size = co_await storage_.recycled().take(std::move(wish));
    if (!size) co_return size.error();
    if (*size == 0) co_return Result<>{};
    auto synced = co_await sync_directory(storage_.io(), directory_);
    if (synced) segment.allocated = *size;
    co_return synced;
}

// Room for `size` bytes, and some ahead.
Task<Result<>> PartitionLog::grow_file(Segment& segment, int fd, uint64_t size) {
    if (segment.allocated >= size) co_return Result<>{};
    const uint64_t step = storage_.limit_ahead(step_of(segment));
    const uint64_t limit = align_up(spec_.config.segment_bytes);
    const uint64_t wanted = segment.sealed ? size : std::max(size, std::min(segment.allocated + step, limit));
    const int32_t n = co_await Once{storage_.io(), Op::Kind::allocate, {.fd = fd, .size = wanted}};
    if (n < 0) co_return storage_error(n);
    segment.allocated = wanted;
    co_return Result<>{};
}

// The whole blocks from what is out on, as far as one chunk has them; or the block that is not full yet, as a
// copy, since appends go on in the chunk meanwhile.
Task<Result<>> PartitionLog::write_piece(Segment& segment, int fd, uint64_t end) {
    Chunk* chunk = chunk_at(segment, segment.out);
    ASSERT(chunk);
    const uint64_t from = align_down(segment.out);
    if (chunk->begin_position() > from) {
        auto read = co_await fill_front(segment, *chunk, fd);
        if (!read) co_return read;
    }
    const uint64_t until = std::min(end, chunk->end_position());
    const uint64_t whole = align_down(until);
    uint8_t* bytes = chunk->buffer.data() + (from - chunk->position);
    if (whole > from) {
        const OpArguments a{.fd = fd,
                            .data = bytes,
                            .size = whole - from,
                            .offset = from,
                            .flags = Op::durable,
                            .buffer = &chunk->buffer};
        const int32_t n = co_await write_whole(storage_.io(), a);
        co_return written(segment, whole, whole - from, n);
    }
    IoBuffer copy{block_size};
    std::copy_n(bytes, until - from, copy.data());
    const OpArguments a{.fd = fd,
                        .data = copy.data(),
                        .size = block_size,
                        .offset = from,
                        .flags = Op::durable,
                        .buffer = &copy};
    const int32_t n = co_await write_whole(storage_.io(), a);
    co_return written(segment, until, block_size, n);
}

Result<> PartitionLog::written(Segment& segment, uint64_t out, uint64_t size, int32_t outcome) {
    if (outcome < 0 || static_cast<uint64_t>(outcome) != size) return Error::kafka_storage_error;
    storage_.counters().write_out_bytes += size;
    advance_out(segment, out);
    return {};
}

// The chunk began inside a block: the block's beginning is in the file already.
Task<Result<>> PartitionLog::fill_front(Segment& segment, Chunk& chunk, int fd) {
    ASSERT(chunk.begin > 0 && chunk.begin < block_size);
    ASSERT(chunk.segment == segment.base && segment.out >= chunk.begin_position());
    std::vector<uint8_t> front(chunk.begin);
    const auto read = co_await direct_read(storage_.io(), fd, chunk.position, front);
    if (!read) co_return read;
    std::copy(front.begin(), front.end(), chunk.buffer.data());
    chunk.begin = 0;
    co_return Result<>{};
}

// Before the file is full, so that direct writes never wait for room: what came meanwhile would go through
// the journal, and to the device twice.
bool PartitionLog::nears_end_of_file(const Segment& segment) const {
    const uint64_t step = step_of(segment);
    const bool is_growing = !segment.sealed && segment.allocated > 0;
    if (!is_growing || segment.allocated >= align_up(spec_.config.segment_bytes)) return false;
    return segment.size + step / 2 > segment.allocated && storage_.limit_ahead(step) >= file_step_min;
}

// Direct writes go on.
Task<Result<>> PartitionLog::grow_ahead() {
    Segment& segment = active();
    ASSERT(!checkpointing_);
    checkpointing_ = true;
    const auto file = co_await storage_.descriptors().acquire(key_of(segment), path_of(segment, ".log"),
                                                              Descriptors::Create::no);
    Result<> result = file ? Result<>{} : file.error();
    if (file) {
        const FileHold hold{storage_.descriptors(), *file};
        result = co_await grow_file(segment, hold.fd(), segment.allocated + block_size);
    }
    checkpointing_ = false;
    storage_.wake();
    co_return result;
}

Task<Result<>> PartitionLog::prepare_direct() {
    Segment& segment = active();
    const bool wants_direct = std::exchange(wants_direct_, false);
    const bool wants_growth = std::exchange(wants_growth_, false) && nears_end_of_file(segment);
    if (writing_out_ || failure() != Error::none) co_return Result<>{};
    if (!wants_direct) {
        Result<> grown;
        if (wants_growth) grown = co_await grow_ahead();
        co_return grown;
    }
    writing_out_ = true;  // Nobody else touches the file or drops the segment.
    const auto reused = co_await reuse_file(segment, align_up(spec_.config.segment_bytes));
    if (!reused) {
        writing_out_ = false;
        co_return reused;
    }
    const bool is_new = segment.allocated == 0;
    const auto file = co_await storage_.descriptors().acquire(key_of(segment), path_of(segment, ".log"),
                                                              Descriptors::Create::yes);
    Result<> result = file ? Result<>{} : file.error();
    if (result) result = co_await grow_file(segment, (*file)->fd, segment.size + 2 * file_step_min);
    if (result && is_new) result = co_await sync_directory(storage_.io(), directory_);
    Chunk* chunk = result ? chunk_at(segment, segment.out) : nullptr;
    if (chunk && chunk->begin_position() > align_down(segment.out))
        result = co_await fill_front(segment, *chunk, (*file)->fd);
    writing_out_ = false;
    if (result && !segment.file && !segment.sealed)
        segment.file = *file;
    else if (file)
        storage_.descriptors().release(*file);
    storage_.wake();
    co_return result;
}

void PartitionLog::release_direct() {
    if (direct_flights_ == 0 && !writing_out_) release_files();
}

void PartitionLog::release_files() {
    for (const auto& segment : segments_)
        if (segment->file) storage_.descriptors().release(std::exchange(segment->file, nullptr));
}

// Exact length, indexes and snapshot on disk: from here its size is what the file system says.
Task<Result<>> PartitionLog::finish_segment(Segment& segment) {
    ASSERT(segment.sealed && segment.out == segment.size);
    Io& io = storage_.io();
    if (segment.file) storage_.descriptors().release(std::exchange(segment.file, nullptr));
    auto sums = take_sums(segment);
    auto exact = co_await make_exact(segment);
    if (!exact) co_return exact;
    auto written = co_await write_indexes(segment);
    if (written && sums) written = co_await write_sum_file(segment, std::move(*sums));
    while (written && !snapshots_due_.empty() && snapshots_due_.front().offset <= after(segment.base)->base) {
        Snapshot snapshot = std::move(snapshots_due_.front());
        snapshots_due_.erase(snapshots_due_.begin());
        written = co_await write_snapshot(snapshot.offset, snapshot.bytes);
    }
    if (written) written = co_await sync_directory(io, directory_);
    if (!written) co_return written;
    storage_.indexes().put(key_of(segment), std::move(*segment.index));
    segment.index.reset();
    segment.final = true;
    if (!sums) storage_.wake_scrub();
    co_return Result<>{};
}

// Nothing when not all of it was in memory when it came out: after a restart, say.
std::optional<std::vector<uint64_t>> PartitionLog::take_sums(Segment& segment) {
    const uint64_t last = align_down(segment.size);
    if (segment.sums.at() != last || segment.size == 0) return {};
    if (last == segment.size) return segment.sums.finish(segment.size, {});
    const Chunk* chunk = chunk_at(segment, last);
    if (!chunk || chunk->begin_position() > last || chunk->end_position() < segment.size) return {};
    return segment.sums.finish(segment.size,
                               {chunk->buffer.data() + (last - chunk->position), segment.size - last});
}

Task<Result<>> PartitionLog::write_sum_file(Segment& segment, std::vector<uint64_t> blocks) {
    segment.scrubbed_ms = storage_.io().wall_ms();
    const SegmentSums sums{.base = segment.base,
                           .next = after(segment.base)->base,
                           .size = segment.size,
                           .max_timestamp = segment.max_timestamp,
                           .index = sum_of(segment.index->offset_bytes()),
                           .timeindex = sum_of(segment.index->time_bytes()),
                           .blocks = std::move(blocks)};
    co_return co_await write_file(storage_.io(), path_of(segment, ".sum"), sums.to_bytes(), Sync::yes);
}

Task<Result<>> PartitionLog::make_exact(Segment& segment) {
    if (segment.allocated == 0 || segment.allocated == segment.size) co_return Result<>{};
    const auto file = co_await storage_.descriptors().acquire(key_of(segment), path_of(segment, ".log"),
                                                              Descriptors::Create::no);
    if (!file) co_return file.error();
    const FileHold hold{storage_.descriptors(), *file};
    const OpArguments a{.fd = hold.fd(), .size = segment.size};
    const int32_t cut = co_await Once{storage_.io(), Op::Kind::truncate, a};
    if (cut < 0) co_return storage_error(cut);
    const int32_t synced = co_await Once{storage_.io(), Op::Kind::sync, {.fd = hold.fd()}};
    if (synced < 0) co_return Error::kafka_storage_error;
    segment.allocated = segment.size;
    co_return Result<>{};
}

// New entries behind those that are there. The time index first: where an offset entry is found after a
// crash, the times of all batches before it are, too.
Task<Result<>> PartitionLog::write_indexes(Segment& segment) {
    const SegmentIndex& index = *segment.index;
    const size_t entries = index.entry_count(), times = index.time_count();
    Result<> result;
    if (!segment.index_file_known) {
        result = co_await forget_growing_sums(segment);
        if (!result) co_return result;
        result =
            co_await write_file(storage_.io(), path_of(segment, ".timeindex"), index.time_bytes(), Sync::yes);
        if (result)
            result = co_await write_file(storage_.io(), path_of(segment, ".index"), index.offset_bytes(),
                                         Sync::yes);
    } else {
        FilePart part{path_of(segment, ".timeindex"), segment.times_written * SegmentIndex::time_entry_bytes,
                      index.time_bytes(segment.times_written)};
        result = co_await write_part(storage_.io(), std::move(part), Sync::yes);
        FilePart offsets{path_of(segment, ".index"), segment.entries_written * SegmentIndex::entry_bytes,
                         index.offset_bytes(segment.entries_written)};
        if (result) result = co_await write_part(storage_.io(), std::move(offsets), Sync::yes);
    }
    if (!result) co_return result;
    segment.entries_written = entries, segment.times_written = times;
    segment.index_file_known = true;
    co_return Result<>{};
}

// An earlier life's, of index files that are about to become others.
Task<Result<>> PartitionLog::forget_growing_sums(const Segment& segment) {
    const std::string path = path_of(segment, ".sum");
    const auto info = co_await file_info(storage_.io(), path);
    if (!info) co_return info.error();
    if (!*info) co_return Result<>{};
    auto removed = co_await remove_file(storage_.io(), path);
    if (removed) removed = co_await sync_directory(storage_.io(), directory_);
    co_return removed;
}

// The background calls it while nothing of the log is written out; appends and direct writes go on.
Task<Result<>> PartitionLog::checkpoint() {
    ASSERT(!writing_out_ && !checkpointing_);
    checkpointing_ = true;
    auto result = co_await write_derived(Sync::yes);
    checkpointing_ = false;
    storage_.wake();
    co_return result;
}

// While a segment grows its sums vouch for its indexes alone.
Task<Result<>> PartitionLog::write_index_sums(const Segment& segment) {
    const auto offsets = segment.index->offset_bytes(), times = segment.index->time_bytes();
    const size_t offsets_size = segment.entries_written * SegmentIndex::entry_bytes;
    const size_t times_size = segment.times_written * SegmentIndex::time_entry_bytes;
    const SegmentSums sums{.base = segment.base,
                           .next = end_,
                           .index = sum_of(Bytes{offsets}.first(offsets_size)),
                           .timeindex = sum_of(Bytes{times}.first(times_size)),
                           .blocks = {}};
    co_return co_await write_file(storage_.io(), path_of(segment, ".sum"), sums.to_bytes(), Sync::yes);
}

// What can be computed again from the segments, but not in an instant; and the epochs, which cannot.
Task<Result<>> PartitionLog::write_derived(Sync all) {
    Result<> result;
    if (written_epoch_ != epochs_.last() || all == Sync::yes) {
        const Epoch epoch = epochs_.last();
        const std::string text = epochs_.to_text();
        result = co_await write_checkpoint(storage_.io(), directory_, text);
        if (result) result = co_await sync_directory(storage_.io(), directory_);
        if (result) written_epoch_ = epoch;
    }
    if (!result || (bytes_since_snapshot_ < snapshot_bytes && all == Sync::no)) co_return result;
    forget_unsaved();
    const Offset base = active().base;
    result = co_await write_indexes(active());
    const Segment* segment = find_segment(base);
    if (result && segment && segment->index) result = co_await write_index_sums(*segment);
    if (result) result = co_await write_snapshot(end_, producers_.to_snapshot());
    if (result) result = co_await sync_directory(storage_.io(), directory_);
    co_return result;
}

// Keeps those that a recovery may need: the newest that is surely below the log's end then, and what follows.
Task<Result<>> PartitionLog::write_snapshot(Offset offset, std::vector<uint8_t> bytes) {
    auto result = co_await write_file(storage_.io(), directory_ + "/" + offset_name(offset, ".snapshot"),
                                      std::move(bytes), Sync::yes);
    if (!result) co_return result;
    if (snapshots_on_disk_.empty() || snapshots_on_disk_.back() < offset)
        snapshots_on_disk_.push_back(offset);
    while (snapshots_on_disk_.size() > 2 && snapshots_on_disk_[1] <= durable_ && result) {
        const Offset old = snapshots_on_disk_.front();
        snapshots_on_disk_.erase(snapshots_on_disk_.begin());
        result = co_await remove_file(storage_.io(), directory_ + "/" + offset_name(old, ".snapshot"));
    }
    co_return result;
}

Task<Result<>> PartitionLog::write_final() {
    auto result = co_await write_out();
    if (!result) co_return result;
    ASSERT(!needs_write_out());
    if (active().file) storage_.descriptors().release(std::exchange(active().file, nullptr));
    result = co_await make_exact(active());
    const bool fresh = bytes_since_snapshot_ > 0 || !active().index_file_known;
    if (result && fresh && end_ > Offset{0}) result = co_await write_derived(Sync::yes);
    co_return result;
}

// ---- Memory --------------------------------------------------------------------------------------------

bool PartitionLog::drop_oldest_chunk() {
    if (chunks_.empty() || writing_out_) return false;
    const Chunk& chunk = *chunks_.front();
    if (chunk.pins > 0 || chunk.buffer.in_flight()) return false;
    const Segment* segment = find_segment(chunk.segment);
    // A batch that begins in it must be out as a whole: it will be read from the file.
    uint64_t needed = segment ? segment->size : 0;
    for (size_t i = chunks_.size() - 1; i > 0 && segment; i--)
        if (chunks_[i]->segment == segment->base && chunks_[i]->first_batch != UINT32_MAX)
            needed = chunks_[i]->position + chunks_[i]->first_batch;
    const bool out = segment && segment->out >= std::max(needed, chunk.end_position());
    const bool staged = staged_segment_ > chunk.segment ||
                        (staged_segment_ == chunk.segment && staged_position_ >= chunk.end_position());
    const bool untouched = chunk.end > chunk.begin;  // Else it was just made.
    if (!out || !staged || !untouched) return false;
    drop_first_chunk();
    return true;
}

void PartitionLog::drop_first_chunk() {
    storage_.chunks().let_go(chunks_.front());
    chunks_.erase(chunks_.begin());
    if (chunks_.empty()) storage_.chunks().end_tail();
}

void PartitionLog::drop_chunks() {
    while (!chunks_.empty()) drop_first_chunk();
}

}  // namespace millrace
