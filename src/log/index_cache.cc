// Indexes of finished segments, as many as the budget holds.
#include "storage.h"

namespace millrace {

Task<Result<const SegmentIndex*>> IndexCache::get(FileKey key, std::string path_prefix,
                                                  uint64_t segment_size) {
    if (const auto place = places_.find(key); place != places_.end()) {
        entries_.splice(entries_.begin(), entries_, place->second);
        co_return &entries_.front().index;
    }
    const auto offsets = co_await read_file(io_, path_prefix + ".index");
    if (!offsets) co_return offsets.error();
    const auto times = co_await read_file(io_, path_prefix + ".timeindex");
    if (!times) co_return times.error();
    const auto sums = co_await read_file(io_, path_prefix + ".sum");
    if (!sums && sums.error() != Error::resource_not_found) co_return sums.error();
    const auto known = sums ? SegmentSums::header_from(*sums) : std::nullopt;
    if (known && known->size > 0 && (known->index != sum_of(*offsets) || known->timeindex != sum_of(*times)))
        co_return Error::corrupt_message;
    put(key, SegmentIndex::from_bytes(*offsets, *times, segment_size));
    co_return &entries_.front().index;
}

void IndexCache::put(FileKey key, SegmentIndex index) {
    forget(key);
    bytes_ += sizeof(Entry) + index.memory();
    entries_.push_front({key, std::move(index)});
    places_[key] = entries_.begin();
    make_room();
}

void IndexCache::make_room() {
    while (bytes_ > bytes_max_ && entries_.size() > 1) forget(entries_.back().key);
}

void IndexCache::forget(FileKey key) {
    const auto known = places_.find(key);
    if (known == places_.end()) return;
    bytes_ -= sizeof(Entry) + known->second->index.memory();
    entries_.erase(known->second);
    places_.erase(known);
}

}  // namespace millrace
