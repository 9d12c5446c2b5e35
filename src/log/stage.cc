// Staging: what a log appended since its last commit becomes journal entries, small bytes inside the journal,
// many bytes straight to the segment with a hash in the journal.
#include "storage.h"

namespace millrace {

bool PartitionLog::has_unstaged() const {
    return state_due_ || staged_end_ != end_ || staged_start_ != log_start_ ||
           staged_epoch_ != epochs_.last() || settle_staged_ != settle_wanted_;
}

size_t PartitionLog::unstaged_bytes() const {
    size_t bytes = 0;
    for (const auto& segment : segments_) {
        if (segment->base < staged_segment_) continue;
        bytes += segment->size - (segment->base == staged_segment_ ? staged_position_ : 0);
    }
    return bytes;
}

bool PartitionLog::stage(Journal& journal) {
    const size_t bytes = unstaged_bytes();
    const size_t entries = 2 * (bytes / block_size / 4 + chunks_.size()) + 7 + epochs_.entries().size();
    if (!journal.reserve(bytes + entries * sizeof(Entry))) return false;
    const bool has_news = has_unstaged();  // A roll alone is none.
    if (std::exchange(state_due_, false)) {
        put_state(journal);
        state_sequence_ = journal.last_sequence();
    }
    // Epochs first: a recovery that finds a batch knows its epoch.
    for (const EpochStart& e : epochs_.entries())
        if (e.epoch > staged_epoch_)
            journal.put({.kind = EntryKind::epoch,
                         .slot = spec_.slot.value,
                         .position = static_cast<uint64_t>(e.epoch.value),
                         .next = e.start.value});
    staged_epoch_ = epochs_.last();
    for (size_t i = 0; i < segments_.size(); i++) {
        Segment& segment = *segments_[i];
        if (segment.base < staged_segment_) continue;
        if (segment.base > staged_segment_) staged_segment_ = segment.base, staged_position_ = 0;
        const Offset next = i + 1 < segments_.size() ? segments_[i + 1]->base : end_;
        if (staged_position_ < segment.size) stage_segment(journal, segment, next);
    }
    staged_end_ = end_;
    storage_.sub_unstaged(bytes);
    if (staged_start_ != log_start_)
        journal.put({.kind = EntryKind::log_start, .slot = spec_.slot.value, .next = log_start_.value});
    staged_start_ = log_start_;
    if (settle_staged_ != settle_wanted_) {
        ASSERT(staged_segment_ >= settle_wanted_);
        journal.put({.kind = EntryKind::settled, .slot = spec_.slot.value, .segment = settle_wanted_.value});
        settle_staged_ = settle_wanted_;
    }
    if (dirty_file_ == 0) need_file(journal.current_file());
    if (has_news)
        journal.mark(
            {.log = this, .end = staged_end_, .log_start = staged_start_, .settled = settle_staged_});
    return true;
}

void PartitionLog::put_state(Journal& journal) const {
    StatePayload payload{.topic_id = spec_.topic_id.bytes, .log_start = log_start_.value};
    journal.put({.kind = EntryKind::state,
                 .slot = spec_.slot.value,
                 .segment = staged_segment_.value,
                 .position = staged_position_,
                 .next = staged_end_.value},
                {reinterpret_cast<const uint8_t*>(&payload), sizeof payload});
}

void PartitionLog::stage_segment(Journal& journal, Segment& segment, Offset next) {
    uint64_t from = staged_position_;
    if (segment.size - from >= storage_.config().direct_append_bytes) {
        const bool direct = can_go_direct(segment);
        if (direct) from = stage_direct(journal, segment, from, next);
        if (!direct && !segment.sealed) wants_direct_ = true, storage_.call(*this);
        if (direct && !wants_growth_ && nears_end_of_file(segment))
            wants_growth_ = true, storage_.call(*this);
    }
    if (from < segment.size) stage_data(journal, segment, from, next);
    staged_position_ = segment.size;
}

// All blocks from what is out on must be in memory from their first byte, and nobody else be writing them.
bool PartitionLog::can_go_direct(const Segment& segment) {
    if (!segment.file || writing_out_ || align_down(segment.size) > segment.allocated) return false;
    const uint64_t from = align_down(std::max(segment.out, segment.scheduled));
    if (from > staged_position_) return false;  // Written out before the journal had it, and it must have it.
    const Chunk* chunk = chunk_at(segment, from);
    return chunk && chunk->begin_position() <= from && align_down(segment.size) > from;
}

// Whole blocks go to the segment, also those that earlier commits only journalled. Returns where they end;
// the bytes behind it go into the journal, so that no block is ever being written twice at a time.
uint64_t PartitionLog::stage_direct(Journal& journal, Segment& segment, uint64_t from, Offset next) {
    const uint64_t until = align_down(segment.size);
    uint64_t at = align_down(std::max(segment.out, segment.scheduled));
    ASSERT(at <= from && from < until);
    while (at < until) {
        Chunk* chunk = chunk_at(segment, at);
        ASSERT(chunk);
        const uint64_t end = std::min(until, chunk->end_position());
        if (end > from) {
            const uint64_t first = std::max(from, at);
            journal.put({.kind = EntryKind::range,
                         .part = static_cast<uint8_t>(end < segment.size),
                         .length = static_cast<uint32_t>(end - first),
                         .slot = spec_.slot.value,
                         .segment = segment.base.value,
                         .position = first,
                         .next = next.value,
                         .payload_hash = hash_range(*chunk, first, end)});
        }
        sum_pages(segment, end);
        journal.put_direct({.fd = segment.file->fd,
                            .chunk = chunk,
                            .from = static_cast<uint32_t>(at - chunk->position),
                            .size = static_cast<uint32_t>(end - at)});
        at = end;
    }
    segment.scheduled = until;
    direct_flights_++;
    journal.mark({.log = this,
                  .end = Offset{-1},
                  .log_start = Offset{-1},
                  .out = until,
                  .segment = segment.base,
                  .file = journal.current_file()});
    return until;
}

uint64_t PartitionLog::hash_range(const Chunk& chunk, uint64_t from, uint64_t to) {
    PagedHash range;
    while (from < to) {
        const Bytes page =
            PagedHash::first_page(from, {chunk.buffer.data() + (from - chunk.position), to - from});
        range.add(page.size() == block_size ? chunk.hash_of_page(from) : hash64(page));
        from += page.size();
    }
    return range.finish();
}

void PartitionLog::stage_data(Journal& journal, const Segment& segment, uint64_t from, Offset next) {
    while (from < segment.size) {
        const Chunk* chunk = chunk_at(segment, from);
        ASSERT(chunk && chunk->begin_position() <= from);
        const uint64_t end = std::min(chunk->end_position(), from + payload_max);
        journal.put({.kind = EntryKind::data,
                     .part = static_cast<uint8_t>(end < segment.size),
                     .slot = spec_.slot.value,
                     .segment = segment.base.value,
                     .position = from,
                     .next = next.value},
                    {chunk->buffer.data() + (from - chunk->position), end - from});
        from = end;
    }
}

void PartitionLog::on_written(const CommitMark& mark) {
    ASSERT(mark.end >= written_ && mark.end <= end_);
    written_ = mark.end;
}

void PartitionLog::on_committed(const CommitMark& mark) {
    if (mark.out > 0) {
        ASSERT(direct_flights_ > 0);
        direct_flights_--;
        if (Segment* segment = find_segment(mark.segment))
            advance_out(*segment, std::max(segment->out, mark.out));
        // What is not yet out was staged in this file or later.
        const bool only_tail = segments_.size() < 2 || segments_[segments_.size() - 2]->final;
        if (only_tail && written_epoch_ == epochs_.last()) need_file(std::max(dirty_file_, mark.file));
        if (is_resting()) storage_.wake();
        return;
    }
    ASSERT(mark.end >= durable_ && mark.end <= end_);
    durable_ = mark.end;
    written_ = std::max(written_, durable_);
    const bool frees_files = mark.log_start > durable_start_;
    durable_start_ = std::max(durable_start_, mark.log_start);
    if (frees_files) storage_.wake();
    settled_ = std::max(settled_, mark.settled);
}

void PartitionLog::advance_out(Segment& segment, uint64_t out) {
    ASSERT(out >= segment.out && out <= segment.size);
    storage_.sub_dirty(out - segment.out);
    sum_pages(segment, out);
    segment.out = out;
    segment.scheduled = std::max(segment.scheduled, out);
}

// Sums are of what was meant to be written: taken from memory. What is there no more stays unknown, and the
// scrub sees to it.
void PartitionLog::sum_pages(Segment& segment, uint64_t out) {
    const Chunk* chunk = nullptr;
    for (uint64_t at = segment.sums.at(); at < out && out - at >= block_size; at += block_size) {
        if (!chunk || chunk->end_position() <= at) chunk = chunk_at(segment, at);
        const bool whole = chunk && chunk->begin_position() <= at && chunk->end_position() >= at + block_size;
        if (!whole) return segment.sums.give_up();
        segment.sums.add_page(at, chunk->hash_of_page(at));
    }
}

uint64_t PartitionLog::dirty_bytes() const {
    uint64_t bytes = 0;
    for (const auto& segment : segments_) bytes += segment->size - segment->out;
    return bytes;
}

}  // namespace millrace
