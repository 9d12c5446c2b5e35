// Sparse indexes: where to begin to look, and what of a file is believed.
#include "index.h"

#include <doctest/doctest.h>

namespace millrace {

namespace {

BatchHeader header(int64_t base, int32_t records, uint32_t size, int64_t timestamp) {
    BatchHeader h;
    h.base = Offset{base}, h.last_delta = records - 1, h.size = size, h.max_timestamp = timestamp;
    return h;
}

// Batches of 10 records and 1,000 bytes; times fall back now and then.
SegmentIndex hundred(Offset base = Offset{0}) {
    SegmentIndex index;
    for (int i = 0; i < 100; i++)
        index.add(header(base.value + i * 10, 10, 1'000, 5'000 + i * 10 - (i % 3 ? 0 : 100)), base,
                  static_cast<uint64_t>(i) * 1'000, 4'096);
    return index;
}

}  // namespace

TEST_CASE("an entry stands for each so many bytes, and names a batch's last offset and its position") {
    const SegmentIndex index = hundred();
    CHECK(index.entry_count() == 19);
    for (uint32_t offset = 0; offset < 1'000; offset++) {
        const auto floor = index.floor(offset);
        CHECK(floor.position % 1'000 == 0);
        CHECK(floor.position / 100 <= offset);            // Not behind the batch with this offset,
        CHECK(offset / 10 < floor.position / 1'000 + 6);  // nor far before it.
        if (floor.position > 0) CHECK(floor.offset == floor.position / 100 + 9);
    }
}

TEST_CASE("all batches below a time's floor are older than that time") {
    const SegmentIndex index = hundred();
    for (int64_t time = 4'900; time < 6'100; time += 7) {
        const auto floor = index.time_floor(time - 1);
        for (uint32_t i = 0; i * 10 + 9 < floor.offset; i++) CHECK(5'000 + i * 10 - (i % 3 ? 0 : 100) < time);
    }
    CHECK(index.time_floor(0).timestamp == -1);
}

TEST_CASE("a finished index ends with the segment's largest time") {
    SegmentIndex index = hundred();
    index.finish();
    const auto bytes = index.time_bytes();
    CHECK(load_big<int64_t>(bytes.data() + bytes.size() - 12) == index.max_timestamp());
    const size_t count = index.time_count();
    index.finish();
    CHECK(index.time_count() == count);
}

TEST_CASE("the files' bytes give the index back, however large its base offset is") {
    for (const Offset base : {Offset{0}, Offset{1'000'000'000'000}}) {
        SegmentIndex index = hundred(base);
        index.finish();
        const auto read = SegmentIndex::from_bytes(index.offset_bytes(), index.time_bytes(), 100'000);
        CHECK(read.offset_bytes() == index.offset_bytes());
        CHECK(read.time_bytes() == index.time_bytes());
        CHECK(read.max_timestamp() == index.max_timestamp());
        CHECK(read.max_timestamp_offset() == index.max_timestamp_offset());
    }
}

TEST_CASE("a file's zeros, torn entries and entries behind the segment's end are left out") {
    const SegmentIndex index = hundred();
    auto offsets = index.offset_bytes();
    auto times = index.time_bytes();
    offsets.resize(offsets.size() + 803), times.resize(times.size() + 125);
    CHECK(SegmentIndex::from_bytes(offsets, times, 100'000).entry_count() == index.entry_count());
    CHECK(SegmentIndex::from_bytes(offsets, times, 100'000).time_count() == index.time_count());
    CHECK(SegmentIndex::from_bytes(offsets, times, 50'000).entry_count() == 9);
    offsets[8 * 5] = 0xff;  // The sixth entry's offset jumps, so that the seventh does not rise.
    CHECK(SegmentIndex::from_bytes(offsets, times, 100'000).entry_count() == 6);
}

TEST_CASE("an index that is cut and filled again is the one that was never cut") {
    const SegmentIndex whole = hundred();
    for (int from = 0; from < 100; from += 9) {
        SegmentIndex index = hundred();
        const auto floor = index.floor(static_cast<uint32_t>(from * 10));
        const int first = static_cast<int>(floor.position / 1'000);
        index.cut(floor.position, static_cast<uint32_t>(first * 10));
        for (int i = first; i < 100; i++)
            index.add(header(i * 10, 10, 1'000, 5'000 + i * 10 - (i % 3 ? 0 : 100)), Offset{0},
                      static_cast<uint64_t>(i) * 1'000, 4'096);
        CHECK(index.offset_bytes() == whole.offset_bytes());
        CHECK(index.max_timestamp() == whole.max_timestamp());
    }
}

}  // namespace millrace
