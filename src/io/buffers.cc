// IoBuffer: aligned, zeroed memory that aborts when it is freed or overwritten while an op is under way on
// it.
//
// From 128 KiB on it comes from mmap, so that memory nobody touched costs nothing. Owned by whoever holds it.
#include <cstdlib>

#include <sys/mman.h>

#include "millrace/io.h"

namespace millrace {

namespace {

constexpr size_t mapped_size_min = 128 << 10;

uint8_t* take_memory(size_t size) {
    if (size >= mapped_size_min) {
        void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT(memory != MAP_FAILED);
        return static_cast<uint8_t*>(memory);
    }
    void* memory = std::aligned_alloc(IoBuffer::alignment, size);
    ASSERT(memory != nullptr);
    std::memset(memory, 0, size);
    return static_cast<uint8_t*>(memory);
}

void free_memory(uint8_t* data, size_t size) {
    if (size >= mapped_size_min) {
        const int rc = munmap(data, size);
        ASSERT(rc == 0);
    } else {
        std::free(data);
    }
}

}  // namespace

IoBuffer::IoBuffer(size_t size) : size_(size) {
    ASSERT(size > 0);
    ASSERT(size % alignment == 0);
    data_ = take_memory(size);
    ASSERT(reinterpret_cast<uintptr_t>(data_) % alignment == 0);
}

IoBuffer::IoBuffer(IoBuffer&& other) noexcept {
    ASSERT(!other.in_flight());  // The op would land on an empty buffer.
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    registered_index = std::exchange(other.registered_index, -1);
}

IoBuffer& IoBuffer::operator=(IoBuffer&& other) noexcept {
    ASSERT(this != &other);
    ASSERT(!in_flight());
    ASSERT(!other.in_flight());
    ASSERT(registered_index < 0);
    if (data_) free_memory(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    registered_index = std::exchange(other.registered_index, -1);
    return *this;
}

IoBuffer::~IoBuffer() {
    ASSERT(!in_flight());
    ASSERT(registered_index < 0);
    if (data_) free_memory(data_, size_);
}

}  // namespace millrace
