// Counters, gauges and histograms of one shard, and their Prometheus text.
//
// A registry is written by its shard only; any shard may read it meanwhile (MetricsPage): values are relaxed
// atomics, a series never moves nor dies before its registry. Series are limited; those above share a hidden
// one.
#pragma once
#include <atomic>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "millrace/base.h"

namespace millrace {

// One writer: a plain load and store is enough, and costs no locked instruction.
class Counter {
 public:
    void add(uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<uint64_t> value_ = 0;
};

class Gauge {
 public:
    void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
    void add(int64_t n) { set(value() + n); }
    int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<int64_t> value_ = 0;
};

// Bounds are the powers of two from 2^power_first to 2^power_last (inclusive), and +Inf.
struct Buckets {
    int power_first;
    int power_last;
    double unit;  // What one means in the text: 1e-9 turns recorded nanoseconds into seconds.
};
inline constexpr Buckets latency_buckets{14, 34, 1e-9};  // 16 us .. 17 s, recorded in nanoseconds.
inline constexpr Buckets size_buckets{6, 24, 1};         // 64 B .. 16 MiB, recorded in bytes.

class HistogramMetric {
 public:
    void record(uint64_t value) {
        // ceil(log2(value)): bounds are inclusive.
        auto& count = counts_[value <= 1 ? 0 : 64 - __builtin_clzll(value - 1)];
        count.add(1);
        sum_.add(value);
    }
    uint64_t count_upto(int power) const { return counts_[power].value(); }  // In (2^(power-1), 2^power].
    uint64_t count() const;
    uint64_t sum() const { return sum_.value(); }

 private:
    std::array<Counter, 65> counts_;  // By power of two.
    Counter sum_;
};

// name="value"; values are escaped here. Names must be Prometheus names.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Register at start-up and keep the reference: looking up is not for the hot path.
class Metrics {
 public:
    static constexpr uint32_t series_max = 8192;

    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;

    // The series of that name and labels, made if it is new. The same name must always have the same kind.
    // `help` is one sentence. Names end in _total for counters, and in their unit (_seconds, _bytes).
    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    HistogramMetric& histogram(std::string_view name, std::string_view help, Buckets buckets,
                               Labels labels = {});

    // How many registrations found the registry full. Shown as millrace_metrics_refused_total.
    uint64_t refused() const { return refused_.value(); }
    uint32_t series_count() const { return published_.load(std::memory_order_acquire); }

 private:
    friend class MetricsPage;
    enum class Kind : uint8_t { counter, gauge, histogram };
    struct Description;
    struct Series;
    struct Chunk;
    static constexpr uint32_t chunk_size = 256;

    Series& find_or_make(Description wanted);
    const Series& series(uint32_t i) const;

    // Chunks never move; an entry is complete before `published_` says so, which is what readers trust.
    std::array<std::unique_ptr<Chunk>, series_max / chunk_size> chunks_;
    std::atomic<uint32_t> published_ = 0;
    std::map<std::string, uint32_t, std::less<>> index_;  // name + labels -> series; the writer's alone.
    std::unique_ptr<Series> hidden_;                      // Takes what is above the limit.
    Counter refused_;
};

// One scrape: merges the shards' registries (counters, gauges and histograms are summed) and values that are
// computed at that moment, and renders Prometheus text format 0.0.4.
class MetricsPage {
 public:
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    void add(const Metrics& metrics);
    void add_counter(std::string_view name, std::string_view help, double value, Labels labels = {});
    void add_gauge(std::string_view name, std::string_view help, double value, Labels labels = {});
    // Families in the order of their names, series in the order of their labels.
    std::string text() const;

 private:
    struct Distribution {
        Buckets buckets{};
        std::array<uint64_t, 65> counts{};
        uint64_t sum = 0;
    };
    struct Family {
        Metrics::Kind kind{};
        std::string help;
        std::map<std::string, double> values;  // By rendered labels.
        std::map<std::string, Distribution> distributions;
    };
    Family& family(std::string_view name, std::string_view help, Metrics::Kind kind);
    static void render(std::string& out, std::string_view name, const std::string& labels,
                       const Distribution& distribution);

    std::map<std::string, Family, std::less<>> families_;
};

std::string metrics_text(std::span<const Metrics* const> shards);

}  // namespace millrace
