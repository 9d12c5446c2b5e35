// The buffer ring behind ReceivePool. Needs Linux 5.19.
#include "receive_pool.h"

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
    for (uint16_t i = buffer_count; i > 0; i--) stack_[stacked_++] = i - 1;
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
    ASSERT(!is_lent_[buffer.value]);
    ASSERT(shown_ > 0);
    is_lent_[buffer.value] = true;
    shown_--, lent_++;
}

void ReceivePool::give_back(ReceiveBuffer buffer) {
    ASSERT(buffer.value < buffer_count);
    ASSERT(is_lent_[buffer.value]);
    is_lent_[buffer.value] = false;
    lent_--;
    stack_[stacked_++] = buffer.value;
    ASSERT(shown_ + lent_ + stacked_ == buffer_count);
}

void ReceivePool::top_up() {
    if (shown_ >= window_ || stacked_ == 0) return;
    int added = 0;
    while (shown_ < window_ && stacked_ > 0) {
        const uint16_t buffer = stack_[--stacked_];
        auto* memory = memory_ + size_t{buffer} * buffer_size;
        io_uring_buf_ring_add(ring_, memory, buffer_size, buffer, buffer_count - 1, added++);
        shown_++;
    }
    io_uring_buf_ring_advance(ring_, added);
}

bool ReceivePool::widen() {
    if (stacked_ > 0 && shown_ == window_ && window_ < buffer_count) window_ = window_ * 2;
    const bool any = shown_ + stacked_ > 0;
    top_up();
    return any;
}

}  // namespace millrace
