// `millrace log verify`.
#include "offline.h"

namespace millrace::cli {

namespace {

Task<int> verify(Io& io, const Arguments& arguments) {
    auto asking = verify_options(io, arguments);
    VerifyOptions options = co_await asking;
    FindingPrinter printer{*offline_format(arguments)};
    const std::string directory = options.directory;
    auto verifying = verify_directory(io, std::move(options), printer);
    const auto report = co_await verifying;
    if (!report) co_return fail_with("cannot check " + directory, report.error());
    printer.finish(*report);
    if (report->partitions == 0 && arguments.has("topic"))
        co_return fail(exit_not_found,
                       "there is no partition of " + *arguments.text("topic") + " in " + directory);
    co_return report->is_clean() ? exit_ok : exit_failed;
}

}  // namespace

int run_log_verify(const Arguments& arguments) {
    if (!offline_format(arguments)) return bad_format("log verify", arguments);
    if (arguments.has("partition") && !arguments.has("topic"))
        return fail(exit_usage, "log verify: --partition is of a topic", "say which, with --topic");
    TakenDirectory taken = take_stopped_directory(arguments.words[0]);
    if (!taken.lock) return taken.code;
    return run_offline(LogLines::silent, [&arguments](Io& io) { return verify(io, arguments); });
}

}  // namespace millrace::cli
