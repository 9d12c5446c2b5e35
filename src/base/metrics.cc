// Registration of series and the Prometheus text. A series is filled in before `published_` counts it.
#include "millrace/metrics.h"

#include <cmath>

#include <fmt/format.h>

namespace millrace {

struct Metrics::Description {
    Kind kind{};
    std::string name;
    std::string help;
    std::string labels;  // Rendered: a="b",c="d"
    Buckets buckets{};
};

struct Metrics::Series {
    Description description;
    Counter counter;
    Gauge gauge;
    std::unique_ptr<HistogramMetric> histogram;
};

struct Metrics::Chunk {
    std::array<Series, chunk_size> series;
};

namespace {

std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else {
            if (c == '\\' || (quotes && c == '"')) out += '\\';
            out += c;
        }
    }
    return out;
}

std::string render_labels(Labels labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
        if (!out.empty()) out += ',';
        out += fmt::format("{}=\"{}\"", name, escaped(value, true));
    }
    return out;
}

bool is_metric_name(std::string_view name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    };
    if (name.empty() || !letter(name[0])) return false;
    return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
    out += name;
    if (!labels.empty()) out += fmt::format("{{{}}}", labels);
    if (std::abs(value) < 9e15 && value == std::floor(value))
        out += fmt::format(" {}\n", static_cast<int64_t>(value));
    else
        out += fmt::format(" {}\n", value);
}

}  // namespace

uint64_t HistogramMetric::count() const {
    uint64_t sum = 0;
    for (const auto& count : counts_) sum += count.value();
    return sum;
}

Metrics::Metrics() : hidden_(std::make_unique<Series>()) {
    hidden_->histogram = std::make_unique<HistogramMetric>();
}

Metrics::~Metrics() = default;

const Metrics::Series& Metrics::series(uint32_t i) const {
    ASSERT(i < series_max);
    return chunks_[i / chunk_size]->series[i % chunk_size];
}

Metrics::Series& Metrics::find_or_make(Description wanted) {
    ASSERT(is_metric_name(wanted.name));
    std::string key = fmt::format("{}{{{}}}", wanted.name, wanted.labels);
    if (auto found = index_.find(key); found != index_.end()) {
        Series& old = chunks_[found->second / chunk_size]->series[found->second % chunk_size];
        ASSERT(old.description.kind == wanted.kind);
        return old;
    }
    const uint32_t next = published_.load(std::memory_order_relaxed);
    if (next == series_max) {
        refused_.add();
        return *hidden_;
    }
    auto& chunk = chunks_[next / chunk_size];
    if (!chunk) chunk = std::make_unique<Chunk>();
    Series& made = chunk->series[next % chunk_size];
    if (wanted.kind == Kind::histogram) made.histogram = std::make_unique<HistogramMetric>();
    made.description = std::move(wanted);
    index_.emplace(std::move(key), next);
    published_.store(next + 1, std::memory_order_release);
    return made;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
    return find_or_make({Kind::counter, std::string(name), std::string(help), render_labels(labels), {}})
        .counter;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
    return find_or_make({Kind::gauge, std::string(name), std::string(help), render_labels(labels), {}}).gauge;
}

HistogramMetric& Metrics::histogram(std::string_view name, std::string_view help, Buckets buckets,
                                    Labels labels) {
    ASSERT(0 <= buckets.power_first && buckets.power_first <= buckets.power_last && buckets.power_last < 64);
    return *find_or_make(
                {Kind::histogram, std::string(name), std::string(help), render_labels(labels), buckets})
                .histogram;
}

MetricsPage::Family& MetricsPage::family(std::string_view name, std::string_view help, Metrics::Kind kind) {
    auto found = families_.find(name);
    if (found == families_.end()) {
        ASSERT(is_metric_name(name));
        found = families_.emplace(std::string(name), Family{kind, std::string(help), {}, {}}).first;
    }
    ASSERT(found->second.kind == kind);
    return found->second;
}

void MetricsPage::add(const Metrics& metrics) {
    const uint32_t count = metrics.series_count();
    for (uint32_t i = 0; i < count; i++) {
        const auto& series = metrics.series(i);
        const auto& about = series.description;
        Family& into = family(about.name, about.help, about.kind);
        if (about.kind == Metrics::Kind::histogram) {
            Distribution& sum = into.distributions[about.labels];
            sum.buckets = about.buckets;
            for (int power = 0; power <= 64; power++)
                sum.counts[power] += series.histogram->count_upto(power);
            sum.sum += series.histogram->sum();
        } else {
            const bool is_counter = about.kind == Metrics::Kind::counter;
            into.values[about.labels] += is_counter ? static_cast<double>(series.counter.value())
                                                    : static_cast<double>(series.gauge.value());
        }
    }
    add_counter("millrace_metrics_refused_total", "Series that found the registry full.",
                static_cast<double>(metrics.refused()));
}

void MetricsPage::add_counter(std::string_view name, std::string_view help, double value, Labels labels) {
    family(name, help, Metrics::Kind::counter).values[render_labels(labels)] += value;
}

void MetricsPage::add_gauge(std::string_view name, std::string_view help, double value, Labels labels) {
    family(name, help, Metrics::Kind::gauge).values[render_labels(labels)] += value;
}

void MetricsPage::render(std::string& out, std::string_view name, const std::string& labels,
                         const Distribution& distribution) {
    const auto& [first, last, unit] = distribution.buckets;
    const std::string comma = labels.empty() ? "" : labels + ",";
    const std::string bucket = fmt::format("{}_bucket", name);
    uint64_t seen = 0;
    for (int power = 0; power <= 64; power++) {
        seen += distribution.counts[power];
        if (power < first || power > last) continue;
        const double bound = std::ldexp(unit, power);
        append_sample(out, bucket, fmt::format("{}le=\"{:.6g}\"", comma, bound), static_cast<double>(seen));
    }
    append_sample(out, bucket, comma + "le=\"+Inf\"", static_cast<double>(seen));
    append_sample(out, fmt::format("{}_sum", name), labels, static_cast<double>(distribution.sum) * unit);
    append_sample(out, fmt::format("{}_count", name), labels, static_cast<double>(seen));
}

std::string MetricsPage::text() const {
    static constexpr std::string_view kinds[] = {"counter", "gauge", "histogram"};
    std::string out;
    for (const auto& [name, family] : families_) {
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name,
                           kinds[static_cast<int>(family.kind)]);
        for (const auto& [labels, value] : family.values) append_sample(out, name, labels, value);
        for (const auto& [labels, distribution] : family.distributions)
            render(out, name, labels, distribution);
    }
    return out;
}

std::string metrics_text(std::span<const Metrics* const> shards) {
    MetricsPage page;
    for (const Metrics* metrics : shards) page.add(*metrics);
    return page.text();
}

}  // namespace millrace
