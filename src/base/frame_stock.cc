// Memory of coroutine frames: what a thread gives back is kept for its next ones, by size.
//
// A frame may be given back by another thread than the one that took it: it then changes its keeper.
#include "millrace/task.h"

namespace millrace::detail {
namespace {

constexpr size_t step = 64;             // Sizes are rounded up to it.
constexpr size_t kept_size_max = 2048;  // Larger frames are rare, and not kept.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool keeps_frames = false;
#elif defined(__has_feature)
constexpr bool keeps_frames =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) && !__has_feature(memory_sanitizer);
#else
constexpr bool keeps_frames = true;
#endif

struct Kept {
    Kept* next;
};

struct Stock {
    std::array<Kept*, kept_size_max / step + 1> lists{};  // By size in steps.
    size_t bytes = 0;
    size_t bytes_max = keeps_frames ? kept_frame_bytes_max : 0;
};
// Without a destructor, so that it can be used until the very end of a thread.
constinit thread_local Stock stock;

// Empties the stock when its thread ends.
struct Sweeper {
    bool is_there = true;
    ~Sweeper() {
        stock.bytes_max = 0;
        drop_kept_frames();
    }
};
thread_local Sweeper sweeper;

size_t steps_of(size_t size) { return (size + step - 1) / step; }

}  // namespace

void* take_frame(size_t size) {
    const size_t steps = steps_of(size);
    if (steps < stock.lists.size())
        if (Kept* const frame = stock.lists[steps]) {
            stock.lists[steps] = frame->next;
            stock.bytes -= steps * step;
            return frame;
        }
    ASSERT(sweeper.is_there);  // Its use makes it.
    return ::operator new(steps* step);
}

void give_back_frame(void* frame, size_t size) {
    const size_t steps = steps_of(size);
    if (steps >= stock.lists.size() || stock.bytes + steps * step > stock.bytes_max)
        return ::operator delete(frame);
    stock.lists[steps] = new (frame) Kept{stock.lists[steps]};
    stock.bytes += steps * step;
}

void drop_kept_frames() {
    stock.bytes = 0;
    for (Kept*& list : stock.lists)
        while (Kept* frame = list) {
            list = frame->next;
            ::operator delete(frame);
        }
}

size_t kept_frame_bytes() { return stock.bytes; }

}  // namespace millrace::detail
