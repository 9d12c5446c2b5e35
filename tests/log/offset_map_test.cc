// The cleaner's map of keys.
#include "offset_map.h"

#include <string>

#include <doctest/doctest.h>

namespace millrace {

namespace {

std::string key_of(uint64_t i) { return "key " + std::to_string(i); }

}  // namespace

TEST_CASE("the map knows the newest offset of every key, and no other key") {
    OffsetMap map{{.bytes_max = 1 << 20, .load_factor = 0.9, .keys_wanted = 20'000}};
    for (uint64_t i = 0; i < 20'000; i++)
        REQUIRE(map.put(as_bytes(key_of(i)), Offset{static_cast<int64_t>(i)}));
    for (uint64_t i = 0; i < 20'000; i += 3)
        REQUIRE(map.put(as_bytes(key_of(i)), Offset{static_cast<int64_t>(i + 100'000)}));
    for (uint64_t i = 0; i < 20'000; i++)
        CHECK(map.find(as_bytes(key_of(i))).value == static_cast<int64_t>(i % 3 == 0 ? i + 100'000 : i));
    CHECK(map.find(as_bytes("another")) == Offset{-1});
    CHECK(map.find({}) == Offset{-1});
    CHECK(map.size() == 20'000);
}

TEST_CASE("a full map refuses new keys and takes newer offsets of those it knows") {
    OffsetMap map{{.bytes_max = 300 << 10, .load_factor = 0.5, .keys_wanted = 1'000'000}};
    CHECK(map.memory() <= 300 << 10);
    uint64_t taken = 0;
    while (map.put(as_bytes(key_of(taken)), Offset{5})) taken++;
    CHECK(taken == map.size_max());
    CHECK(taken * OffsetMap::slot_bytes <= map.memory() / 2);
    CHECK_FALSE(map.put(as_bytes("another"), Offset{7}));
    CHECK(map.put(as_bytes(key_of(1)), Offset{8}));
    CHECK(map.find(as_bytes(key_of(1))) == Offset{8});
    CHECK(map.find(as_bytes("another")) == Offset{-1});
}

TEST_CASE("a map takes no more memory than its keys need") {
    CHECK(OffsetMap{{.bytes_max = 128 << 20, .keys_wanted = 100}}.memory() <= 128 << 10);
    CHECK(OffsetMap{{.bytes_max = 0, .keys_wanted = 100}}.memory() <= 128 << 10);
    CHECK(OffsetMap{{.bytes_max = 128 << 20, .keys_wanted = 100'000}}.memory() < 4 << 20);
}

}  // namespace millrace
