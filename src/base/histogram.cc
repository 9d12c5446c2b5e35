// Log-linear buckets: exact below 2^sub_bits, then half as many buckets as that for every doubling.
#include "millrace/histogram.h"

#include <cmath>

namespace millrace {

size_t Histogram::index_of(uint64_t value) {
    if (value < (1u << sub_bits)) return value;
    const int shift = 64 - __builtin_clzll(value) - sub_bits;  // At least 1.
    return (static_cast<size_t>(shift) << (sub_bits - 1)) + (value >> shift);
}

uint64_t Histogram::first_of(size_t index) {
    if (index < (1u << sub_bits)) return index;
    const size_t half = size_t{1} << (sub_bits - 1);
    const size_t shift = index / half - 1;
    return (index - shift * half) << shift;
}

Histogram::Histogram(uint64_t highest) : highest_(highest), counts_(index_of(highest) + 1) {
    ASSERT(highest > 0);
}

void Histogram::record(uint64_t value, uint64_t count) {
    if (count == 0) return;
    value = std::min(value, highest_);
    counts_[index_of(value)] += count;
    total_ += count;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
}

void Histogram::record_corrected(uint64_t value, uint64_t interval) {
    record(value);
    if (interval == 0) return;
    value = std::min(value, highest_);
    while (value >= 2 * interval) {
        value -= interval;
        record(value);
    }
}

void Histogram::merge(const Histogram& other) {
    ASSERT(highest_ == other.highest_);
    for (size_t i = 0; i < counts_.size(); i++) counts_[i] += other.counts_[i];
    total_ += other.total_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

void Histogram::reset() { *this = Histogram(highest_); }

double Histogram::mean() const {
    double sum = 0;
    for (size_t i = 0; i < counts_.size(); i++) {
        if (!counts_[i]) continue;
        const auto middle = static_cast<double>(first_of(i) + last_of(i)) / 2;
        sum += middle * static_cast<double>(counts_[i]);
    }
    return total_ ? sum / static_cast<double>(total_) : 0;
}

double Histogram::standard_deviation() const {
    const double center = mean();
    double sum = 0;
    for (size_t i = 0; i < counts_.size(); i++) {
        if (!counts_[i]) continue;
        const double distance = static_cast<double>(first_of(i) + last_of(i)) / 2 - center;
        sum += distance * distance * static_cast<double>(counts_[i]);
    }
    return total_ ? std::sqrt(sum / static_cast<double>(total_)) : 0;
}

uint64_t Histogram::percentile(double percent) const {
    const double share = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(total_);
    const uint64_t wanted = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share - 1e-9)));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); i++) {
        seen += counts_[i];
        if (seen >= wanted) return std::min(last_of(i), max_);
    }
    return 0;
}

}  // namespace millrace
