// Metrics: series, the merged text, limits.
#include "millrace/metrics.h"

#include <doctest/doctest.h>

namespace millrace {
namespace {

bool has_line(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

TEST_CASE("shards are summed under one name") {
    Metrics first, second;
    for (Metrics* shard : {&first, &second}) {
        shard->counter("millrace_requests_total", "Requests answered.", {{"api", "Produce"}}).add(3);
        shard->gauge("millrace_connections", "Open connections.").set(-2);
    }
    first.counter("millrace_requests_total", "Requests answered.", {{"api", "Fetch"}}).add();
    const std::array<const Metrics*, 2> shards{&first, &second};
    const std::string text = metrics_text(shards);
    CHECK(has_line(text, "# HELP millrace_requests_total Requests answered."));
    CHECK(has_line(text, "# TYPE millrace_requests_total counter"));
    CHECK(has_line(text, "millrace_requests_total{api=\"Produce\"} 6"));
    CHECK(has_line(text, "millrace_requests_total{api=\"Fetch\"} 1"));
    CHECK(has_line(text, "# TYPE millrace_connections gauge"));
    CHECK(has_line(text, "millrace_connections -4"));
    CHECK(text.ends_with("\n"));
}

TEST_CASE("the same name and labels are the same series") {
    Metrics metrics;
    Counter& a = metrics.counter("x_total", "X.", {{"k", "1"}});
    Counter& b = metrics.counter("x_total", "X.", {{"k", "2"}});
    CHECK(&a != &b);
    CHECK(&a == &metrics.counter("x_total", "X.", {{"k", "1"}}));
    CHECK(metrics.series_count() == 2);
}

TEST_CASE("histograms have inclusive, cumulative buckets in seconds") {
    Metrics metrics;
    auto& histogram = metrics.histogram("latency_seconds", "Latency.", {10, 12, 1e-9}, {{"api", "Fetch"}});
    for (uint64_t value : {0, 1, 1024, 1025, 2048, 4096, 4097, 1'000'000}) histogram.record(value);
    CHECK(histogram.count() == 8);
    const std::array<const Metrics*, 1> shards{&metrics};
    const std::string text = metrics_text(shards);
    CHECK(has_line(text, "# TYPE latency_seconds histogram"));
    CHECK(has_line(text, "latency_seconds_bucket{api=\"Fetch\",le=\"1.024e-06\"} 3"));
    CHECK(has_line(text, "latency_seconds_bucket{api=\"Fetch\",le=\"2.048e-06\"} 5"));
    CHECK(has_line(text, "latency_seconds_bucket{api=\"Fetch\",le=\"4.096e-06\"} 6"));
    CHECK(has_line(text, "latency_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 8"));
    CHECK(has_line(text, "latency_seconds_count{api=\"Fetch\"} 8"));
    CHECK(text.find("latency_seconds_sum{api=\"Fetch\"} 0.00101229") != std::string::npos);
}

TEST_CASE("label values and help are escaped") {
    Metrics metrics;
    metrics.gauge("g", "Two\nlines \\.", {{"topic", "a\"b\\c\nd"}}).set(1);
    const std::array<const Metrics*, 1> shards{&metrics};
    const std::string text = metrics_text(shards);
    CHECK(has_line(text, R"(# HELP g Two\nlines \\.)"));
    CHECK(has_line(text, R"(g{topic="a\"b\\c\nd"} 1)"));
}

TEST_CASE("above its limit a registry counts what it refused, and shows nothing more") {
    Metrics metrics;
    for (uint32_t i = 0; i < Metrics::series_max; i++)
        metrics.counter("many_total", "Many.", {{"i", std::to_string(i)}}).add();
    CHECK(metrics.series_count() == Metrics::series_max);
    metrics.counter("many_total", "Many.", {{"i", "one more"}}).add();
    metrics.histogram("other_seconds", "Other.", latency_buckets).record(5);
    CHECK(metrics.series_count() == Metrics::series_max);
    CHECK(metrics.refused() == 2);
    const std::array<const Metrics*, 1> shards{&metrics};
    const std::string text = metrics_text(shards);
    CHECK(text.find("one more") == std::string::npos);
    CHECK(text.find("other_seconds") == std::string::npos);
    CHECK(has_line(text, "millrace_metrics_refused_total 2"));
    CHECK(has_line(text, "many_total{i=\"8191\"} 1"));
}

TEST_CASE("values that are known only at the scrape join the page") {
    MetricsPage page;
    page.add_gauge("kafka_consumergroup_lag", "Records behind.", 12,
                   {{"consumergroup", "g"}, {"topic", "t"}});
    page.add_gauge("disk_free_ratio", "Free.", 0.25);
    page.add_counter("cpu_seconds_total", "Busy.", 1.5);
    const std::string text = page.text();
    CHECK(has_line(text, "kafka_consumergroup_lag{consumergroup=\"g\",topic=\"t\"} 12"));
    CHECK(has_line(text, "disk_free_ratio 0.25"));
    CHECK(has_line(text, "cpu_seconds_total 1.5"));
}

}  // namespace
}  // namespace millrace
