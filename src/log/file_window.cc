// Batches in blocks of a segment file.
#include "file_window.h"

namespace millrace {

void FileWindow::begin_at(uint64_t position) {
    blocks_.clear();
    end_ = position;
}

Task<Result<>> FileWindow::more(size_t wanted) {
    ASSERT(end_ < file_.file_end);
    const uint64_t until = std::min(end_ + std::min(wanted, size_max), file_.file_end);
    for (uint64_t at = end_; at < until; at = (at / Block::size_max + 1) * Block::size_max) {
        BlockCache::Place place = file_;
        place.position = at;
        cache_.fetch(place);
    }
    while (end_ < until) {
        BlockCache::Place place = file_;
        place.position = end_;
        auto block = co_await cache_.get(place);
        if (!block) co_return block.error();
        end_ = std::min((*block)->end_position(), file_.file_end);
        cache_.judge(**block, file_.file_end);
        blocks_.push_back(std::move(*block));
    }
    co_return Result<>{};
}

template <class F> void FileWindow::each(uint64_t from, uint64_t to, F take) const {
    for (const HeldBlock& block : blocks_) {
        const uint64_t first = std::max(from, block->position()), end = std::min(to, block->end_position());
        if (first < end) take(Bytes{block->memory() + (first - block->position()), end - first}, *block);
    }
}

std::optional<BatchHeader> FileWindow::header_at(uint64_t position) const {
    if (position + batch_header_size > end_) return {};
    std::array<uint8_t, batch_header_size> bytes;
    size_t done = 0;
    each(position, position + bytes.size(), [&](Bytes piece, Block&) {
        std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<ptrdiff_t>(done));
        done += piece.size();
    });
    ASSERT(done == bytes.size());
    return BatchHeader::parse(bytes.data());
}

// Looked at before, and every block of it is still the one that was looked at; or all are as they were
// written.
bool FileWindow::is_proven(uint64_t position, uint64_t end) const {
    bool by_sum = true, by_crc = true;
    each(position, end, [&](Bytes, Block& block) {
        by_sum = by_sum && block.judged == Block::Judged::by_sum;
        by_crc = by_crc && block.is_sound(position);
    });
    return by_sum || by_crc;
}

bool FileWindow::is_sound(uint64_t position, const BatchHeader& batch) {
    const uint64_t end = position + batch.size;
    ASSERT(end <= end_);
    if (is_proven(position, end)) return true;
    constexpr size_t crc_begin = 21;
    uint32_t crc = 0;
    each(position + crc_begin, end, [&](Bytes piece, Block&) { crc = crc32c(piece, crc); });
    if (crc != batch.crc) return false;
    each(position, end, [&](Bytes, Block& block) { block.set_sound(position); });
    return true;
}

bool FileWindow::is_suspect(uint64_t from, uint64_t to, const Damage& damage) const {
    bool suspect = false;
    each(from, to, [&](Bytes, Block& block) {
        suspect |= block.judged == Block::Judged::suspect &&
                   !damage.touches(file_.key.segment, block.position(), block.end_position());
    });
    return suspect;
}

void FileWindow::add_to(Slice& slice, uint64_t from, uint64_t to) const {
    each(from, to, [&](Bytes piece, Block& block) {
        const uint64_t begin = block.position() + static_cast<uint64_t>(piece.data() - block.memory());
        block.note_read(begin, begin + piece.size());
        block.pin();
        slice.add(piece, &block);
    });
}

}  // namespace millrace
