// Memory for the tails of a shard's logs: aligned chunks, cut from slabs of one size each, let go oldest
// first.
//
// What always holds: a chunk holds bytes of one segment at the same alignment as the file; bytes that are not
// yet in the segment, and bytes that a Slice pins, stay. The more logs have a tail, the smaller a new chunk:
// all tails together shall not need more than the budget. Slabs of large chunks lie in huge pages: the copy
// into them and the kernel's pinning for a direct write cost less; where the limit allows they are registered
// with the kernel, which then pins nothing. Owned by the shard's Storage.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "layout.h"
#include "millrace/log.h"

namespace millrace {

class Chunks;
class PartitionLog;

// Memory for chunks of one size.
struct Slab {
    IoBuffer memory;
    size_t chunk_size = 0;
    std::vector<uint32_t> free;  // Where in `memory` no chunk is.
    std::array<uint64_t, IoBuffer::huge_page_size / block_size> page_hashes;  // See Chunk::hash_full_pages.
    bool is_huge = false;

    bool is_empty() const { return free.size() * chunk_size == memory.size(); }
};

struct Chunk final : SliceSource {
    Chunks* home = nullptr;
    PartitionLog* log = nullptr;  // None once the log let it go; then only pins keep it.
    Slab* slab = nullptr;
    IoBuffer buffer;        // A part of the slab's memory.
    Offset segment;         // Base offset of the segment it belongs to.
    uint64_t position = 0;  // Of the buffer's first byte in the segment; aligned.
    uint32_t begin = 0;     // Bytes before it are not there (unless read in for a write).
    uint32_t end = 0;
    uint32_t pins = 0;
    uint32_t first_batch = UINT32_MAX;         // Where the first batch that begins in here does.
    Offset first_offset;                       // Its base offset, when there is one.
    Chunk *newer = nullptr, *older = nullptr;  // In order of making, over all logs.
    uint32_t hashed_from = 0, hashed = 0;      // The pages between are full, and the slab has their hashes.

    // Hashes pages that are full now, while they are in the processor's cache.
    void hash_full_pages();
    // Of the page with that position in the segment; all of it must be here.
    uint64_t hash_of_page(uint64_t at) const;
    void begin_at(uint32_t at);

    uint64_t end_position() const { return position + end; }
    uint64_t begin_position() const { return position + begin; }
    bool full() const { return end == buffer.size(); }
    void unpin() override;

 private:
    uint64_t& hash_slot(uint64_t from) const;
};

class Chunks {
 public:
    static constexpr size_t size_min = block_size;

    // Slabs have a sixteenth of the budget, 256 KiB to 2 MiB. Keeps empty ones up to the budget: making one
    // anew costs more than all that is copied into it, and a device that is behind for a moment makes need of
    // many. trim() gives them back.
    Chunks(Io& io, size_t budget);
    Chunks(const Chunks&) = delete;
    ~Chunks();

    // Makes sure that so many bytes can be taken for one log, in chunks as large as they need to be. False
    // where there is no memory.
    bool prepare(size_t size);
    // At least `size_min` bytes if below size_max(), up to `size` if all tails have room for that. After
    // prepare(). Content is whatever it was.
    Chunk* take(PartitionLog& log, size_t needed, size_t wanted);
    // The log does not need it any more; it goes when its pins do.
    void let_go(Chunk* chunk);
    // Its place among the oldest is for others: it could not be let go.
    void put_last(Chunk* chunk);
    // Gives back what is in no chunk.
    void trim();

    size_t size_max() const { return std::min(slab_size_ / 2, range_max); }
    size_t bytes() const { return bytes_; }  // In use, pinned ones too.
    size_t held_bytes() const { return (slabs_.size() + empty_.size()) * slab_size_; }
    size_t used_bytes() const { return slabs_.size() * slab_size_; }  // Slabs with a chunk.
    Chunk* oldest() const { return oldest_; }
    // Logs that have chunks.
    void begin_tail() { tails_++; }
    void end_tail() { tails_--; }

 private:
    friend struct Chunk;
    static constexpr size_t classes = 9;           // 4 KiB << 0..8.
    static constexpr size_t huge_from = 64 << 10;  // Small chunks of idle logs touch only what they need.
    static constexpr size_t spare_max = 1024;
    size_t class_of(size_t size) const;
    Slab& open_slab(size_t size_class);
    bool add_empty();
    void link_newest(Chunk& chunk);
    void give_back(Slab& slab, IoBuffer part);
    void drop(std::unique_ptr<Slab> slab);
    void unlink(Chunk& chunk);
    void recycle(Chunk* chunk);

    Io& io_;
    const size_t budget_, slab_size_;
    std::array<std::vector<Slab*>, classes> open_;  // With room, by the size of their chunks.
    std::vector<std::unique_ptr<Slab>> slabs_, empty_;
    std::vector<std::unique_ptr<Chunk>> spare_;  // Without memory.
    size_t bytes_ = 0, tails_ = 0;
    Chunk *oldest_ = nullptr, *newest_ = nullptr;
    Chunk* let_go_ = nullptr;  // Pinned without a log; linked by newer/older.
};

}  // namespace millrace
