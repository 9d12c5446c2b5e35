// Blocks of segment files in memory: reading, finding, letting go.
#include "block_cache.h"

namespace millrace {

// ---- A block -------------------------------------------------------------------------------------------

Block::~Block() { ASSERT(pins_ == 0 || !under_way); }

bool Block::is_sound(uint64_t batch) const {
    if (batch < position()) return sound_before_ == batch;
    return std::binary_search(sound_.begin(), sound_.end(), static_cast<uint32_t>(batch - position()));
}

void Block::set_sound(uint64_t batch) {
    if (batch < position()) return void(sound_before_ = batch);
    const auto at = static_cast<uint32_t>(batch - position());
    const auto place = std::lower_bound(sound_.begin(), sound_.end(), at);
    if (place == sound_.end() || *place != at) sound_.insert(place, at);
}

void Block::note_read(uint64_t from, uint64_t to) {
    constexpr uint8_t often = 3;
    if (from < read_until_ && read_again_ < often) read_again_++;
    read_until_ = std::max(read_until_, to);
}

void Block::unpin() {
    ASSERT(pins_ > 0);
    if (--pins_ == 0) home_.unpinned(*this);
}

void Block::begin() {
    state_ = State::reading;
    home_.stats_.disk_reads++, home_.stats_.disk_read_bytes += wanted_;
    submit_next();
}

// The rest of what is wanted, or one page.
void Block::submit_next() {
    const size_t from = align_down(filled_);
    fd = file_->fd, Op::data = memory_.data() + from, offset = position() + from, buffer = &memory_;
    size = by_pages_ ? block_size : align_up(wanted_) - from;
    home_.io_.submit(*this);
}

void Block::done(Outcome outcome) {
    if (by_pages_)
        read_page(outcome.value);
    else
        read_part(outcome.value);
}

// The kernel may return less than asked.
void Block::read_part(int32_t outcome) {
    constexpr uint32_t tries_max = 4;
    if (outcome < 0) {
        by_pages_ = true, tries_ = 0, filled_ = 0;
        return submit_next();
    }
    const size_t reached = std::min(align_down(filled_) + static_cast<size_t>(outcome), wanted_);
    tries_ = reached > filled_ ? 0 : tries_ + 1;
    filled_ = std::max(filled_, reached);
    if (filled_ == wanted_) return end(State::ready);
    if (tries_ < tries_max) return submit_next();
    // The file is shorter than what was written to it.
    for (size_t page = filled_ / block_size; page * block_size < wanted_; page++)
        bad_pages_ |= uint32_t{1} << page;
    std::fill(memory_.data() + filled_, memory_.data() + align_up(wanted_), uint8_t{0});
    filled_ = wanted_;
    end(State::ready);
}

void Block::read_page(int32_t outcome) {
    constexpr uint32_t tries_max = 3;
    const size_t page = filled_ / block_size, full = std::min(block_size, wanted_ - page * block_size);
    if (outcome < static_cast<int32_t>(full)) {
        if (++tries_ < tries_max) return submit_next();
        bad_pages_ |= uint32_t{1} << page;
        std::fill_n(memory_.data() + page * block_size, block_size, uint8_t{0});
    }
    tries_ = 0, filled_ = page * block_size + full;
    if (filled_ < wanted_) return submit_next();
    const size_t count = (wanted_ + block_size - 1) / block_size;
    const bool all_bad = bad_pages_ == (count == pages ? UINT32_MAX : (uint32_t{1} << count) - 1);
    end(all_bad ? State::failed : State::ready);
}

void Block::end(State state) {
    state_ = state;
    home_.ended(*this);
}

// ---- The cache -----------------------------------------------------------------------------------------

BlockCache::~BlockCache() {
    for (Queue* queue : {&small_, &main_, &forgotten_})
        for (const auto& block : *queue) block->pins_ = 0;
}

Block* BlockCache::find(const BlockKey& key) const {
    const auto known = known_.find(key);
    return known == known_.end() ? nullptr : known->second;
}

Task<Result<HeldBlock>> BlockCache::get(Place place) {
    const BlockKey key{place.key, place.position / Block::size_max};
    Block* block = find(key);
    // Of a file that grows the block may have less than there is by now.
    const uint64_t wanted = std::min(place.file_end, (key.number + 1) * Block::size_max);
    const bool is_short = block && block->position() + block->wanted_ < wanted;
    if (block && (is_short || block->state_ == Block::State::failed)) {
        let_go_of(*block);
        block = nullptr;
    }
    (block ? stats_.block_hits : stats_.block_misses)++;
    if (!block && !has_memory()) co_return Error::kafka_storage_error;
    if (!block) block = &make(place, key);
    ask_for(*block);
    block->pin();
    HeldBlock held{block};
    while (block->state_ < Block::State::ready) co_await block->landed_;
    if (block->state_ == Block::State::failed) co_return Error::kafka_storage_error;
    co_return std::move(held);
}

void BlockCache::fetch(const Place& place) {
    const BlockKey key{place.key, place.position / Block::size_max};
    Block* block = find(key);
    if (block || has_memory()) ask_for(block ? *block : make(place, key));
}

bool BlockCache::fetch_ahead(const Place& place) {
    const BlockKey key{place.key, place.position / Block::size_max};
    if (find(key)) return true;
    if (reading_ahead_ + ahead_.size() >= ahead_max || !has_memory()) return false;
    Block& block = make(place, key);
    block.is_ahead_ = true;
    ahead_.push_back(&block);
    start_reads();
    return true;
}

// Before those that nobody waits for.
void BlockCache::ask_for(Block& block) {
    const bool was_ahead = std::exchange(block.is_ahead_, false);
    if (block.state_ == Block::State::reading) reading_ahead_ -= was_ahead;
    if (block.state_ != Block::State::waiting || std::exchange(block.is_wanted_, true)) return;
    if (was_ahead) std::erase(ahead_, &block);
    wanted_.push_back(&block);
    start_reads();
}

// Memory for one more block. Where there is none, what nobody reads gives his.
bool BlockCache::has_memory() {
    make_room();
    if (!spare_.empty()) return true;
    IoBuffer memory = IoBuffer::try_make(Block::size_max);
    if (!memory) {
        shrink(0);
        memory = IoBuffer::try_make(Block::size_max);
    }
    if (memory) spare_.push_back(std::move(memory));
    return !spare_.empty();
}

// A new block; it waits for its turn. After has_memory().
Block& BlockCache::make(const Place& place, const BlockKey& key) {
    const bool was_here = ghosts_.erase(key) > 0;
    Queue& queue = was_here ? main_ : small_;
    queue.push_front(std::make_unique<Block>(*this, key));
    Block& block = *queue.front();
    block.place_ = queue.begin(), block.in_main_ = was_here;
    known_[key] = &block;
    ASSERT(!spare_.empty());
    block.memory_ = std::move(spare_.back());
    spare_.pop_back();
    block.wanted_ = std::min<uint64_t>(Block::size_max, place.file_end - block.position());
    block.file_ = place.file;
    place.file->users++;
    block.pin();  // Until it is read.
    return block;
}

// Reads that fill the device make the commits of all its shards wait behind them.
void BlockCache::start_reads() {
    const size_t places = device_.is_written(io_.now_ns()) ? reads_beside_writes : reads_max;
    while (reading_ < places && !(wanted_.empty() && ahead_.empty())) {
        auto& queue = wanted_.empty() ? ahead_ : wanted_;
        Block& block = *queue.front();
        queue.pop_front();
        reading_++;
        reading_ahead_ += block.is_ahead_;
        block.begin();
    }
}

void BlockCache::ended(Block& block) {
    ASSERT(reading_ > 0);
    reading_--;
    reading_ahead_ -= block.is_ahead_;
    descriptors_.release(std::exchange(block.file_, nullptr));
    start_reads();
    if (block.state_ == Block::State::failed) let_go_of(block);
    block.landed_.notify_all();
    block.unpin();
    if (idle()) landed_.notify_all();
}

// ---- Sums ----------------------------------------------------------------------------------------------

void BlockCache::put_sums(FileKey key, std::vector<uint64_t> sums) {
    if (!sums_.contains(key)) sums_order_.push_back(key);
    sums_[key] = std::move(sums);
    while (sums_order_.size() > files_max) {
        sums_.erase(sums_order_.front());
        sums_order_.pop_front();
    }
}

// Only of whole blocks, and the last of a file that does not grow: only such files have sums.
void BlockCache::judge(Block& block, uint64_t file_end) const {
    if (block.judged != Block::Judged::no) return;
    const auto known = sums_.find(block.key_.file);
    if (known == sums_.end() || block.key_.number >= known->second.size()) return;
    if (block.end_position() != std::min(file_end, block.position() + Block::size_max)) return;
    const bool right = block_sum(block.bytes()) == known->second[block.key_.number];
    block.judged = right ? Block::Judged::by_sum : Block::Judged::suspect;
}

// ---- Letting go ----------------------------------------------------------------------------------------

void BlockCache::make_room() {
    constexpr size_t small_share = 10;
    while (known_.size() >= std::max<size_t>(blocks_max_, 1)) {
        const bool from_small = small_.size() * small_share >= known_.size() || main_.empty();
        if (!evict_from(from_small ? small_ : main_) && !evict_from(from_small ? main_ : small_)) return;
    }
}

// The oldest block that nobody uses. One that was read again gets another round in the main queue.
bool BlockCache::evict_from(Queue& queue) {
    for (size_t tries = 2 * queue.size(); tries > 0 && !queue.empty(); tries--) {
        Block& block = *queue.back();
        if (block.pins_ > 0 || std::exchange(block.is_ahead_, false)) {
            queue.splice(queue.begin(), queue, block.place_);
        } else if (block.read_again_ > 0) {
            block.read_again_ = block.in_main_ ? block.read_again_ - 1 : 0;
            block.in_main_ = true;
            main_.splice(main_.begin(), queue, block.place_);
        } else {
            if (!block.in_main_) remember(block.key_);
            let_go_of(block);
            return true;
        }
    }
    return false;
}

void BlockCache::remember(const BlockKey& key) {
    if (!ghosts_.insert(key).second) return;
    ghost_order_.push_back(key);
    while (ghost_order_.size() > blocks_max_) {
        ghosts_.erase(ghost_order_.front());
        ghost_order_.pop_front();
    }
}

// Nobody will find it again; its memory goes with its last pin.
void BlockCache::let_go_of(Block& block) {
    ASSERT(block.known_);
    block.known_ = false;
    known_.erase(block.key_);
    forgotten_.splice(forgotten_.begin(), block.in_main_ ? main_ : small_, block.place_);
    if (block.pins_ == 0) unpinned(block);
}

void BlockCache::unpinned(Block& block) {
    ASSERT(block.pins_ == 0);
    if (block.known_) return;
    if (spare_.size() + known_.size() + forgotten_.size() <= blocks_max_)
        spare_.push_back(std::move(block.memory_));
    forgotten_.erase(block.place_);
}

void BlockCache::forget(FileKey key) {
    std::vector<Block*> all;
    for (auto it = known_.lower_bound({key, 0}); it != known_.end() && it->first.file == key; ++it)
        all.push_back(it->second);
    for (Block* block : all) let_go_of(*block);
    if (sums_.erase(key) > 0) std::erase(sums_order_, key);
}

void BlockCache::shrink(uint64_t bytes_max) {
    spare_.clear();
    while (bytes() > bytes_max)
        if (!evict_from(small_) && !evict_from(main_)) return;
}

Task<> BlockCache::close() {
    while (!idle()) co_await landed_;
}

}  // namespace millrace
