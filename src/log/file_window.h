// A stretch of a segment file, in blocks of the cache that a Slice can pin.
//
// Lives in one coroutine of the log's shard.
#pragma once
#include "batch_header.h"
#include "block_cache.h"
#include "damage.h"

namespace millrace {

// Bytes of a file that lie in consecutive blocks.
class FileWindow {
 public:
    FileWindow(BlockCache& cache, BlockCache::Place file) : cache_(cache), file_(file) {}

    uint64_t end() const { return end_; }  // What is here ends here.
    uint64_t file_end() const { return file_.file_end; }
    bool at_file_end() const { return end_ >= file_.file_end; }

    // Forgets everything; more() reads from there.
    void begin_at(uint64_t position);
    // At least `wanted` bytes more, if the file has them and they are at most size_max.
    Task<Result<>> more(size_t wanted);
    static constexpr size_t size_max = 1 << 20;

    // Nothing when it is not read yet, or no batch.
    std::optional<BatchHeader> header_at(uint64_t position) const;
    // All its bytes are here: whether they are what was written, as the file's sums or its CRC tell.
    bool is_sound(uint64_t position, const BatchHeader& batch);
    // By the file's sums some of these bytes are perhaps not what was written, and no known damage of that
    // block explains it.
    bool is_suspect(uint64_t from, uint64_t to, const Damage& damage) const;
    void add_to(Slice& slice, uint64_t from, uint64_t to) const;

 private:
    template <class F> void each(uint64_t from, uint64_t to, F take) const;
    bool is_proven(uint64_t position, uint64_t end) const;

    BlockCache& cache_;
    const BlockCache::Place file_;
    std::vector<HeldBlock> blocks_;
    uint64_t end_ = 0;
};

}  // namespace millrace
