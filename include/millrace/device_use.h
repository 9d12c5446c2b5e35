// Whether commits are being written to a device: the one word, besides mailboxes, that shards share.
#pragma once
#include <atomic>
#include <cstdint>

namespace millrace {

// What the storages of one device, on any cores, let each other know: whether commits are being written. A
// hint, without order between cores.
class DeviceUse {
 public:
    void note_write(uint64_t now_ns) {
        constexpr uint64_t fine_ns = 10'000'000;  // So that the line is rarely taken from other cores.
        if (now_ns > written_ns_.load(std::memory_order_relaxed) + fine_ns)
            written_ns_.store(now_ns, std::memory_order_relaxed);
    }
    // Lately: within a tenth of a second.
    bool is_written(uint64_t now_ns) const {
        constexpr uint64_t lately_ns = 100'000'000;
        const uint64_t written_ns = written_ns_.load(std::memory_order_relaxed);
        return written_ns > 0 && now_ns < written_ns + lately_ns;
    }

 private:
    std::atomic<uint64_t> written_ns_{0};
};

}  // namespace millrace
