// Slices: pins on memory that holds whole batches.
#include "millrace/log.h"

namespace millrace {

Slice::Slice(Slice&& other) noexcept
    : pieces_(std::move(other.pieces_)),
      sources_(std::move(other.sources_)),
      size_(std::exchange(other.size_, 0)),
      first_(other.first_),
      next_(other.next_) {
    other.pieces_.clear(), other.sources_.clear();
}

Slice& Slice::operator=(Slice&& other) noexcept {
    if (this == &other) return *this;
    clear();
    pieces_ = std::move(other.pieces_), sources_ = std::move(other.sources_);
    other.pieces_.clear(), other.sources_.clear();
    size_ = std::exchange(other.size_, 0);
    first_ = other.first_, next_ = other.next_;
    return *this;
}

void Slice::add(Bytes piece, SliceSource* source) {
    ASSERT(source && !piece.empty());
    pieces_.push_back(piece);
    sources_.push_back(source);
    size_ += piece.size();
}

void Slice::shorten(size_t size) {
    ASSERT(size <= size_);
    while (size_ - size >= (pieces_.empty() ? SIZE_MAX : pieces_.back().size())) {
        size_ -= pieces_.back().size();
        sources_.back()->unpin();
        pieces_.pop_back(), sources_.pop_back();
    }
    if (size_ == size) return;
    pieces_.back() = pieces_.back().first(pieces_.back().size() - (size_ - size));
    size_ = size;
}

void Slice::clear() {
    for (SliceSource* source : sources_) source->unpin();
    pieces_.clear(), sources_.clear();
    size_ = 0;
}

}  // namespace millrace
