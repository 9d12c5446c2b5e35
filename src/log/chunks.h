// Memory for the tails of a shard's logs: aligned chunks, cut from slabs of one size each, let go oldest
// first.
//
// What always holds: a chunk holds bytes of one segment at the same alignment as the file; bytes that are not
// yet in the segment, and bytes that a Slice pins, stay. Slabs of large chunks lie in huge pages: the copy
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
    static constexpr size_t size = IoBuffer::huge_page_size;

    IoBuffer memory{size};
    size_t chunk_size = 0;
    std::vector<uint32_t> free;                           // Where in `memory` no chunk is.
    std::array<uint64_t, size / block_size> page_hashes;  // See Chunk::hash_full_pages.
    bool is_huge = false;

    bool is_empty() const { return free.size() * chunk_size == size; }
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
    static constexpr size_t size_min = block_size, size_max = range_max;

    // Keeps so many bytes of empty slabs: making one anew costs more than all that is copied into it, and a
    // device that is behind for a moment makes need of many.
    Chunks(Io& io, size_t bytes_max) : io_(io), bytes_max_(bytes_max) {}
    Chunks(const Chunks&) = delete;
    ~Chunks();

    // At least `size` bytes if below size_max, for the log's tail. Content is whatever it was.
    Chunk* take(PartitionLog& log, size_t size);
    // The log does not need it any more; it goes when its pins do.
    void let_go(Chunk* chunk);

    size_t bytes() const { return bytes_; }  // In use, pinned ones too.
    Chunk* oldest() const { return oldest_; }

 private:
    friend struct Chunk;
    static constexpr size_t classes = 9;           // 4 KiB << 0..8.
    static constexpr size_t huge_from = 64 << 10;  // Small chunks of idle logs touch only what they need.
    static constexpr size_t spare_max = 1024;
    static size_t class_of(size_t size);
    Slab& open_slab(size_t size_class);
    std::unique_ptr<Slab> empty_slab();
    void give_back(Slab& slab, IoBuffer part);
    void drop(std::unique_ptr<Slab> slab);
    void unlink(Chunk& chunk);
    void recycle(Chunk* chunk);

    Io& io_;
    const size_t bytes_max_;
    std::array<std::vector<Slab*>, classes> open_;  // With room, by the size of their chunks.
    std::vector<std::unique_ptr<Slab>> slabs_, empty_;
    std::vector<std::unique_ptr<Chunk>> spare_;  // Without memory.
    size_t bytes_ = 0;
    Chunk *oldest_ = nullptr, *newest_ = nullptr;
    Chunk* let_go_ = nullptr;  // Pinned without a log; linked by newer/older.
};

}  // namespace millrace
