// A parked fetch and the partitions it watches.
#include "millrace/replication.h"

namespace millrace {

FetchWatch::~FetchWatch() {
    while (!partitions_.empty()) forget(*partitions_.back());
}

void FetchWatch::add(Partition& partition) {
    if (std::find(partitions_.begin(), partitions_.end(), &partition) != partitions_.end()) return;
    partition.watches_.push_back(this);
    partition.log_.want_durable();
    partitions_.push_back(&partition);
}

void FetchWatch::forget(Partition& partition) {
    std::erase(partition.watches_, this);
    std::erase(partitions_, &partition);
}

void FetchWatch::end() {
    if (std::exchange(ended_, true)) return;
    if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
}

void FetchWatch::gained(int64_t bytes) {
    bytes_needed_ -= bytes;
    if (bytes_needed_ <= 0) end();
}

}  // namespace millrace
