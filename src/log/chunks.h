// Memory for the tails of a shard's logs: aligned chunks, pooled by size, let go oldest first.
//
// What always holds: a chunk holds bytes of one segment at the same alignment as the file; bytes that are not
// yet in the segment, and bytes that a Slice pins, stay. Owned by the shard's Storage.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "layout.h"
#include "millrace/log.h"

namespace millrace {

class Chunks;
class PartitionLog;

struct Chunk final : SliceSource {
    Chunks* home = nullptr;
    PartitionLog* log = nullptr;  // None once the log let it go; then only pins keep it.
    IoBuffer buffer;
    Offset segment;         // Base offset of the segment it belongs to.
    uint64_t position = 0;  // Of the buffer's first byte in the segment; aligned.
    uint32_t begin = 0;     // Bytes before it are not there (unless read in for a write).
    uint32_t end = 0;
    uint32_t pins = 0;
    uint32_t first_batch = UINT32_MAX;         // Where the first batch that begins in here does.
    Offset first_offset;                       // Its base offset, when there is one.
    Chunk *newer = nullptr, *older = nullptr;  // In order of making, over all logs.

    uint64_t end_position() const { return position + end; }
    uint64_t begin_position() const { return position + begin; }
    bool full() const { return end == buffer.size(); }
    void unpin() override;
};

class Chunks {
 public:
    static constexpr size_t size_min = block_size, size_max = 1 << 20;

    // Keeps memory to use it again as long as all together is not more than this.
    explicit Chunks(size_t bytes_max) : bytes_max_(bytes_max) {}
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
    static constexpr size_t classes = 9;  // 4 KiB << 0..8.
    static size_t class_of(size_t size);
    void unlink(Chunk& chunk);
    void recycle(Chunk* chunk);

    const size_t bytes_max_;
    std::array<std::vector<std::unique_ptr<Chunk>>, classes> spare_;
    size_t bytes_ = 0, spare_bytes_ = 0;
    Chunk *oldest_ = nullptr, *newest_ = nullptr;
    Chunk* let_go_ = nullptr;  // Pinned without a log; linked by newer/older.
};

}  // namespace millrace
