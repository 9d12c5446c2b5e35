// Idempotence: Kafka's rules for sequences and epochs, the window of five, the snapshot.
#include "producers.h"

#include <doctest/doctest.h>

namespace millrace {

namespace {

BatchHeader batch(int64_t producer, int16_t epoch, int32_t sequence, int64_t base, int32_t records = 1) {
    BatchHeader h;
    h.producer_id = ProducerId{producer}, h.producer_epoch = epoch, h.base_sequence = sequence;
    h.base = Offset{base}, h.last_delta = records - 1, h.max_timestamp = 1'000 + base;
    return h;
}

Error error_of(const Producers& producers, const BatchHeader& header) {
    const auto checked = producers.check(header);
    return checked ? Error::none : checked.error();
}

bool is_new(const Producers& producers, const BatchHeader& header) {
    const auto checked = producers.check(header);
    return checked.ok() && !checked->has_value();
}

constexpr size_t many = 1'000;

}  // namespace

TEST_CASE("a producer that nobody knows may begin with any sequence") {
    Producers producers;
    CHECK(is_new(producers, batch(7, 3, 0, 0)));
    CHECK(is_new(producers, batch(7, 3, 99, 0)));
}

TEST_CASE("the next sequence is taken, a gap or a step back is out of order") {
    Producers producers;
    producers.record(batch(7, 0, 10, 0, 5), 0, many);
    CHECK(is_new(producers, batch(7, 0, 15, 5)));
    CHECK(error_of(producers, batch(7, 0, 16, 5)) == Error::out_of_order_sequence_number);
    CHECK(error_of(producers, batch(7, 0, 12, 5)) == Error::out_of_order_sequence_number);
}

TEST_CASE("each of the last five batches is known again with its offsets, the sixth is not") {
    Producers producers;
    for (int i = 0; i < 8; i++) producers.record(batch(7, 0, i * 3, 100 + i * 3, 3), 0, many);
    for (int i = 3; i < 8; i++) {
        const auto checked = producers.check(batch(7, 0, i * 3, 900, 3));
        REQUIRE(checked.ok());
        REQUIRE(checked->has_value());
        CHECK((*checked)->last == Offset{100 + i * 3 + 2});
        CHECK((*checked)->delta == 2);
    }
    CHECK(error_of(producers, batch(7, 0, 6, 900, 3)) == Error::out_of_order_sequence_number);
    CHECK(error_of(producers, batch(7, 0, 21, 900, 2)) == Error::out_of_order_sequence_number);
}

TEST_CASE("sequences go on from 2147483647 with 0, inside a batch and between batches") {
    Producers producers;
    producers.record(batch(7, 0, INT32_MAX - 4, 0, 5), 0, many);  // Ends with the largest.
    CHECK(is_new(producers, batch(7, 0, 0, 5)));
    CHECK(error_of(producers, batch(7, 0, 1, 5)) == Error::out_of_order_sequence_number);
    Producers across;
    across.record(batch(7, 0, INT32_MAX - 1, 0, 5), 0, many);  // Ends with 2.
    CHECK(is_new(across, batch(7, 0, 3, 5)));
    const auto again = across.check(batch(7, 0, INT32_MAX - 1, 5, 5));
    REQUIRE(again.ok());
    CHECK(again->has_value());
}

TEST_CASE("an old epoch is refused, a new one begins with 0 and forgets the old batches") {
    Producers producers;
    producers.record(batch(7, 3, 0, 0), 0, many);
    CHECK(error_of(producers, batch(7, 2, 1, 1)) == Error::invalid_producer_epoch);
    CHECK(error_of(producers, batch(7, 2, 0, 1)) == Error::invalid_producer_epoch);
    CHECK(error_of(producers, batch(7, 4, 1, 1)) == Error::out_of_order_sequence_number);
    CHECK(is_new(producers, batch(7, 4, 0, 1)));
    producers.record(batch(7, 4, 0, 1), 0, many);
    CHECK(error_of(producers, batch(7, 3, 0, 2)) == Error::invalid_producer_epoch);
}

TEST_CASE("batches without a producer and control batches are nobody's") {
    Producers producers;
    BatchHeader control = batch(7, 0, -1, 0);
    control.attributes = 0x20;
    producers.record(batch(-1, -1, -1, 0), 0, many);
    producers.record(control, 0, many);
    CHECK(producers.size() == 0);
    CHECK(is_new(producers, batch(-1, -1, -1, 0)));
}

TEST_CASE("a producer that is silent for too long is forgotten, and the longest silent of too many") {
    Producers producers;
    producers.record(batch(1, 0, 0, 0), 100, many);
    producers.record(batch(2, 0, 0, 1), 200, many);
    producers.expire(300, 150);
    CHECK(producers.size() == 1);
    CHECK(is_new(producers, batch(1, 0, 50, 2)));
    producers.record(batch(3, 0, 0, 2), 300, 2);
    producers.record(batch(4, 0, 0, 3), 400, 2);
    CHECK(producers.size() == 2);
    CHECK(is_new(producers, batch(2, 0, 50, 4)));
    CHECK(error_of(producers, batch(3, 0, 50, 4)) == Error::out_of_order_sequence_number);
}

TEST_CASE("a batch that recovery reads twice is recorded once") {
    Producers producers;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3; i++) producers.record(batch(7, 0, i, i), 0, many);
    CHECK(is_new(producers, batch(7, 0, 3, 3)));
    CHECK(producers.check(batch(7, 0, 0, 9))->has_value());
}

TEST_CASE("a snapshot keeps the whole window of each producer") {
    Producers producers;
    for (int i = 0; i < 9; i++) {
        producers.record(batch(7, 2, i * 2, i * 4, 2), 1'000, many);
        producers.record(batch(8, 0, i, i * 4 + 2), 1'000, many);
    }
    const auto bytes = producers.to_snapshot();
    Producers read;
    REQUIRE(read.from_snapshot(bytes, 5'000));
    CHECK(read.size() == 2);
    CHECK(read.to_snapshot() == bytes);
    for (int i = 4; i < 9; i++) CHECK(read.check(batch(7, 2, i * 2, 99, 2))->has_value());
    CHECK(is_new(read, batch(7, 2, 18, 99)));
    CHECK(error_of(read, batch(7, 1, 18, 99)) == Error::invalid_producer_epoch);
}

TEST_CASE("a snapshot with any byte changed, or cut anywhere, is refused") {
    Producers producers;
    for (int i = 0; i < 3; i++) producers.record(batch(7, 2, i, i), 1'000, many);
    const auto bytes = producers.to_snapshot();
    for (size_t i = 0; i < bytes.size(); i++) {
        auto bad = bytes;
        bad[i] ^= 0x40;
        Producers read;
        CHECK_FALSE(read.from_snapshot(bad, 0));
        CHECK(read.size() == 0);
        CHECK_FALSE(read.from_snapshot(Bytes{bytes}.first(i), 0));
    }
}

TEST_CASE("silence is counted from a producer's last batch, whatever the clock says at a start") {
    Producers producers;
    producers.record(batch(7, 0, 0, 0), 1'000, many);
    Producers read;
    REQUIRE(read.from_snapshot(producers.to_snapshot(), 1'000'000));
    read.expire(1'000'000, 10'000);
    CHECK(read.size() == 0);
    REQUIRE(read.from_snapshot(producers.to_snapshot(), 500));  // The clock went back.
    read.expire(20'000, 10'000);
    CHECK(read.size() == 0);
}

}  // namespace millrace
