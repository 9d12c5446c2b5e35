// Facts about this process: what it uses, what surrounds it, what it may read before any shard runs.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "millrace/host.h"

extern char** environ;

namespace millrace {

namespace {

constexpr size_t small_file_max = 16 << 20;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

template <class Visit> void visit_directory(const char* path, const Visit& visit) {
    DIR* directory = opendir(path);
    if (!directory) return;
    while (const dirent* entry = readdir(directory))
        if (entry->d_name[0] != '.') visit(entry->d_name);
    closedir(directory);
}

// The directory's size is their number since Linux 6.2; before, they are counted.
uint64_t open_files() {
    struct stat facts;
    if (stat("/proc/self/fd", &facts) == 0 && facts.st_size > 0) return static_cast<uint64_t>(facts.st_size);
    uint64_t count = 0;
    visit_directory("/proc/self/fd", [&](const char*) { count++; });
    return count;
}

void count_threads(ProcessFacts& facts) {
    visit_directory("/proc/self/task", [&](const char* id) {
        facts.threads++;
        const auto name = read_small_file(std::string("/proc/self/task/") + id + "/comm").text;
        if (name.starts_with("iou-wrk")) facts.kernel_workers++;
    });
}

// Field 22 of /proc/self/stat, counted behind the name in parentheses: clock ticks since the machine started.
int64_t started_ms() {
    const std::string stat = read_small_file("/proc/self/stat").text;
    const size_t after_name = stat.rfind(')');
    if (after_name == std::string::npos) return 0;
    unsigned long long ticks = 0;
    std::sscanf(stat.c_str() + after_name + 1,
                " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks);
    timespec since_boot;
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    const auto age_ms = since_boot.tv_sec * 1000 + since_boot.tv_nsec / 1'000'000 -
                        static_cast<int64_t>(ticks * 1000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
    return wall_clock_ms() - age_ms;
}

uint16_t columns_of(int fd) {
    winsize size{};
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : uint16_t{0};
}

}  // namespace

ProcessFacts process_facts() {
    ProcessFacts facts;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    facts.resident_bytes = resident_memory();
    facts.user_seconds = seconds(usage.ru_utime);
    facts.system_seconds = seconds(usage.ru_stime);
    facts.open_files = open_files();
    facts.open_files_max = files.rlim_cur;
    count_threads(facts);
    facts.started_ms = started_ms();
    facts.pid = getpid();
    return facts;
}

uint64_t raise_file_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

TerminalFacts terminal_facts() {
    TerminalFacts facts;
    facts.stdin_is_terminal = isatty(0);
    facts.stdout_is_terminal = isatty(1);
    facts.stderr_is_terminal = isatty(2);
    uint16_t columns = columns_of(1);
    if (columns == 0) columns = columns_of(2);
    if (columns > 0) facts.width = columns;
    const auto no_color = environment("NO_COLOR");
    facts.wants_color = facts.stdout_is_terminal && (!no_color || no_color->empty()) &&
                        environment("TERM").value_or("dumb") != "dumb";
    return facts;
}

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (!value) return {};
    return value;
}

std::vector<std::pair<std::string, std::string>> environment_with(std::string_view prefix) {
    std::vector<std::pair<std::string, std::string>> found;
    for (char** at = environ; at && *at; at++) {
        const std::string_view line = *at;
        const size_t equals = line.find('=');
        if (equals == std::string_view::npos || !line.starts_with(prefix)) continue;
        found.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
    std::sort(found.begin(), found.end());
    return found;
}

FileText read_small_file(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {.error = -errno};
    FileText result;
    char part[4096];
    ssize_t count;
    while ((count = read(fd, part, sizeof part)) > 0 && result.text.size() < small_file_max)
        result.text.append(part, static_cast<size_t>(count));
    if (count < 0) result.error = -errno;
    if (count > 0) result.error = -EFBIG;
    close(fd);
    return result;
}

int64_t wall_clock_ms() {
    timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

std::string errno_text(int negative_errno) {
    const char* text = strerrordesc_np(-negative_errno);
    return text ? text : "error " + std::to_string(-negative_errno);
}

int make_directories(const std::string& path) {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        if (mkdir(path.substr(0, slash).c_str(), 0755) < 0 && errno != EEXIST) return -errno;
        if (slash == path.npos) return 0;
    }
}

bool tell_descriptor(int fd, std::string_view line) {
    std::string text(line);
    text += '\n';
    const bool is_written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    return close(fd) == 0 && is_written;
}

std::unique_ptr<DirectoryLock> DirectoryLock::take(const std::string& directory, int& error) {
    const int fd = open((directory + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return error = -errno, nullptr;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        error = -errno;
        close(fd);
        return nullptr;
    }
    error = 0;
    return std::unique_ptr<DirectoryLock>(new DirectoryLock(fd));
}

DirectoryLock::~DirectoryLock() { close(fd_); }

}  // namespace millrace
