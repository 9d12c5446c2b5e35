// What commands on a stopped directory share.
#include "offline.h"

#include <cerrno>

#include <fmt/format.h>

#include "millrace/topic_scan.h"

namespace millrace::cli {

namespace {

class SilentSink final : public LogSink {
 public:
    int64_t wall_ms() const override { return wall_clock_ms(); }
    void write(Level, std::string_view) override {}
};

}  // namespace

int run_offline(LogLines lines, const std::function<Task<int>(Io&)>& work) {
    if (const auto reason = check_host()) return fail(exit_failed, *reason);
    raise_file_limit();
    StreamLogSink stream;
    SilentSink silent;
    LogSink* sink = &stream;
    if (lines == LogLines::silent) sink = &silent;
    const int code = run_alone({.log_sink = sink, .log_level = Level::warn}, work);
    return code < 0 ? static_cast<int>(exit_failed) : code;
}

TakenDirectory take_stopped_directory(const std::string& directory) {
    int error = 0;
    TakenDirectory taken{.lock = DirectoryLock::take(directory, error)};
    if (taken.lock) return taken;
    if (error == -ENOENT || error == -ENOTDIR)
        taken.code = fail(exit_not_found, "there is no directory " + directory, "give a broker's log.dirs");
    else if (error == -EWOULDBLOCK)
        taken.code = fail(exit_failed, "a broker is running on " + directory,
                          "stop it first: its files change while they are read");
    else
        taken.code = fail(exit_failed, "cannot lock " + directory + ": " + errno_text(error),
                          "run as the user that the broker runs as");
    return taken;
}

std::optional<Format> offline_format(const Arguments& arguments) {
    const auto format = format_of(arguments);
    if (!format || *format == Format::csv || *format == Format::name) return {};
    return format;
}

int bad_format(std::string_view command, const Arguments& arguments) {
    return fail(
        exit_usage,
        fmt::format("{}: there is no output format '{}'", command, arguments.text("output").value_or("")),
        "-o takes table, json or jsonl");
}

// Where the metadata cannot be read, gaps are taken for the work of compaction.
Task<VerifyOptions> verify_options(Io& io, const Arguments& arguments) {
    VerifyOptions options{.directory = arguments.words[0], .topic = arguments.text("topic"), .partition = {}};
    if (arguments.has("partition"))
        options.partition = static_cast<int32_t>(arguments.number("partition", 0));
    auto topics = co_await scan_topics(io, options.directory + "/__cluster_metadata-0");
    options.is_compacted = [topics = std::move(topics)](std::string_view name) {
        if (!topics) return true;
        const auto topic = topics->find(name);
        if (topic == topics->end()) return false;
        const auto policy = topic->second.configs.find("cleanup.policy");
        return policy != topic->second.configs.end() && policy->second.find("compact") != std::string::npos;
    };
    co_return options;
}

std::string size_text(uint64_t bytes) {
    constexpr std::string_view units[] = {"bytes", "KB", "MB", "GB", "TB"};
    auto value = static_cast<double>(bytes);
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < std::size(units)) value /= 1000, unit++;
    return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

void ObjectList::put(const std::string& object) {
    if (format_ == Format::jsonl) return print(object + "\n");
    print((any_ ? ",\n  " : "[\n  ") + object);
    any_ = true;
}

void ObjectList::finish() {
    if (format_ == Format::json) print(any_ ? "\n]\n" : "[]\n");
}

// ---- Findings ------------------------------------------------------------------------------------------

namespace {

std::string json_of(const Finding& finding) {
    JsonObject object;
    object.text("severity", severity_name(finding.severity)).text("file", finding.file);
    const auto number = [&](std::string_view name, int64_t value) {
        if (value >= 0) object.number(name, value);
    };
    number("position", finding.position), number("bytes", finding.bytes);
    number("first_offset", finding.first_offset), number("last_offset", finding.last_offset);
    object.text("what", finding.what);
    if (!finding.mend.empty()) object.text("mend", finding.mend);
    return object.done();
}

std::string text_of(const Finding& finding) {
    std::string text = fmt::format("{:<8}{}", severity_name(finding.severity), finding.file);
    if (finding.position >= 0) text += fmt::format(" at {}", finding.position);
    if (finding.bytes >= 0) text += fmt::format(", {} bytes", finding.bytes);
    if (finding.first_offset >= 0 && finding.last_offset > finding.first_offset)
        text += fmt::format(", offsets {} to {}", finding.first_offset, finding.last_offset);
    else if (finding.first_offset >= 0)
        text += fmt::format(", offset {}{}", finding.first_offset, finding.last_offset < 0 ? " and on" : "");
    text += "\n        " + finding.what + "\n";
    if (!finding.mend.empty()) text += "        mend: " + finding.mend + "\n";
    return text;
}

}  // namespace

void FindingPrinter::on_finding(const Finding& finding) {
    clear_progress();
    switch (format_) {
        case Format::json: print((any_ ? ",\n    " : "{\"findings\": [\n    ") + json_of(finding)); break;
        case Format::jsonl: print(json_of(finding) + "\n"); break;
        default: print(text_of(finding));
    }
    any_ = true;
}

void FindingPrinter::on_progress(uint64_t bytes_read, std::string_view partition) {
    constexpr int64_t quiet_ms = 1000, each_ms = 200;
    const int64_t now = wall_clock_ms();
    if (!terminal_facts().stderr_is_terminal || now - began_ms_ < quiet_ms || now - said_ms_ < each_ms)
        return;
    said_ms_ = now, has_line_ = true;
    const auto rate =
        static_cast<uint64_t>(static_cast<double>(bytes_read) * 1000 / static_cast<double>(now - began_ms_));
    print_error(fmt::format("\r\x1b[K{} read, {}/s: {}", size_text(bytes_read), size_text(rate), partition));
}

void FindingPrinter::clear_progress() {
    if (std::exchange(has_line_, false)) print_error("\r\x1b[K");
}

void FindingPrinter::finish(const VerifyReport& report) {
    clear_progress();
    JsonObject summary;
    const auto number = [&](std::string_view name, uint64_t value) {
        summary.number(name, static_cast<int64_t>(value));
    };
    number("partitions", report.partitions), number("segments", report.segments);
    number("batches", report.batches), number("records", report.records), number("bytes", report.bytes);
    number("damage", report.damage), number("derived", report.derived), number("notes", report.notes);
    if (format_ == Format::json)
        return print((any_ ? "\n  ],\n  " : "{\"findings\": [],\n  ") + ("\"summary\": " + summary.done()) +
                     "}\n");
    if (format_ == Format::jsonl) return print("{\"summary\": " + summary.done() + "}\n");
    print(fmt::format("{} partitions, {} segments, {} batches, {} records, {}: {}\n",
                      with_commas(report.partitions), with_commas(report.segments),
                      with_commas(report.batches), with_commas(report.records), size_text(report.bytes),
                      report.is_clean()
                          ? "without fault"
                          : fmt::format("{} damaged, {} to be made anew", report.damage, report.derived)));
}

}  // namespace millrace::cli
