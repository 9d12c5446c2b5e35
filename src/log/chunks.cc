// Pooled memory for the tails of logs.
#include "chunks.h"

#include <bit>

namespace millrace {

void Chunk::unpin() {
    ASSERT(pins > 0);
    if (--pins == 0 && !log) home->recycle(this);
}

Chunks::~Chunks() {
    while (oldest_) {
        ASSERT(oldest_->pins == 0);
        const std::unique_ptr<Chunk> gone{std::exchange(oldest_, oldest_->newer)};
    }
    ASSERT(!let_go_);
}

size_t Chunks::class_of(size_t size) {
    const size_t rounded = std::bit_ceil(std::clamp(size, size_min, size_max));
    return static_cast<size_t>(std::countr_zero(rounded) - std::countr_zero(size_min));
}

Chunk* Chunks::take(PartitionLog& log, size_t size) {
    const size_t c = class_of(size);
    std::unique_ptr<Chunk> chunk;
    if (spare_[c].empty()) {
        chunk = std::make_unique<Chunk>();
        chunk->buffer = IoBuffer{size_min << c};
    } else {
        chunk = std::move(spare_[c].back());
        spare_[c].pop_back();
        spare_bytes_ -= chunk->buffer.size();
    }
    chunk->home = this, chunk->log = &log;
    chunk->begin = chunk->end = chunk->pins = 0, chunk->first_batch = UINT32_MAX;
    chunk->older = newest_, chunk->newer = nullptr;
    (newest_ ? newest_->newer : oldest_) = chunk.get();
    newest_ = chunk.get();
    bytes_ += chunk->buffer.size();
    return chunk.release();
}

void Chunks::unlink(Chunk& chunk) {
    (chunk.older ? chunk.older->newer : oldest_) = chunk.newer;
    (chunk.newer ? chunk.newer->older : newest_) = chunk.older;
    chunk.older = chunk.newer = nullptr;
}

void Chunks::let_go(Chunk* chunk) {
    ASSERT(chunk->log);
    unlink(*chunk);
    chunk->log = nullptr;
    if (chunk->pins == 0) return recycle(chunk);
    chunk->newer = let_go_;
    if (let_go_) let_go_->older = chunk;
    let_go_ = chunk;
}

void Chunks::recycle(Chunk* chunk) {
    ASSERT(chunk->pins == 0 && !chunk->log);
    if (let_go_ == chunk) let_go_ = chunk->newer;
    if (chunk->older) chunk->older->newer = chunk->newer;
    if (chunk->newer) chunk->newer->older = chunk->older;
    chunk->older = chunk->newer = nullptr;
    bytes_ -= chunk->buffer.size();
    std::unique_ptr<Chunk> owned{chunk};
    if (bytes_ + spare_bytes_ + owned->buffer.size() > bytes_max_) return;
    spare_bytes_ += owned->buffer.size();
    spare_[class_of(owned->buffer.size())].push_back(std::move(owned));
}

}  // namespace millrace
