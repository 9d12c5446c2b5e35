// The growing buffer that messages are encoded into.
#include "millrace/wire.h"

namespace millrace::wire {

void Writer::grow(size_t size) {
    static constexpr size_t first_capacity = 1024;
    const size_t capacity = std::max({2 * capacity_, used_ + size, first_capacity});
    auto wider = std::make_unique_for_overwrite<uint8_t[]>(capacity);
    if (used_ > 0) std::memcpy(wider.get(), buffer_.get(), used_);
    buffer_ = std::move(wider);
    capacity_ = capacity;
    ASSERT(used_ + size <= capacity_);
}

void Writer::splice(Bytes piece) {
    if (piece.size() < splice_size_min) return raw(piece);
    splices_.push_back({used_, piece});
    spliced_ += piece.size();
}

void Writer::append_pieces(std::vector<Bytes>& out) const {
    size_t written = 0;
    for (const Splice& splice : splices_) {
        if (splice.at > written) out.push_back({buffer_.get() + written, splice.at - written});
        out.push_back(splice.piece);
        written = splice.at;
    }
    if (used_ > written) out.push_back({buffer_.get() + written, used_ - written});
}

std::vector<uint8_t> Writer::copy() const {
    std::vector<Bytes> pieces;
    append_pieces(pieces);
    std::vector<uint8_t> whole;
    whole.reserve(size());
    for (Bytes piece : pieces) whole.insert(whole.end(), piece.begin(), piece.end());
    ASSERT(whole.size() == size());
    return whole;
}

Writer::Frame Writer::begin_frame() {
    fixed<int32_t>(0);
    return {used_, size()};
}

void Writer::end_frame(Frame frame) {
    ASSERT(frame.at >= 4 && frame.at <= used_);
    store_big(buffer_.get() + frame.at - 4, static_cast<int32_t>(size() - frame.size_before));
}

void Writer::end_sized(size_t start) {
    ASSERT(splices_.empty() || splices_.back().at < start);
    const size_t size = used_ - start;
    size_t prefix_size = 1;
    for (size_t rest = size >> 7; rest > 0; rest >>= 7) prefix_size++;
    if (prefix_size > 1) {
        room(prefix_size);
        std::memmove(buffer_.get() + start - 1 + prefix_size, buffer_.get() + start, size);
    }
    uint8_t* p = buffer_.get() + start - 1;
    size_t rest = size;
    for (; rest >= 0x80; rest >>= 7) *p++ = static_cast<uint8_t>(rest | 0x80);
    *p = static_cast<uint8_t>(rest);
    used_ += prefix_size - 1;
    ASSERT(used_ == start - 1 + prefix_size + size);
}

}  // namespace millrace::wire
