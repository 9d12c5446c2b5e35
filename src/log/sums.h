// Checksums of a sealed segment and its indexes, in a file `.sum` beside them.
//
// What always holds: the sums are of the bytes that were meant to be written, taken from memory where they
// still were. They cover what a batch's own CRC does not: its base offset and leader epoch, and the indexes.
#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "layout.h"
#include "millrace/base.h"

namespace millrace {

inline constexpr uint32_t sum_block = 128 << 10;  // As much as the block cache reads at a time.

struct SegmentSums {
    Offset base, next;  // `next`: the base of the segment that followed when it was sealed.
    uint64_t size =
        0;  // Of the .log file; 0 while that grows: then only the indexes' beginnings are vouched for.
    int64_t max_timestamp = -1;
    struct File {
        uint64_t size = 0, hash = 0;
        bool operator==(const File&) const = default;
    };
    File index, timeindex;
    std::vector<uint64_t> blocks;

    // Whether these bytes of the .log file are what was written; `bytes` is the whole block, or the file's
    // last.
    bool matches(size_t block, Bytes bytes) const;

    static constexpr size_t header_size = 112;
    std::vector<uint8_t> to_bytes() const;
    // The whole file; nothing when it is not what was written.
    static std::optional<SegmentSums> from_bytes(Bytes bytes);
    // Its first header_size bytes suffice, and `blocks` stays empty.
    static std::optional<SegmentSums> header_from(Bytes bytes);
};

inline SegmentSums::File sum_of(Bytes bytes) { return {bytes.size(), hash64(bytes)}; }

// Of bytes that lie at `position` of a file: the hash of the hashes of their pages, cut at multiples of
// 4,096. So one pass over bytes that are written serves all who want a sum of them.
class PagedHash {
 public:
    static constexpr size_t pages_max = range_max / block_size + 1;
    void add(uint64_t page) { ASSERT(count_ < pages_max), pages_[count_++] = page; }
    uint64_t finish() const;
    // All at once.
    static uint64_t of(uint64_t position, Bytes bytes);
    // The part of `bytes` up to the next page.
    static Bytes first_page(uint64_t position, Bytes bytes) {
        return bytes.first(std::min<size_t>(block_size - position % block_size, bytes.size()));
    }

 private:
    std::array<uint64_t, pages_max> pages_;
    size_t count_ = 0;
};

// The sum of up to sum_block bytes that begin where a block does.
inline uint64_t block_sum(Bytes bytes) { return PagedHash::of(0, bytes); }

// Takes the sums of a segment while its pages go by, one after the other.
class SumBuilder {
 public:
    // The first page that was not shown yet; UINT64_MAX after give_up.
    uint64_t at() const { return at_; }
    void add_page(uint64_t position, uint64_t hash);
    // There will be no sums.
    void give_up();
    // The sums of a file of that size, whose last bytes, from the last page boundary on, are `rest`. Nothing
    // when it was not shown all pages before them.
    std::optional<std::vector<uint64_t>> finish(uint64_t size, Bytes rest);

 private:
    std::vector<uint64_t> sums_;
    std::vector<uint64_t> pages_;  // Of the block that is not complete yet.
    uint64_t at_ = 0;
};

}  // namespace millrace
