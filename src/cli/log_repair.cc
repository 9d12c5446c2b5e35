// `millrace log repair`.
#include <fmt/format.h>

#include "offline.h"

namespace millrace::cli {

namespace {

class RepairPrinter final : public RepairListener {
 public:
    RepairPrinter(Format format, bool dry_run)
        : format_(format), dry_run_(dry_run), objects_(format), findings_(Format::jsonl) {}

    void on_change(const Change& change) override { put(dry_run_ ? "would" : "will", change); }
    void on_made(const Change& change) override { put("done", change); }
    void on_left(const Finding& finding) override {
        if (format_ != Format::table) {
            JsonObject object;
            object.text("step", "left").text("file", finding.file).text("what", finding.what);
            return objects_.put(object.text("mend", finding.mend).done());
        }
        print(fmt::format("left    {}\n        {}\n        mend: {}\n", finding.file, finding.what,
                          finding.mend));
    }
    void on_progress(uint64_t bytes_read, std::string_view partition) override {
        findings_.on_progress(bytes_read, partition);
    }
    void finish() { objects_.finish(); }

 private:
    void put(std::string_view step, const Change& change) {
        if (format_ == Format::table)
            return print(fmt::format("{:<7} {}: {}\n", step, change.file, change.what));
        JsonObject object;
        object.text("step", step).text("file", change.file).text("what", change.what);
        if (change.first_lost >= 0)
            object.number("first_lost", change.first_lost).number("last_lost", change.last_lost);
        objects_.put(object.done());
    }

    const Format format_;
    const bool dry_run_;
    ObjectList objects_;
    FindingPrinter findings_;  // For how far it has come.
};

Task<int> repair(Io& io, const Arguments& arguments) {
    const bool dry_run = arguments.has("dry-run");
    const Format format = *offline_format(arguments);
    auto asking = verify_options(io, arguments);
    RepairOptions options{
        .verify = co_await asking, .dry_run = dry_run, .discard_damaged = arguments.has("discard-damaged")};
    RepairPrinter printer{format, dry_run};
    auto repairing = repair_directory(io, std::move(options), printer);
    const auto report = co_await repairing;
    if (!report) co_return fail_with("cannot repair " + arguments.words[0], report.error());
    printer.finish();
    if (format == Format::table)
        print(fmt::format("{} {}, {} left{}\n", report->changes, dry_run ? "to be made" : "made",
                          report->left,
                          report->offsets_lost > 0
                              ? fmt::format("; {} offsets {} given up", with_commas(report->offsets_lost),
                                            dry_run ? "to be" : "were")
                              : ""));
    co_return report->left > 0 || (dry_run && report->changes > 0) ? exit_failed : exit_ok;
}

// Types the directory again, or not.
bool confirms(const std::string& directory) {
    print_error("This gives up the damaged records in " + directory +
                " for good. Type the directory to go on: ");
    char line[4096];
    if (!std::fgets(line, sizeof line, stdin)) return false;
    std::string_view typed(line);
    if (typed.ends_with('\n')) typed.remove_suffix(1);
    return typed == directory;
}

}  // namespace

int run_log_repair(const Arguments& arguments) {
    if (!offline_format(arguments)) return bad_format("log repair", arguments);
    const bool gives_up = arguments.has("discard-damaged") && !arguments.has("dry-run");
    if (gives_up && !arguments.has("yes")) {
        if (!terminal_facts().stdin_is_terminal)
            return fail(exit_usage, "log repair: nobody is there to be asked", "--yes says that you mean it");
        if (!confirms(arguments.words[0])) return fail(exit_failed, "nothing was changed");
    }
    TakenDirectory taken = take_stopped_directory(arguments.words[0]);
    if (!taken.lock) return taken.code;
    return run_offline(LogLines::silent, [&arguments](Io& io) { return repair(io, arguments); });
}

}  // namespace millrace::cli
