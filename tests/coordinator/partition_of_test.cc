// The partition of a group is the same as every client's idea of it.
#include <doctest/doctest.h>

#include "millrace/coordinator.h"

using namespace millrace;

TEST_CASE("groups fall on the partitions that Java's string hash says") {
    CHECK(coordinator_partition("", 50) == 0);
    CHECK(coordinator_partition("a", 50) == 97 % 50);
    CHECK(coordinator_partition("ab", 50) == (97 * 31 + 98) % 50);
    // Where a real broker with 3 partitions put these groups (golden files).
    CHECK(coordinator_partition("grp-consumer", 3) == 0);
    CHECK(coordinator_partition("grp-classic", 3) == 1);
    CHECK(coordinator_partition("g1", 3) == 2);
}

TEST_CASE("negative hashes count by their absolute value, and the one without any is zero") {
    CHECK(coordinator_partition("polygenelubricants", 50) == 0);  // Hash -2147483648.
    CHECK(coordinator_partition("GydZG_", 1000) == 0);            // Hash -2147483648.
    CHECK(coordinator_partition("zzzzzzz", 1'000'000) == 481'018);
}

TEST_CASE("characters outside the basic plane hash as two UTF-16 units") {
    CHECK(coordinator_partition("\xc3\xa9", 1000) == 0xe9);           // é
    CHECK(coordinator_partition("\xe2\x82\xac", 100'000) == 0x20ac);  // €
    CHECK(coordinator_partition("\xf0\x9f\x98\x80", 10'000'000) ==
          (0xd83d * 31 + 0xde00) % 10'000'000);  // 😀
}

TEST_CASE("malformed UTF-8 hashes as Java's replacement character") {
    CHECK(coordinator_partition("\xff", 100'000) == 0xfffd);
    CHECK(coordinator_partition("\xc3", 100'000) == 0xfffd);
}
