// IoBuffer: aligned, zeroed memory that aborts when it is freed or overwritten while an op is under way on
// it.
//
// From 128 KiB on it comes from mmap, so that memory nobody touched costs nothing; from 2 MiB on it is
// aligned for huge pages. Owned by whoever holds it.
#include <cstdlib>

#include <sys/mman.h>

#include "millrace/io.h"

namespace millrace {

namespace {

constexpr size_t mapped_size_min = IoBuffer::mapped_size_min;

uint8_t* map_memory(size_t size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<uint8_t*>(memory);
}

void unmap_memory(uint8_t* data, size_t size) {
    const int rc = size > 0 ? munmap(data, size) : 0;
    ASSERT(rc == 0);
}

// Takes more than that, and gives back what lies before and behind.
uint8_t* map_huge(size_t size) {
    constexpr size_t huge = IoBuffer::huge_page_size;
    uint8_t* const all = map_memory(size + huge);
    if (!all) return nullptr;
    const size_t before = (huge - reinterpret_cast<uintptr_t>(all) % huge) % huge;
    unmap_memory(all, before);
    unmap_memory(all + before + size, huge - before);
    return all + before;
}

uint8_t* take_memory(size_t size) {
    if (size >= IoBuffer::huge_page_size) return map_huge(size);
    if (size >= mapped_size_min) return map_memory(size);
    void* memory = std::aligned_alloc(IoBuffer::alignment, size);
    if (memory) std::memset(memory, 0, size);
    return static_cast<uint8_t*>(memory);
}

void free_memory(uint8_t* data, size_t size) {
    if (size >= mapped_size_min)
        unmap_memory(data, size);
    else
        std::free(data);
}

}  // namespace

IoBuffer::IoBuffer(size_t size) : size_(size) {
    ASSERT(size > 0);
    ASSERT(size % alignment == 0);
    data_ = take_memory(size);
    ASSERT(data_);
    ASSERT(reinterpret_cast<uintptr_t>(data_) % alignment == 0);
}

IoBuffer IoBuffer::try_make(size_t size) {
    ASSERT(size > 0);
    ASSERT(size % alignment == 0);
    IoBuffer buffer;
    buffer.data_ = take_memory(size);
    buffer.size_ = buffer.data_ ? size : 0;
    return buffer;
}

void IoBuffer::forget(size_t offset, size_t size) {
    ASSERT(data_ && !whole_ && size_ >= mapped_size_min);
    ASSERT(registered_index < 0);
    ASSERT(offset % alignment == 0 && size % alignment == 0 && offset + size <= size_);
    madvise(data_ + offset, size, MADV_DONTNEED);
}

IoBuffer::IoBuffer(IoBuffer& whole, size_t offset, size_t size)
    : data_(whole.data() + offset), size_(size), whole_(&whole) {
    ASSERT(size > 0);
    ASSERT(size % alignment == 0 && offset % alignment == 0);
    ASSERT(offset + size <= whole.size());
}

void IoBuffer::prefer_huge_pages() {
    ASSERT(data_ && !whole_);
    madvise(data_, size_, MADV_HUGEPAGE);  // A kernel without them says no: then it stays as it is.
}

void IoBuffer::release() {
    ASSERT(!in_flight());
    ASSERT(registered_index < 0);
    if (data_ && !whole_) free_memory(data_, size_);
}

IoBuffer::IoBuffer(IoBuffer&& other) noexcept {
    ASSERT(!other.in_flight());  // The op would land on an empty buffer.
    take(other);
}

IoBuffer& IoBuffer::operator=(IoBuffer&& other) noexcept {
    ASSERT(this != &other);
    ASSERT(!other.in_flight());
    release();
    take(other);
    return *this;
}

void IoBuffer::take(IoBuffer& other) {
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    whole_ = std::exchange(other.whole_, nullptr);
    registered_index = std::exchange(other.registered_index, -1);
}

IoBuffer::~IoBuffer() { release(); }

}  // namespace millrace
