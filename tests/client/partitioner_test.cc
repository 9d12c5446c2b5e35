// Keys live where Java's clients look for them; ranges are assigned as Java's RangeAssignor does.
#include <doctest/doctest.h>

#include "millrace/client.h"

using namespace millrace;
using namespace millrace::client;

TEST_CASE("murmur2 is that of Kafka's Java client") {
    // The values of Kafka's own UtilsTest.
    CHECK(static_cast<int32_t>(murmur2(as_bytes("21"))) == -973932308);
    CHECK(static_cast<int32_t>(murmur2(as_bytes("foobar"))) == -790332482);
    CHECK(static_cast<int32_t>(murmur2(as_bytes("a-little-bit-long-string"))) == -985981536);
    CHECK(static_cast<int32_t>(murmur2(as_bytes("a-little-bit-longer-string"))) == -1486304829);
    CHECK(static_cast<int32_t>(murmur2(as_bytes("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"))) ==
          -58897971);
    CHECK(static_cast<int32_t>(murmur2(as_bytes("abc"))) == 479470107);
}

TEST_CASE("a key's partition is never negative") {
    for (int i = 0; i < 1000; i++) {
        const int32_t partition = partition_of_key(as_bytes(std::to_string(i)), 7);
        CHECK(partition >= 0);
        CHECK(partition < 7);
    }
}

TEST_CASE("ranges are consecutive, the first members get one more") {
    const auto assigned =
        assign_ranges({{"a", {"t"}}, {"b", {"t"}}, {"c", {"t", "u"}}}, {{"t", 7}, {"u", 2}});
    CHECK(assigned.at("a").at("t") == std::vector<int32_t>{0, 1, 2});
    CHECK(assigned.at("b").at("t") == std::vector<int32_t>{3, 4});
    CHECK(assigned.at("c").at("t") == std::vector<int32_t>{5, 6});
    CHECK(assigned.at("c").at("u") == std::vector<int32_t>{0, 1});
}

TEST_CASE("a member without a partition still gets an assignment") {
    const auto assigned = assign_ranges({{"a", {"t"}}, {"b", {"t"}}, {"c", {"t"}}}, {{"t", 2}});
    CHECK(assigned.size() == 3);
    CHECK(assigned.at("c").empty());
}
