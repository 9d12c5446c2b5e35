// High dynamic range histogram: counts of numbers (nanoseconds, bytes) in log-linear buckets, each value kept
// to 3 significant decimal digits. For measurements in tools and tests; the broker's own are in metrics.h.
//
// Belongs to one thread; merge() several.
#pragma once
#include <vector>

#include "millrace/base.h"

namespace millrace {

class Histogram {
 public:
    static constexpr uint64_t hour_ns = 3'600'000'000'000;

    // Values above `highest` are counted as `highest`.
    explicit Histogram(uint64_t highest = hour_ns);

    void record(uint64_t value, uint64_t count = 1);
    // For a closed loop that should have sent every `interval`: a value longer than that hid requests that
    // would have waited value - interval, value - 2 * interval, ...: they are counted too (coordinated
    // omission).
    void record_corrected(uint64_t value, uint64_t interval);
    // Adds the other's counts. Both must have the same `highest`.
    void merge(const Histogram& other);
    void reset();

    uint64_t count() const { return total_; }
    uint64_t min() const { return total_ ? min_ : 0; }  // Exact.
    uint64_t max() const { return max_; }               // Exact.
    double mean() const;
    double standard_deviation() const;
    // The largest value that is equivalent to the one at that percentile (0..100); 0 when empty.
    uint64_t percentile(double percent) const;
    // How many were recorded in value's bucket.
    uint64_t count_at(uint64_t value) const { return counts_[index_of(std::min(value, highest_))]; }

    // Calls f(highest value of the bucket, count) for every bucket that is not empty, ascending.
    template <class F> void for_each(F f) const {
        for (size_t i = 0; i < counts_.size(); i++)
            if (counts_[i]) f(last_of(i), counts_[i]);
    }

 private:
    // 2048 buckets of width 1, then 1024 per doubling: relative width at most 1/1024.
    static constexpr int sub_bits = 11;
    static size_t index_of(uint64_t value);
    static uint64_t first_of(size_t index);
    static uint64_t last_of(size_t index) { return first_of(index + 1) - 1; }

    uint64_t highest_;
    std::vector<uint64_t> counts_;
    uint64_t total_ = 0;
    uint64_t min_ = UINT64_MAX;
    uint64_t max_ = 0;
};

}  // namespace millrace
