// The course of a bench (warm-up, measurement, progress) and its result in words or JSON.
#include <fmt/format.h>

#include "bench.h"
#include "millrace/host.h"

namespace millrace::cli {

namespace {

constexpr uint64_t step_ns = ns_per_second / 10;

struct Percentile {
    const char* name;
    double percent;
};
constexpr Percentile percentiles[] = {
    {"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}};

double microseconds(uint64_t ns) { return static_cast<double>(ns) / 1000; }

std::string latency_json(const Histogram& latency) {
    JsonObject object;
    object.number("min", microseconds(latency.min())).number("mean", latency.mean() / 1000);
    for (const Percentile& p : percentiles)
        object.number(p.name, microseconds(latency.percentile(p.percent)));
    return object.number("max", microseconds(latency.max())).done();
}

std::string duration_text(uint64_t ns) {
    const double us = microseconds(ns);
    if (us < 1000) return fmt::format("{:.0f} us", us);
    if (us < 1e6) return fmt::format("{:.2f} ms", us / 1e3);
    return fmt::format("{:.2f} s", us / 1e6);
}

std::string latency_line(std::string_view name, const Histogram& latency) {
    std::string line = fmt::format("  {:<16}", name);
    for (const Percentile& p : percentiles)
        line += fmt::format("{} {}  ", p.name, duration_text(latency.percentile(p.percent)));
    return line + fmt::format("max {}\n", duration_text(latency.max()));
}

std::string settings_json(const BenchSettings& s) {
    JsonObject object;
    object.text("topic", s.topic);
    if (s.name != "e2e") object.number("connections", s.connections);
    if (s.name == "produce")
        object.number("in_flight", s.in_flight).number("batch_size", static_cast<int64_t>(s.batch_size));
    if (s.name != "consume")
        object.number("record_size", static_cast<int64_t>(s.record_size))
            .number("acks", int64_t{s.acks})
            .number("rate", s.rate);
    if (s.name == "consume") object.number("fetch_size", static_cast<int64_t>(s.fetch_size));
    return object.done();
}

std::string as_json(const BenchSettings& settings, const Measurement& m, const CourseResult& course,
                    const std::vector<Extra>& extras) {
    const auto per_second = [&](uint64_t count) { return static_cast<double>(count) / course.seconds; };
    JsonObject object;
    object.text("bench", settings.name)
        .raw("settings", settings_json(settings))
        .number("seconds", course.seconds)
        .number("requests", static_cast<int64_t>(m.requests))
        .number("records", static_cast<int64_t>(m.records))
        .number("bytes", static_cast<int64_t>(m.bytes))
        .number("errors", static_cast<int64_t>(m.errors))
        .number("requests_per_second", per_second(m.requests))
        .number("records_per_second", per_second(m.records))
        .number("bytes_per_second", per_second(m.bytes))
        .raw("latency_us", latency_json(m.latency));
    for (const Extra& extra : extras) object.raw(extra.name + "_us", latency_json(*extra.latency));
    object.raw("own_cpu", JsonObject{}
                              .number("user_seconds", course.user_seconds)
                              .number("system_seconds", course.system_seconds)
                              .done());
    return object.done() + "\n";
}

std::string as_text(const BenchSettings& settings, const Measurement& m, const CourseResult& course,
                    const std::vector<Extra>& extras) {
    const auto per_second = [&](uint64_t count) {
        return static_cast<uint64_t>(static_cast<double>(count) / course.seconds);
    };
    std::string text =
        fmt::format("bench {}: {:.1f} s, topic {}\n", settings.name, course.seconds, settings.topic);
    text += fmt::format("  {:<16}{} records/s  {} requests/s  {:.1f} MB/s\n", "throughput",
                        with_commas(per_second(m.records)), with_commas(per_second(m.requests)),
                        static_cast<double>(m.bytes) / course.seconds / 1e6);
    text += latency_line(settings.name == "e2e" ? "end to end" : "latency", m.latency);
    for (const Extra& extra : extras) text += latency_line(extra.name, *extra.latency);
    text += fmt::format("  {:<16}{:.0f} % of a core, {} errors\n", "load generator",
                        (course.user_seconds + course.system_seconds) / course.seconds * 100, m.errors);
    return text;
}

void show_progress(double done, uint64_t per_second) {
    constexpr int width = 30;
    const int filled = static_cast<int>(std::min(done, 1.0) * width);
    print_error(fmt::format("\r[{:#<{}}{:.<{}}] {:3.0f} %  {} records/s   ", "", filled, "", width - filled,
                            std::min(done, 1.0) * 100, with_commas(per_second)));
}

}  // namespace

Task<CourseResult> run_course(Session& session, const BenchSettings& settings, const Course& course) {
    const bool shows = terminal_facts().stderr_is_terminal;
    const auto ns_of = [](double seconds) { return static_cast<uint64_t>(seconds * 1e9); };
    const uint64_t warm = session.io.now_ns() + ns_of(settings.warm_up_seconds);
    while (session.io.now_ns() < warm && !session.interrupted() && !course.broken())
        co_await sleep_for(session.io, std::min(step_ns, warm - session.io.now_ns()));
    course.begin();
    const ProcessFacts before = process_facts();
    const uint64_t start = session.io.now_ns(), end = start + ns_of(settings.seconds);
    uint64_t last_count = 0;
    for (uint64_t step = 1; session.io.now_ns() < end && !session.interrupted() && !course.broken(); step++) {
        co_await sleep_for(session.io, std::min(step_ns, end - session.io.now_ns()));
        if (!shows || step < 10 || step % 5 != 0) continue;
        const uint64_t count = course.count();
        show_progress(static_cast<double>(session.io.now_ns() - start) / static_cast<double>(end - start),
                      (count - last_count) * 2);
        last_count = count;
    }
    if (shows) print_error("\r\x1b[K");
    const ProcessFacts after = process_facts();
    co_return CourseResult{.seconds = std::max(1e-9, static_cast<double>(session.io.now_ns() - start) / 1e9),
                           .user_seconds = after.user_seconds - before.user_seconds,
                           .system_seconds = after.system_seconds - before.system_seconds,
                           .interrupted = session.interrupted()};
}

int report_bench(Session& session, const BenchSettings& settings, const Measurement& measured,
                 const CourseResult& course, const std::vector<Extra>& extras) {
    const bool json = session.format == Format::json || session.format == Format::jsonl;
    print(json ? as_json(settings, measured, course, extras) : as_text(settings, measured, course, extras));
    if (course.interrupted) return exit_interrupted;
    if (measured.errors > 0) return fail_with("bench " + settings.name, measured.error);
    if (measured.requests == 0)
        return fail(exit_timed_out, "bench " + settings.name + ": the broker answered nothing");
    return exit_ok;
}

}  // namespace millrace::cli
