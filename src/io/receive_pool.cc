// The buffer ring behind ReceivePool. Needs Linux 5.19.
#include "receive_pool.h"

#include <algorithm>
#include <bit>
#include <cerrno>

#include <sys/mman.h>

namespace millrace {

namespace {

constexpr size_t ring_size = ReceivePool::buffer_count * sizeof(io_uring_buf);
constexpr size_t memory_size = size_t{ReceivePool::buffer_count} * ReceivePool::buffer_size;

template <class T> T* map(size_t size) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
}

}  // namespace

ReceivePool::ReceivePool(uint16_t buffers_max)
    : buffers_max_(std::clamp(buffers_max, window_min, buffer_count)) {}

int ReceivePool::open(io_uring& ring) {
    ring_ = map<io_uring_buf_ring>(ring_size);
    memory_ = map<uint8_t>(memory_size);
    if (!ring_ || !memory_) return -ENOMEM;
    madvise(memory_, memory_size, MADV_HUGEPAGE);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<uintptr_t>(ring_);
    registration.ring_entries = buffer_count;
    registration.bgid = group;
    if (const int rc = io_uring_register_buf_ring(&ring, &registration, 0); rc < 0) return rc;
    io_uring_buf_ring_init(ring_);
    free_ = buffers_max_;
    for (uint16_t i = 0; i < buffers_max_; i++) free_bits_[i / 64] |= uint64_t{1} << (i % 64);
    top_up();
    return 0;
}

void ReceivePool::close(io_uring& ring) { io_uring_unregister_buf_ring(&ring, group); }

ReceivePool::~ReceivePool() {
    if (ring_) munmap(ring_, ring_size);
    if (memory_) munmap(memory_, memory_size);
}

void ReceivePool::lend(ReceiveBuffer buffer) {
    ASSERT(buffer.value < buffer_count);
    ASSERT(places_[buffer.value] == Place::shown);
    ASSERT(shown_ > 0);
    places_[buffer.value] = Place::lent;
    shown_--, lent_++;
    touched_ = true;
}

void ReceivePool::give_back(ReceiveBuffer buffer) {
    ASSERT(buffer.value < buffer_count);
    ASSERT(places_[buffer.value] == Place::lent);
    places_[buffer.value] = Place::free;
    free_bits_[buffer.value / 64] |= uint64_t{1} << (buffer.value % 64);
    lent_--, free_++;
    ASSERT(shown_ + lent_ + free_ == buffers_max_);
}

uint16_t ReceivePool::take_lowest() {
    ASSERT(free_ > 0);
    size_t word = 0;
    while (free_bits_[word] == 0) word++;
    const auto bit = static_cast<uint16_t>(std::countr_zero(free_bits_[word]));
    free_bits_[word] &= free_bits_[word] - 1;
    free_--;
    return static_cast<uint16_t>(word * 64 + bit);
}

void ReceivePool::top_up() {
    if (shown_ >= window_ || free_ == 0) return;
    int added = 0;
    while (shown_ < window_ && free_ > 0) {
        const uint16_t buffer = take_lowest();
        places_[buffer] = Place::shown;
        auto* memory = memory_ + size_t{buffer} * buffer_size;
        io_uring_buf_ring_add(ring_, memory, buffer_size, buffer, buffer_count - 1, added++);
        shown_++;
    }
    io_uring_buf_ring_advance(ring_, added);
}

bool ReceivePool::widen() {
    if (free_ > 0 && shown_ == window_ && window_ < buffers_max_)
        window_ = static_cast<uint16_t>(std::min<uint32_t>(window_ * 2, buffers_max_));
    const bool any = shown_ + free_ > 0;
    top_up();
    return any;
}

// All but what is lent; what is shown gets new pages when the kernel writes to it. A smaller window comes by
// use: what is shown cannot be taken back.
void ReceivePool::trim() {
    if (!std::exchange(touched_, false)) return;
    window_ = std::max<uint16_t>(window_ / 2, window_min);
    for (uint16_t first = 0; first < buffers_max_;) {
        uint16_t behind = first;
        while (behind < buffers_max_ && places_[behind] != Place::lent) behind++;
        if (behind > first)
            madvise(memory_ + size_t{first} * buffer_size, (size_t{behind} - first) * buffer_size,
                    MADV_DONTNEED);
        first = static_cast<uint16_t>(behind + 1);
    }
}

}  // namespace millrace
