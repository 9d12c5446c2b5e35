// The machine under the broker: shard threads that turn on real rings, signals, the log on stderr, and plain
// facts about the process. Only main, the command line and benches use it; all else stands on io.h.
//
// Every function may be called before any shard runs, and from any thread unless it says otherwise.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base.h"
#include "millrace/io.h"
#include "millrace/log_line.h"
#include "millrace/task.h"

namespace millrace {

// ---- Whether it can run here ---------------------------------------------------------------------------

// Nothing when io_uring can be used; else one line that says why not and how to mend it.
std::optional<std::string> check_host();

// ---- Log -----------------------------------------------------------------------------------------------

// Lines to a file descriptor (stderr). A thread of its own writes, so that a slow reader never holds up a
// shard: at most `lines_max` wait, the others are dropped and counted in a line that says so.
// Any thread may write; destroying it writes out what waits.
class StreamLogSink final : public LogSink {
 public:
    static constexpr size_t lines_max = 8192;

    explicit StreamLogSink(int fd = 2);
    StreamLogSink(const StreamLogSink&) = delete;
    ~StreamLogSink();
    int64_t wall_ms() const override;
    void write(Level level, std::string_view line) override;
    uint64_t dropped() const;

 private:
    struct Writer;
    std::unique_ptr<Writer> writer_;
};

// ---- Shards --------------------------------------------------------------------------------------------

struct HostOptions {
    uint16_t shards = 0;  // 0: cpu_count().
    bool pin = true;  // Shard i to the i-th CPU that we may use; not when there are more shards than CPUs.
    // How long an idle shard looks around in user memory before it sleeps in the kernel; it stops by itself
    // where that does not pay. 0: never; nor with less than one CPU for each shard.
    uint64_t spin_ns = 30'000;
    // Receive buffers per shard, of 64 KiB: 32 to 256.
    uint16_t receive_buffers = 256;
    LogSink* log_sink = nullptr;
    Level log_level = Level::info;

    // On each shard's thread, before its first turn: starts its root task. All rings exist by then.
    std::function<void(Io&)> start;
    // On shard 0: the nth SIGTERM or SIGINT (1, 2, ...). Not set: the first one stops.
    std::function<void(Io&, unsigned nth)> on_signal;
    // On each shard's thread, after the last turn of all of them: frees what belongs to the shard.
    std::function<void(Io&)> finish;
};

// Runs one thread per shard, named millrace-N.
class Host {
 public:
    explicit Host(HostOptions options);
    Host(const Host&) = delete;
    ~Host();

    uint16_t shard_count() const;
    // Runs the shards, returns after stop(). The reason, when a ring could not be made.
    // SIGTERM and SIGINT are taken from every thread until then; SIGPIPE is ignored from then on.
    std::optional<std::string> run();
    // Ends every shard after its present turn: first bring your own work to an end. From any thread.
    void stop();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

struct AloneOptions {
    LogSink* log_sink = nullptr;
    Level log_level = Level::warn;
    uint64_t spin_ns = 30'000;
    // The nth SIGINT or SIGTERM. Not set: it kills the process, as usual.
    std::function<void(Io&, unsigned nth)> on_signal;
};

// For the command line: one shard on the calling thread. Drives one task to its end and returns its value;
// -1 when the ring could not be made (the log says why; ask check_host first).
int run_alone(const AloneOptions& options, const std::function<Task<int>(Io&)>& main_task);

// ---- Facts about the process and the machine ------------------------------------------------------------

// CPUs that this process may use: affinity and the cgroup's quota (rounded up); at least 1.
uint16_t cpu_count();

// Bytes of memory that this process may use: the machine's, or its control group's (version 1 or 2) where
// that is less.
uint64_t memory_limit();

// Bytes of physical memory that this process has now.
uint64_t resident_memory();

// Raises the soft limit of open files to the hard one; the limit that then holds.
uint64_t raise_file_limit();

struct ProcessFacts {
    uint64_t resident_bytes = 0;
    double user_seconds = 0, system_seconds = 0;
    uint64_t open_files = 0;
    uint64_t open_files_max = 0;
    uint64_t threads = 0;
    uint64_t kernel_workers = 0;  // io_uring's worker threads, alive now.
    int64_t started_ms = 0;       // Milliseconds since 1970.
    int pid = 0;
};
// Reads /proc: some 50 us.
ProcessFacts process_facts();

struct MachineFacts {
    std::string kernel;     // "6.1.0-13-amd64".
    std::string processor;  // "AMD EPYC 9B45".
    std::string host_name;
    uint64_t memory_bytes = 0;
};
MachineFacts machine_facts();

struct TerminalFacts {
    bool stdin_is_terminal = false, stdout_is_terminal = false, stderr_is_terminal = false;
    uint16_t width = 80;       // Of stdout's (else stderr's) terminal, in columns.
    bool wants_color = false;  // stdout is a terminal, NO_COLOR is not set, TERM is not "dumb".
};
TerminalFacts terminal_facts();

std::optional<std::string> environment(const std::string& name);
// Name and value of those whose name begins so, e.g. "MILLRACE_", in the order of names.
std::vector<std::pair<std::string, std::string>> environment_with(std::string_view prefix);

// A whole small file (configuration), at most 16 MiB; or the errno, negative, in `error`.
struct FileText {
    std::string text;
    int error = 0;
};
FileText read_small_file(const std::string& path);

// Milliseconds since 1970, outside of any shard.
int64_t wall_clock_ms();

// Text for a negative errno, e.g. "No such file or directory".
std::string errno_text(int negative_errno);

// Makes the directory and those above it; 0, or a negative errno. One that is there is no error.
int make_directories(const std::string& path);

// Writes the line and its end to a descriptor that somebody gave us, and closes it (--ready-fd, s6's and
// systemd's way to learn that a service is ready). False when it cannot be written.
bool tell_descriptor(int fd, std::string_view line);

// Holds `directory`/.lock for this process, so that no second broker uses the directory. Freed by death, too.
class DirectoryLock {
 public:
    // Null when another process holds it, or it cannot be made (`error`: negative errno, -EWOULDBLOCK if
    // held).
    static std::unique_ptr<DirectoryLock> take(const std::string& directory, int& error);
    DirectoryLock(const DirectoryLock&) = delete;
    ~DirectoryLock();

 private:
    explicit DirectoryLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace millrace
