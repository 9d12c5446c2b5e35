// The histogram: accuracy, percentiles, coordinated omission, merging.
#include "millrace/histogram.h"

#include <cmath>

#include <doctest/doctest.h>

namespace millrace {
namespace {

// Within three significant digits.
bool is_near(uint64_t a, uint64_t b) {
    return std::abs(static_cast<double>(a) - static_cast<double>(b)) <= static_cast<double>(b) / 1000;
}

TEST_CASE("small values are exact, large ones keep three digits") {
    for (uint64_t value : {0ull, 1ull, 2047ull, 2048ull, 4095ull, 4097ull, 1'000'000ull, 123'456'789ull,
                           3'600'000'000'000ull}) {
        CAPTURE(value);
        Histogram histogram;
        histogram.record(value);
        CHECK(histogram.percentile(50) == value);  // Never above the exact maximum.
        histogram.record(Histogram::hour_ns);
        CHECK(is_near(histogram.percentile(50), value));
        if (value < 2048) CHECK(histogram.percentile(50) == value);
        CHECK(histogram.min() == value);
    }
}

TEST_CASE("percentiles of 1..100000 are what they must be") {
    Histogram histogram;
    for (uint64_t i = 1; i <= 100'000; i++) histogram.record(i);
    CHECK(histogram.count() == 100'000);
    CHECK(is_near(histogram.percentile(50), 50'000));
    CHECK(is_near(histogram.percentile(90), 90'000));
    CHECK(is_near(histogram.percentile(99.9), 99'900));
    CHECK(histogram.percentile(100) == 100'000);
    CHECK(histogram.percentile(0) == 1);
    CHECK(histogram.max() == 100'000);
    CHECK(histogram.mean() == doctest::Approx(50'000.5).epsilon(0.001));
    CHECK(histogram.standard_deviation() == doctest::Approx(28'867.5).epsilon(0.001));
}

TEST_CASE("an empty histogram answers zero") {
    const Histogram histogram;
    CHECK(histogram.count() == 0);
    CHECK(histogram.min() == 0);
    CHECK(histogram.max() == 0);
    CHECK(histogram.percentile(99) == 0);
    CHECK(histogram.mean() == 0);
}

// The example of the HdrHistogram documentation: 100 s at 1 ms each, then one stall of 100 s.
TEST_CASE("a stall counts for everyone who would have waited") {
    constexpr uint64_t ms = 1'000'000, interval = 10 * ms, stall = 100'000 * ms;
    Histogram raw, corrected;
    for (int i = 0; i < 10'000; i++) {
        raw.record(1 * ms);
        corrected.record_corrected(1 * ms, interval);
    }
    raw.record(stall);
    corrected.record_corrected(stall, interval);
    CHECK(is_near(raw.percentile(99.99), 1 * ms));
    CHECK(raw.count() == 10'001);
    CHECK(corrected.count() == 20'000);
    CHECK(is_near(corrected.percentile(50), 1 * ms));
    CHECK(is_near(corrected.percentile(75), 50'000 * ms));
    CHECK(is_near(corrected.percentile(99), 98'000 * ms));
    CHECK(corrected.max() == stall);
}

TEST_CASE("merging is the same as recording in one") {
    Histogram one, two, both;
    for (uint64_t i = 0; i < 5000; i++) {
        (i % 3 ? one : two).record(i * i, 2);
        both.record(i * i, 2);
    }
    one.merge(two);
    CHECK(one.count() == both.count());
    CHECK(one.min() == both.min());
    CHECK(one.max() == both.max());
    for (double p : {1.0, 25.0, 50.0, 75.0, 99.0, 99.99}) CHECK(one.percentile(p) == both.percentile(p));
    one.reset();
    CHECK(one.count() == 0);
    CHECK(one.percentile(50) == 0);
}

TEST_CASE("values above the highest are counted as the highest") {
    Histogram histogram(1000);
    histogram.record(5000);
    histogram.record(UINT64_MAX, 2);
    CHECK(histogram.count() == 3);
    CHECK(histogram.max() == 1000);
    CHECK(histogram.count_at(1'000'000) == 3);
}

TEST_CASE("buckets follow one another without gap or overlap") {
    constexpr uint64_t highest = (1 << 20) - 1;
    Histogram histogram(highest);
    for (uint64_t i = 0; i <= highest; i++) histogram.record(i);
    uint64_t seen = 0, last = 0;
    histogram.for_each([&](uint64_t value, uint64_t count) {
        CHECK((seen == 0 || value == last + count));
        last = value, seen += count;
    });
    CHECK(seen == histogram.count());
}

}  // namespace
}  // namespace millrace
