// Pooled memory for the tails of logs.
#include "chunks.h"

#include <algorithm>
#include <bit>

namespace millrace {
namespace {

constexpr size_t slab_size_min = 256 << 10;

}  // namespace

void Chunk::unpin() {
    ASSERT(pins > 0);
    if (--pins == 0 && !log) home->recycle(this);
}

void Chunk::begin_at(uint32_t at) {
    begin = end = at;
    hashed_from = hashed = static_cast<uint32_t>(align_up(at));
}

uint64_t& Chunk::hash_slot(uint64_t from) const {
    const auto in_slab = static_cast<uint64_t>(buffer.data() - slab->memory.data());
    return slab->page_hashes[(in_slab + from) / block_size];
}

void Chunk::hash_full_pages() {
    for (; hashed + block_size <= end; hashed += block_size)
        hash_slot(hashed) = hash64({buffer.data() + hashed, block_size});
}

uint64_t Chunk::hash_of_page(uint64_t at) const {
    const uint64_t from = at - position;
    ASSERT(from % block_size == 0 && begin <= from && from + block_size <= end);
    const bool is_known = from >= hashed_from && from < hashed;
    return is_known ? hash_slot(from) : hash64({buffer.data() + from, block_size});
}

Chunks::Chunks(Io& io, size_t budget)
    : io_(io),
      budget_(budget),
      slab_size_(std::clamp(std::bit_floor(budget / 16), slab_size_min, IoBuffer::huge_page_size)) {}

Chunks::~Chunks() {
    while (oldest_) {
        ASSERT(oldest_->pins == 0);
        const std::unique_ptr<Chunk> gone{std::exchange(oldest_, oldest_->newer)};
    }
    ASSERT(!let_go_);
    for (auto& slab : slabs_) drop(std::move(slab));
    for (auto& slab : empty_) drop(std::move(slab));
}

size_t Chunks::class_of(size_t size) const {
    const size_t rounded = std::bit_ceil(std::clamp(size, size_min, size_max()));
    return static_cast<size_t>(std::countr_zero(rounded) - std::countr_zero(size_min));
}

bool Chunks::add_empty() {
    auto slab = std::make_unique<Slab>();
    slab->memory = IoBuffer::try_make(slab_size_);
    if (!slab->memory) return false;
    empty_.push_back(std::move(slab));
    return true;
}

// What a batch needs at most: whole chunks of the largest size, and a last one. Slabs that nobody has written
// to yet cost nothing.
bool Chunks::prepare(size_t size) {
    const size_t slabs = size / slab_size_ + 2;
    while (empty_.size() < slabs)
        if (!add_empty()) return false;
    return true;
}

void Chunks::drop(std::unique_ptr<Slab> slab) {
    if (slab->memory.registered_index >= 0) io_.unregister_buffer(slab->memory);
}

// One with room for a chunk of that size.
Slab& Chunks::open_slab(size_t size_class) {
    if (!open_[size_class].empty()) return *open_[size_class].back();
    ASSERT(!empty_.empty());
    auto slab = std::move(empty_.back());
    empty_.pop_back();
    slab->chunk_size = size_min << size_class;
    slab->free.clear();
    for (size_t at = slab_size_; at > 0; at -= slab->chunk_size)
        slab->free.push_back(static_cast<uint32_t>(at - slab->chunk_size));
    if (slab->chunk_size >= huge_from && !std::exchange(slab->is_huge, true)) {
        if (slab_size_ == IoBuffer::huge_page_size) slab->memory.prefer_huge_pages();
        io_.register_buffer(slab->memory);
    }
    open_[size_class].push_back(slab.get());
    slabs_.push_back(std::move(slab));
    return *slabs_.back();
}

void Chunks::give_back(Slab& slab, IoBuffer part) {
    auto& open = open_[class_of(slab.chunk_size)];
    if (slab.free.empty()) open.push_back(&slab);
    slab.free.push_back(static_cast<uint32_t>(part.data() - slab.memory.data()));
    if (!slab.is_empty()) return;
    std::erase(open, &slab);
    const auto place = std::ranges::find(slabs_, &slab, &std::unique_ptr<Slab>::get);
    ASSERT(place != slabs_.end());
    if (empty_.size() * slab_size_ < budget_)
        empty_.push_back(std::move(*place));
    else
        drop(std::move(*place));
    *place = std::move(slabs_.back());
    slabs_.pop_back();
}

Chunk* Chunks::take(PartitionLog& log, size_t needed, size_t wanted) {
    const size_t fair = std::bit_floor(budget_ / (2 * (tails_ + 1)));
    const size_t size_class = class_of(std::max(needed, std::min(wanted, fair)));
    std::unique_ptr<Chunk> chunk;
    if (spare_.empty()) {
        chunk = std::make_unique<Chunk>();
    } else {
        chunk = std::move(spare_.back());
        spare_.pop_back();
    }
    Slab& slab = open_slab(size_class);
    chunk->slab = &slab;
    chunk->buffer = IoBuffer{slab.memory, slab.free.back(), slab.chunk_size};
    slab.free.pop_back();
    if (slab.free.empty()) std::erase(open_[size_class], &slab);
    chunk->home = this, chunk->log = &log;
    chunk->pins = 0, chunk->first_batch = UINT32_MAX;
    chunk->begin_at(0);
    link_newest(*chunk);
    bytes_ += chunk->buffer.size();
    return chunk.release();
}

void Chunks::link_newest(Chunk& chunk) {
    chunk.older = newest_, chunk.newer = nullptr;
    (newest_ ? newest_->newer : oldest_) = &chunk;
    newest_ = &chunk;
}

void Chunks::put_last(Chunk* chunk) {
    ASSERT(chunk->log);
    unlink(*chunk);
    link_newest(*chunk);
}

// Of what the kernel has registered only whole slabs can go.
void Chunks::trim() {
    for (auto& slab : empty_) drop(std::move(slab));
    empty_.clear();
    spare_.clear();
    for (const auto& slab : slabs_)
        if (slab->memory.registered_index < 0)
            for (const uint32_t place : slab->free) slab->memory.forget(place, slab->chunk_size);
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
    give_back(*owned->slab, std::move(owned->buffer));
    if (spare_.size() < spare_max) spare_.push_back(std::move(owned));
}

}  // namespace millrace
