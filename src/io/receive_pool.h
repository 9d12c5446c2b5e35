// The shard's provided receive buffers: 256 of 64 KiB, from which the kernel picks as bytes arrive.
//
// Only a window of them is shown to the kernel, refilled from a stack: the buffers last given back are used
// first, stay in the processor's cache, and memory that was never needed is never resident. The window
// doubles when a receive found nothing in it. Each buffer is with the kernel, lent to the shard, or on the
// stack.
#pragma once
#include <array>

#include <liburing.h>

#include "millrace/io.h"

namespace millrace {

class ReceivePool {
 public:
    static constexpr uint16_t group = 0;
    static constexpr uint32_t buffer_size = 64 << 10;
    static constexpr uint16_t buffer_count = 256;

    ReceivePool() = default;
    ReceivePool(const ReceivePool&) = delete;
    ~ReceivePool();

    // 0 or a negative errno.
    int open(io_uring& ring);
    void close(io_uring& ring);

    // A completion brought this buffer.
    void lend(ReceiveBuffer buffer);
    void give_back(ReceiveBuffer buffer);
    // Shows buffers to the kernel until the window is full again. Before each entry into the kernel.
    void top_up();
    // After a receive found nothing: false when all buffers are lent.
    bool widen();

    Bytes bytes(ReceiveBuffer buffer, size_t size) const {
        return {memory_ + size_t{buffer.value} * buffer_size, size};
    }
    uint16_t lent() const { return lent_; }

 private:
    io_uring_buf_ring* ring_ = nullptr;
    uint8_t* memory_ = nullptr;
    uint16_t window_ = 32;
    uint16_t shown_ = 0;
    uint16_t lent_ = 0;
    uint16_t stacked_ = 0;
    std::array<uint16_t, buffer_count> stack_{};
    std::array<bool, buffer_count> is_lent_{};
};

}  // namespace millrace
