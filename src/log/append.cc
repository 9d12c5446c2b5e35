// Appending: sequences checked, offsets given, bytes copied into the tail; the journal is told to come by.
#include <bit>

#include "storage.h"

namespace millrace {

Result<Appended> PartitionLog::append(const AppendRequest& request) {
    if (failure() != Error::none) return failure();
    const auto parsed =
        request.batch.size() >= batch_header_size ? BatchHeader::parse(request.batch.data()) : std::nullopt;
    if (!parsed || parsed->size != request.batch.size()) return Error::corrupt_message;
    BatchHeader batch = *parsed;
    const auto known = producers_.check(batch);
    if (!known) return known.error();
    if (const auto& earlier = *known)
        return Appended{.first = earlier->last - earlier->delta, .last = earlier->last, .duplicate = true};
    if (batch.size > storage_.batch_bytes_max(spec_.config)) return Error::record_list_too_large;
    if (request.leader_epoch < epochs_.last()) return Error::fenced_leader_epoch;
    if (storage_.is_low_on_space() && !spec_.config.uses_reserve) return Error::kafka_storage_error;
    const bool has_room = spec_.config.uses_reserve ? storage_.has_room_in_reserve() : storage_.has_room();
    if (!has_room || !storage_.has_memory_for(batch.size)) return Error::request_timed_out;
    batch.base = end_, batch.leader_epoch = request.leader_epoch;
    if (must_roll(batch)) roll();
    if (request.leader_epoch.value >= 0) epochs_.assign(request.leader_epoch, end_);
    const Offset end_before = end_;
    copy_batch(batch, request.batch);
    ASSERT(end_ > end_before);
    touch_appended();
    return Appended{.first = batch.base, .last = batch.last()};
}

Result<> PartitionLog::start_epoch(Epoch epoch) {
    if (failure() != Error::none) return failure();
    if (!epochs_.assign(epoch, end_)) return Error::fenced_leader_epoch;
    touch();
    return {};
}

bool PartitionLog::must_roll(const BatchHeader& batch) const {
    const Segment& segment = active();
    const LogConfig& config = spec_.config;
    if (segment.size == 0) return batch.last() - segment.base > INT32_MAX;
    if (segment.size + batch.size > config.segment_bytes) return true;
    if (batch.last() - segment.base > INT32_MAX || segment.size + batch.size > UINT32_MAX) return true;
    if ((segment.index->entry_count() + 1) * SegmentIndex::entry_bytes > config.segment_index_bytes)
        return true;
    const bool timed = segment.first_timestamp >= 0 && batch.max_timestamp >= 0;
    const int64_t age =
        timed ? batch.max_timestamp - segment.first_timestamp : storage_.io().wall_ms() - segment.made_ms;
    // What compaction must reach within its lag must leave the active segment first.
    const bool hurries = config.compacts && config.max_compaction_lag_ms > 0;
    const int64_t age_max =
        hurries ? std::min(config.segment_ms, config.max_compaction_lag_ms) : config.segment_ms;
    return age > age_max - jitter_ms_;
}

// The next batch begins a new file. The old one is finished by the background.
void PartitionLog::roll() {
    Segment& old = active();
    ASSERT(!old.sealed);
    old.sealed = true;
    old.index->finish();
    snapshots_due_.push_back({end_, producers_.to_snapshot()});
    forget_unsaved();
    auto next = std::make_unique<Segment>(Segment{.base = end_, .made_ms = storage_.io().wall_ms()});
    next->index = std::make_unique<SegmentIndex>();
    segments_.push_back(std::move(next));
    const int64_t jitter = spec_.config.segment_jitter_ms;
    jitter_ms_ =
        jitter > 0 ? static_cast<int64_t>(storage_.io().random() % static_cast<uint64_t>(jitter)) : 0;
    if (dirty_file_ == 0) need_file(storage_.journal().current_file());
    touch();
    storage_.call(*this);
}

void PartitionLog::copy_batch(const BatchHeader& batch, Bytes bytes) {
    Segment& segment = active();
    segment.index->add(batch, segment.base, segment.size, spec_.config.index_interval_bytes);
    if (segment.size == 0) segment.first_timestamp = batch.max_timestamp;
    segment.max_timestamp = std::max(segment.max_timestamp, batch.max_timestamp);
    producers_.record(batch, storage_.io().wall_ms(), spec_.config.producers_max);
    Chunk& tail = tail_with_room(bytes.size());
    if (tail.first_batch == UINT32_MAX) tail.first_batch = tail.end, tail.first_offset = batch.base;
    constexpr size_t patched = 16;  // Base offset, length, leader epoch.
    std::array<uint8_t, patched> head;
    std::copy_n(bytes.data(), patched, head.data());
    store_big(head.data(), batch.base.value);
    store_big(head.data() + 12, batch.leader_epoch.value);
    copy(head);
    copy(bytes.subspan(patched));
    count_unsaved(bytes.size());
    end_ = batch.next();
    storage_.add_appended(bytes.size());
}

void PartitionLog::copy(Bytes bytes) {
    Segment& segment = active();
    while (!bytes.empty()) {
        Chunk& tail = tail_with_room(bytes.size());
        ASSERT(tail.end_position() == segment.size);
        const size_t size = std::min(bytes.size(), tail.buffer.size() - tail.end);
        std::copy_n(bytes.data(), size, tail.buffer.data() + tail.end);
        tail.end += static_cast<uint32_t>(size);
        tail.hash_full_pages();
        segment.size += size;
        bytes = bytes.subspan(size);
    }
}

// The chunk that the next byte goes to. A log that is written much gets larger and larger ones.
Chunk& PartitionLog::tail_with_room(size_t wanted) {
    const Segment& segment = active();
    Chunk* last = chunks_.empty() ? nullptr : chunks_.back();
    const bool same = last && last->segment == segment.base;
    if (same && !last->full()) return *last;
    const auto begin = static_cast<uint32_t>(segment.size % block_size);
    const size_t grown = last ? last->buffer.size() * 2 : 0;
    if (!last) storage_.chunks().begin_tail();
    Chunk* chunk = storage_.chunks().take(*this, wanted + begin, grown);
    chunk->segment = segment.base;
    chunk->position = segment.size - begin;
    chunk->begin_at(begin);
    ASSERT(!same || begin == 0);
    chunks_.push_back(chunk);
    storage_.trim_cache();
    return *chunk;
}

void PartitionLog::touch() { storage_.add_unstaged(*this, Haste::at_once); }

// What need not be flushed waits a little for more of its kind.
void PartitionLog::touch_appended() {
    const LogConfig& config = spec_.config;
    if (!config.in_memory) return touch();
    storage_.tell_soon(*this);
    const Haste haste = storage_.haste_for(config.flush_ms);
    if (haste != Haste::at_once && safe() == end_) return storage_.add_unstaged(*this, haste);
    storage_.want_durable();
    touch();
}

// The oldest journal file with something that is not yet out; 0: none.
void PartitionLog::need_file(uint64_t journal_file) {
    if (journal_file == dirty_file_) return;
    storage_.move_dirty(spec_.slot, dirty_file_, journal_file);
    dirty_file_ = journal_file;
}

void PartitionLog::count_unsaved(uint64_t bytes) {
    bytes_since_snapshot_ += bytes;
    storage_.add_unsaved(bytes);
}

void PartitionLog::forget_unsaved() { storage_.sub_unsaved(std::exchange(bytes_since_snapshot_, 0)); }

}  // namespace millrace
