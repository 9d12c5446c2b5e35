// What was read from segment files: blocks of 128 KiB, bounded, resistant to scans.
//
// Eviction is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): what comes
// in waits in a small queue, goes to the main one when it was read again, and out otherwise; a ghost list of
// names lets what comes back soon straight into the main queue. "Read again" are bytes below the furthest
// that was read of a block: a reader that goes on where it stopped does not count.
//
// What always holds: a block that is pinned or being read stays; one file's bytes are never taken for
// another's (FileKey has a version). Owned by the shard's Storage.
#pragma once
#include <array>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "descriptors.h"
#include "layout.h"
#include "millrace/log.h"
#include "sums.h"

namespace millrace {

class BlockCache;

struct BlockKey {
    FileKey file;
    uint64_t number = 0;  // Position in the file by block size.
    auto operator<=>(const BlockKey&) const = default;
};

class Block final : public SliceSource, Op {
 public:
    static constexpr size_t size_max = sum_block, pages = size_max / block_size;
    enum class State : uint8_t { waiting, reading, ready, failed };
    enum class Judged : uint8_t { no, by_sum, suspect };  // What the file's sum says of the whole block.

    Block(BlockCache& home, BlockKey key) : Op(Kind::read), home_(home), key_(key) {}
    ~Block();

    State state() const { return state_; }
    uint64_t position() const { return key_.number * size_max; }
    uint64_t end_position() const { return position() + filled_; }  // What is here ends here.
    const uint8_t* memory() const { return memory_.data(); }
    Bytes bytes() const { return {memory_.data(), filled_}; }

    // Whole batches in it that were found sound, by where they begin; and the one that began before it.
    bool is_sound(uint64_t batch) const;
    void set_sound(uint64_t batch);
    void note_read(uint64_t from, uint64_t to);
    Judged judged = Judged::no;

    void pin() { pins_++; }
    void unpin() override;

 private:
    friend class BlockCache;
    void begin();
    void submit_next();
    void done(Outcome outcome) override;
    void read_part(int32_t outcome);
    void read_page(int32_t outcome);
    void end(State state);

    BlockCache& home_;
    const BlockKey key_;
    IoBuffer memory_;
    OpenFile* file_ = nullptr;  // Held while it is being read.
    State state_ = State::waiting;
    uint32_t pins_ = 0;
    size_t wanted_ = 0, filled_ = 0;
    uint32_t tries_ = 0;
    bool by_pages_ = false;  // After an error: the pages one by one, so that only bad ones are missing.
    uint32_t bad_pages_ = 0;
    static_assert(pages <= 32);
    uint8_t read_again_ = 0;
    uint64_t read_until_ = 0;
    std::vector<uint32_t> sound_;  // Rising.
    uint64_t sound_before_ = UINT64_MAX;
    Signal landed_;
    bool is_ahead_ = false;   // Nobody asked for it yet: it is passed over once when room is made.
    bool is_wanted_ = false;  // Somebody did while it waited.
    bool in_main_ = false, known_ = true;  // Unknown: its file was forgotten; it goes with its last pin.
    std::list<std::unique_ptr<Block>>::iterator place_;
};

struct UnpinBlock {
    void operator()(Block* block) const { block->unpin(); }
};
using HeldBlock = std::unique_ptr<Block, UnpinBlock>;

class BlockCache {
 public:
    BlockCache(Io& io, Descriptors& descriptors, StorageStats& stats, const StorageConfig& config,
               const DeviceUse& device)
        : io_(io),
          descriptors_(descriptors),
          stats_(stats),
          device_(device),
          blocks_max_(config.block_cache_bytes / Block::size_max) {}
    BlockCache(const BlockCache&) = delete;
    ~BlockCache();

    struct Place {
        FileKey key;
        OpenFile* file;     // Used by the caller while it waits.
        uint64_t file_end;  // Only bytes below it are in the file.
        uint64_t position;
    };
    // The block with that position, complete as far as the file goes. kafka_storage_error: the device
    // refuses all of it, or there is no memory for it.
    Task<Result<HeldBlock>> get(Place place);
    // Begins to read it, if it is not here; does not wait. Somebody will get it at once.
    void fetch(const Place& place);
    // Perhaps somebody will: it is read when no other read waits. False: so many are waited for already.
    bool fetch_ahead(const Place& place);

    // What the file's `.sum` says of its blocks; none: nothing. At most files_max files are known at a time.
    bool knows_sums(FileKey key) const { return sums_.contains(key); }
    void put_sums(FileKey key, std::vector<uint64_t> sums);
    void judge(Block& block, uint64_t file_end) const;
    static constexpr size_t files_max = 64;

    // The file is about to go, or to be another.
    void forget(FileKey key);
    // Lets go of what nobody pins, down to so many bytes.
    void shrink(uint64_t bytes_max);
    // From now on.
    void limit(uint64_t bytes_max) { blocks_max_ = bytes_max / Block::size_max, shrink(bytes_max); }
    // Lets go of memory that no block uses.
    void trim() { spare_.clear(); }
    // Returns when nothing is being read any more.
    Task<> close();

    uint64_t bytes() const { return known_.size() * Block::size_max; }
    bool idle() const { return reading_ == 0; }
    uint64_t bytes_max() const { return blocks_max_ * Block::size_max; }

    static constexpr size_t reads_max = 32;           // Under way at a time; others wait their turn.
    static constexpr size_t reads_beside_writes = 1;  // The same, while commits are written.
    static constexpr size_t ahead_max = 48;           // That nobody asked for: under way or waiting.

 private:
    friend class Block;
    using Queue = std::list<std::unique_ptr<Block>>;

    Block* find(const BlockKey& key) const;
    bool has_memory();
    Block& make(const Place& place, const BlockKey& key);
    void ask_for(Block& block);
    void start_reads();
    void ended(Block& block);
    void make_room();
    bool evict_from(Queue& queue);
    void let_go_of(Block& block);
    void unpinned(Block& block);
    void remember(const BlockKey& key);

    Io& io_;
    Descriptors& descriptors_;
    StorageStats& stats_;
    const DeviceUse& device_;
    size_t blocks_max_;
    std::map<BlockKey, Block*> known_;
    Queue small_, main_, forgotten_;  // Newest first.
    std::set<BlockKey> ghosts_;
    std::deque<BlockKey> ghost_order_;
    std::vector<IoBuffer> spare_;
    std::deque<Block*> wanted_, ahead_;  // Waiting for their turn to read, the first ones first; pinned.
    size_t reading_ = 0, reading_ahead_ = 0;
    std::map<FileKey, std::vector<uint64_t>> sums_;
    std::deque<FileKey> sums_order_;
    Signal landed_;
};

}  // namespace millrace
