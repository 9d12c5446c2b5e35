// One group's offsets.
#include "offset_table.h"

#include <doctest/doctest.h>

using namespace millrace;
using coordinator::OffsetTable;
using coordinator::StoredOffset;

TEST_CASE("the newest offset of a partition replaces the one before") {
    OffsetTable table;
    CHECK(table.set("t", 3, {.offset = 7}));
    CHECK_FALSE(table.set("t", 3, {.offset = 9}));
    CHECK(table.find("t", 3)->offset == 9);
    CHECK(table.find("t", 4) == nullptr);
    CHECK(table.find("u", 3) == nullptr);
}

TEST_CASE("a topic without offsets is gone from the table") {
    OffsetTable table;
    table.set("t", 0, {});
    CHECK_FALSE(table.remove("t", 1));
    CHECK(table.remove("t", 0));
    CHECK(table.is_empty());
    CHECK_FALSE(table.remove("t", 0));
}

TEST_CASE("an offset expires by its own time where it has one, else by retention") {
    const StoredOffset by_retention{.commit_ms = 100};
    CHECK_FALSE(by_retention.is_expired(100, 149, 50));
    CHECK(by_retention.is_expired(100, 150, 50));
    const StoredOffset by_itself{.commit_ms = 100, .expire_ms = 120};
    CHECK_FALSE(by_itself.is_expired(100, 119, 5));
    CHECK(by_itself.is_expired(100, 120, 1'000));
}

TEST_CASE("a topic id fits when it is the same or either side has none") {
    Uuid a, b;
    a.bytes[0] = 1, b.bytes[0] = 2;
    CHECK(StoredOffset{.topic_id = a}.is_of(a));
    CHECK(StoredOffset{.topic_id = a}.is_of({}));
    CHECK(StoredOffset{}.is_of(b));
    CHECK_FALSE(StoredOffset{.topic_id = a}.is_of(b));
}
