// The shard's provided receive buffers: 256 of 64 KiB, from which the kernel picks as bytes arrive.
//
// Only a window of them is shown to the kernel, refilled with the lowest numbers that are free: so the same
// few are used again and again, stay in the processor's cache, and memory that was never needed is never
// resident. The window doubles when a receive found nothing in it, up to a limit; trim() halves it and gives
// back what nobody uses. Each buffer is with the kernel, lent to the shard, or free.
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
    static constexpr uint16_t window_min = 32;

    // At most so many are in use, 32 to 256.
    explicit ReceivePool(uint16_t buffers_max = buffer_count);
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
    // A smaller window, if the shard can do with it; the memory of what is not lent goes back.
    void trim();

    Bytes bytes(ReceiveBuffer buffer, size_t size) const {
        return {memory_ + size_t{buffer.value} * buffer_size, size};
    }
    uint16_t lent() const { return lent_; }

 private:
    io_uring_buf_ring* ring_ = nullptr;
    uint8_t* memory_ = nullptr;
    enum class Place : uint8_t { free, shown, lent };
    uint16_t take_lowest();

    const uint16_t buffers_max_;
    uint16_t window_ = window_min;
    uint16_t shown_ = 0;
    uint16_t lent_ = 0;
    uint16_t free_ = 0;
    std::array<uint64_t, buffer_count / 64> free_bits_{};
    std::array<Place, buffer_count> places_{};
    bool touched_ = false;  // Since the last trim.
};

}  // namespace millrace
