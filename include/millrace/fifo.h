// A queue in a ring of memory that grows and is kept: in a steady state nothing is allocated, as it is by
// std::deque, block after block. A value that has left lies in its place until another takes it: move it out
// where that matters.
#pragma once
#include <utility>
#include <vector>

#include "millrace/base.h"

namespace millrace {

template <class T> class Fifo {
 public:
    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    // Counted from the front.
    T& operator[](size_t i) {
        ASSERT(i < size_);
        return ring_[place(i)];
    }
    const T& operator[](size_t i) const {
        ASSERT(i < size_);
        return ring_[place(i)];
    }
    T& front() { return (*this)[0]; }
    T& back() { return (*this)[size_ - 1]; }
    void push_back(T value) { emplace_back() = std::move(value); }
    // With whatever value lay there: to be set at once.
    T& emplace_back() {
        if (size_ == ring_.size()) grow();
        return ring_[place(size_++)];
    }
    void pop_front() {
        ASSERT(size_ > 0);
        first_ = place(1);
        size_--;
    }
    // Takes out all for which it holds; the others keep their order.
    template <class Predicate> void erase_if(Predicate predicate) {
        size_t kept = 0;
        for (size_t i = 0; i < size_; i++)
            if (!predicate((*this)[i]) && kept++ < i) (*this)[kept - 1] = std::move((*this)[i]);
        size_ = kept;
    }

    template <class Queue> struct Place {
        Queue& queue;
        size_t i;
        auto& operator*() const { return queue[i]; }
        Place& operator++() { return i++, *this; }
        bool operator!=(const Place& other) const { return i != other.i; }
    };
    Place<Fifo> begin() { return {*this, 0}; }
    Place<Fifo> end() { return {*this, size_}; }
    Place<const Fifo> begin() const { return {*this, 0}; }
    Place<const Fifo> end() const { return {*this, size_}; }

 private:
    size_t place(size_t i) const { return (first_ + i) & (ring_.size() - 1); }
    void grow() {
        std::vector<T> larger(ring_.empty() ? 8 : 2 * ring_.size());
        for (size_t i = 0; i < size_; i++) larger[i] = std::move((*this)[i]);
        ring_ = std::move(larger);
        first_ = 0;
    }
    std::vector<T> ring_;  // A power of two long.
    size_t first_ = 0, size_ = 0;
};

}  // namespace millrace
