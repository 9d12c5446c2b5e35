// Readers that go through a file in order, and what is fetched ahead of them.
//
// A reader is known by where it stopped: whoever asks for what follows goes on. What is fetched ahead of all
// readers together is a share of the block cache. Owned by the shard's Storage.
#pragma once
#include "block_cache.h"

namespace millrace {

class ReadAhead {
 public:
    explicit ReadAhead(BlockCache& cache) : cache_(cache) {}

    // Somebody reads so many bytes at place.position: if it goes on there, all of it and its window behind it
    // are fetched at once, so that the device works while the first bytes are looked at.
    void begins(const BlockCache::Place& place, uint64_t bytes);
    // A reader of [from, place.position) comes to its end; `next` is the offset that it will ask for. What
    // it will want is fetched when it reads in order.
    void went_on(const BlockCache::Place& place, uint64_t from, Offset next);
    // Where a reader that went on to that offset will find it.
    std::optional<uint64_t> place_of(FileKey key, Offset offset) const;
    void forget(FileKey key);

    static constexpr size_t streams_max = 64;
    static constexpr uint64_t window_max = 4 << 20;  // Bytes ahead of one reader.

 private:
    struct Stream {
        FileKey key;
        uint64_t position = 0, window = 0, used = 0;
        Offset next{-1};
    };
    const Stream* stream_at(const BlockCache::Place& place) const;
    uint64_t window_limit() const;
    void fetch(const BlockCache::Place& place, uint64_t bytes);

    BlockCache& cache_;
    std::array<Stream, streams_max> streams_;
    uint64_t uses_ = 0;
};

}  // namespace millrace
