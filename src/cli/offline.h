// Commands that work on the files of a stopped broker: one shard of their own, and the directory's lock.
#pragma once
#include <functional>
#include <memory>

#include "command.h"
#include "millrace/host.h"
#include "millrace/log_tools.h"
#include "output.h"

namespace millrace::cli {

// Runs it on a ring; the exit code. Silent: what the log would say, the command says itself.
enum class LogLines : uint8_t { silent, warnings };
int run_offline(LogLines lines, const std::function<Task<int>(Io&)>& work);

// Takes the lock that a running broker holds; the exit code when that fails.
struct TakenDirectory {
    std::unique_ptr<DirectoryLock> lock;
    int code = exit_ok;
};
TakenDirectory take_stopped_directory(const std::string& directory);

// The format, where it is one of table, json and jsonl.
std::optional<Format> offline_format(const Arguments& arguments);
int bad_format(std::string_view command, const Arguments& arguments);

// What --topic, --partition and the directory say, and which topics its metadata says are compacted.
Task<VerifyOptions> verify_options(Io& io, const Arguments& arguments);

// JSON objects on stdout: a line each, or as one array.
class ObjectList {
 public:
    explicit ObjectList(Format format) : format_(format) {}
    void put(const std::string& object);
    void finish();

 private:
    const Format format_;
    bool any_ = false;
};

// Findings as text or JSON on stdout; how far it has come on stderr, if that is a terminal and it takes long.
class FindingPrinter final : public FindingListener {
 public:
    explicit FindingPrinter(Format format) : format_(format) {}
    void on_finding(const Finding& finding) override;
    void on_progress(uint64_t bytes_read, std::string_view partition) override;
    // What was looked at and what came of it.
    void finish(const VerifyReport& report);

 private:
    void clear_progress();
    const Format format_;
    const int64_t began_ms_ = wall_clock_ms();
    int64_t said_ms_ = 0;
    bool any_ = false, has_line_ = false;
};

std::string size_text(uint64_t bytes);  // "12.3 MB"

}  // namespace millrace::cli
