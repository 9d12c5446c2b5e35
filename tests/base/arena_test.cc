// The arena: alignment, growth, reuse after a reset.
#include <doctest/doctest.h>

#include "millrace/base.h"

namespace millrace {
namespace {

TEST_CASE("memory is aligned, separate and stays in place") {
    Arena arena;
    std::vector<std::span<uint64_t>> parts;
    for (uint64_t i = 0; i < 1000; i++) {
        (void)arena.take(1, 1);
        parts.push_back(arena.make<uint64_t>(7));
        CHECK(reinterpret_cast<uintptr_t>(parts.back().data()) % alignof(uint64_t) == 0);
        for (uint64_t x : parts.back()) CHECK(x == 0);
        std::ranges::fill(parts.back(), i);
    }
    for (uint64_t i = 0; i < parts.size(); i++)
        for (uint64_t x : parts[i]) CHECK(x == i);
}

TEST_CASE("an allocation larger than a block gets one of its own") {
    Arena arena;
    const auto small = arena.make<uint8_t>(10);
    const auto large = arena.make<uint8_t>(1 << 20);
    large.back() = 1, small.back() = 2;
    CHECK(large.size() == 1 << 20);
    CHECK(arena.used() >= (1 << 20) + 10);
}

TEST_CASE("nothing is still a place") {
    Arena arena;
    CHECK(arena.make<uint32_t>(0).data() != nullptr);
    CHECK(arena.copy(std::string_view()).empty());
}

TEST_CASE("copies are the arena's own") {
    Arena arena;
    std::string text = "moved away";
    const auto copy = arena.copy(text);
    text = "overwritten";
    CHECK(copy == "moved away");
}

TEST_CASE("after a reset the first block is used again") {
    Arena arena;
    const void* first = arena.take(100, 8);
    (void)arena.take(1 << 20, 8);
    arena.reset();
    CHECK(arena.used() == 0);
    CHECK(arena.take(100, 8) == first);
}

}  // namespace
}  // namespace millrace
