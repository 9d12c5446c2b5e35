// Memory in blocks that are freed together. Requests larger than a block get one of their own.
#include "millrace/base.h"

namespace millrace {

void* Arena::take(size_t size, size_t align) {
    ASSERT(align <= alignof(std::max_align_t));
    used_ = (used_ + align - 1) & ~(align - 1);
    if (blocks_.empty() || used_ + size > blocks_.back().size) {
        const size_t wanted = std::max(size, block_size);
        blocks_.push_back({std::make_unique_for_overwrite<uint8_t[]>(wanted), wanted});
        used_ = 0;
    }
    void* p = blocks_.back().data.get() + used_;
    used_ += size;
    used_total_ += size;
    return p;
}

void Arena::reset() {
    if (blocks_.size() > 1) blocks_.resize(1);
    used_ = 0;
    used_total_ = 0;
}

Bytes Arena::copy(Bytes bytes) {
    auto* p = static_cast<uint8_t*>(take(bytes.size(), 1));
    if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
    return {p, bytes.size()};
}

}  // namespace millrace
