// `millrace log import`.
#include <fmt/format.h>

#include "millrace/import.h"
#include "offline.h"

namespace millrace::cli {

namespace {

class ImportPrinter final : public ImportListener {
 public:
    ImportPrinter(Format format, bool dry_run) : format_(format), dry_run_(dry_run), objects_(format) {}

    void on_topic(const ImportedTopic& topic) override {
        if (format_ != Format::table) return objects_.put(json_of(topic));
        if (!topic.refused.empty()) return print(fmt::format("refused  {}: {}\n", topic.name, topic.refused));
        if (dry_run_)
            return print(fmt::format("would take {} ({} partitions)\n", topic.name, topic.partitions));
        print(fmt::format("taken    {}: {} partitions, {} segments, {} records, {}\n", topic.name,
                          topic.partitions, topic.segments, with_commas(topic.records),
                          size_text(topic.bytes)));
    }
    void on_note(const std::string& topic, const std::string& note) override {
        if (format_ == Format::table)
            return print(fmt::format("note     {}{}\n", topic.empty() ? "" : topic + ": ", note));
        JsonObject object;
        if (!topic.empty()) object.text("topic", topic);
        objects_.put(object.text("note", note).done());
    }
    void finish() { objects_.finish(); }

 private:
    static std::string json_of(const ImportedTopic& topic) {
        JsonObject object;
        object.text("topic", topic.name).number("partitions", int64_t{topic.partitions});
        if (!topic.refused.empty()) return object.text("refused", topic.refused).done();
        object.number("segments", static_cast<int64_t>(topic.segments));
        object.number("records", static_cast<int64_t>(topic.records));
        return object.number("bytes", static_cast<int64_t>(topic.bytes)).done();
    }

    const Format format_;
    const bool dry_run_;
    ObjectList objects_;
};

int explain(const ImportOptions& options, Error error) {
    switch (error) {
        case Error::resource_not_found:
            return fail(exit_not_found, "there is no directory " + options.from,
                        "give one of Kafka's log.dirs");
        case Error::invalid_request:
            return fail(exit_failed,
                        options.from + " is no log directory of Kafka's: it has no meta.properties",
                        "give one of Kafka's log.dirs, not the directory of a partition");
        case Error::broker_not_available:
            return fail(
                exit_failed, "Kafka runs on " + options.from + ", or was not stopped cleanly",
                "stop it with SIGTERM; if it crashed for good, --unclean leaves out what follows the last "
                "sound batch of each partition");
        case Error::unknown_topic_or_partition:
            return fail(exit_not_found, "not every topic that was asked for is in " + options.from,
                        "`ls` shows its partitions: TOPIC-NUMBER");
        case Error::corrupt_message:
        case Error::unsupported_version:
            return fail(exit_failed,
                        "a metadata log cannot be read, in " + options.from + " or " + options.data,
                        "`millrace log verify` and `millrace log dump` show where");
        default:
            return fail_with("cannot import into " + options.data, error,
                             "a device refuses or is full; the log above says which");
    }
}

Task<int> import(Io& io, const ImportOptions& options, Format format) {
    ImportPrinter printer{format, options.dry_run};
    auto importing = import_kafka(io, options, printer);
    const auto report = co_await importing;
    if (!report) co_return explain(options, report.error());
    printer.finish();
    if (report->topics.empty()) co_return fail(exit_not_found, "there are no topics in " + options.from);
    if (report->refused() == 0) co_return exit_ok;
    co_return report->refused() == report->topics.size() ? exit_failed : exit_partly_done;
}

}  // namespace

int run_log_import(const Arguments& arguments) {
    if (!offline_format(arguments)) return bad_format("log import", arguments);
    ImportOptions options{.from = arguments.words[0],
                          .metadata = arguments.text("metadata").value_or(""),
                          .data = arguments.text("data").value_or(""),
                          .topics = arguments.all("topic"),
                          .node = NodeId{static_cast<int32_t>(arguments.number("node-id", 1))},
                          .settings = {},
                          .unclean = arguments.has("unclean"),
                          .missing_empty = arguments.has("missing-empty"),
                          .takes_aborted = arguments.has("aborted-too"),
                          .dry_run = arguments.has("dry-run")};
    if (options.data.empty()) return fail(exit_usage, "log import: where to?", "--data DIR says that");
    if (const auto file = arguments.text("config")) {
        const FileText read = read_small_file(*file);
        if (read.error != 0) return fail(exit_usage, "cannot read " + *file + ": " + errno_text(read.error));
        for (const Property& property : parse_properties(read.text))
            options.settings[property.name] = property.value;
    }
    TakenDirectory taken;
    if (!options.dry_run) {
        if (const int error = make_directories(options.data); error < 0)
            return fail(exit_failed, "cannot make " + options.data + ": " + errno_text(error));
        taken = take_stopped_directory(options.data);
        if (!taken.lock) return taken.code;
    }
    const Format format = *offline_format(arguments);
    return run_offline(LogLines::warnings, [&](Io& io) { return import(io, options, format); });
}

}  // namespace millrace::cli
