// What a request costs in allocations once the broker is warm: none.
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "still_broker.h"

namespace {

uint64_t allocations = 0;  // One thread.

void* allocate(size_t size) {
    allocations++;
    void* const memory = std::malloc(size);
    if (!memory) std::abort();
    return memory;
}

}  // namespace

void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace millrace {
namespace {

constexpr int at_once = 5, exchanges = 4000;

uint64_t allocations_of(StillBroker& broker, Bytes frames) {
    for (int i = 0; i < exchanges; i++) broker.exchange(frames);
    const uint64_t before = allocations;
    for (int i = 0; i < exchanges; i++) broker.exchange(frames);
    return allocations - before;
}

std::vector<uint8_t> times(int count, const std::vector<uint8_t>& frame) {
    std::vector<uint8_t> all;
    for (int i = 0; i < count; i++) all.insert(all.end(), frame.begin(), frame.end());
    return all;
}

}  // namespace

// What is left belongs to no batch: lists that still grow, new chunks, files that are begun.
TEST_CASE("a warm broker allocates less than once in fifty batches") {
#if !__has_feature(address_sanitizer)  // With it coroutine frames are not kept.
    StillBroker broker;
    broker.create_topic("t");
    for (const size_t size : {size_t{1}, size_t{1} << 10, size_t{16} << 10}) {
        const auto frame = StillBroker::produce_frame("t", StillBroker::batch(size));
        const uint64_t count = allocations_of(broker, times(at_once, frame));
        CAPTURE(size);
        CAPTURE(count);
        CHECK(count * 50 < at_once * exchanges);
    }
#endif
}

}  // namespace millrace
