// Facts about the machine: how many CPUs we may use, and what it is.
#include <cmath>
#include <cstdio>

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "millrace/host.h"

namespace millrace {

namespace {

uint16_t cpus_by_affinity() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
    return static_cast<uint16_t>(CPU_COUNT(&set));
}

// "200000 100000": quota and period in microseconds; "max 100000": none.
double cpus_by_quota(const std::string& directory) {
    double quota = 0, period = 0;
    const std::string text = read_small_file(directory + "/cpu.max").text;
    if (std::sscanf(text.c_str(), "%lf %lf", &quota, &period) != 2 || period <= 0) return HUGE_VAL;
    return quota / period;
}

// The tightest quota between our control group and the root (version 2; "0::/path" in /proc/self/cgroup).
double cpus_by_control_groups() {
    const std::string groups = read_small_file("/proc/self/cgroup").text;
    const size_t start = groups.find("0::/");
    if (start == std::string::npos) return HUGE_VAL;
    std::string path = groups.substr(start + 3, groups.find('\n', start) - start - 3);
    double least = cpus_by_quota("/sys/fs/cgroup");
    while (path.size() > 1) {
        least = std::min(least, cpus_by_quota("/sys/fs/cgroup" + path));
        path.resize(path.rfind('/'));
    }
    return least;
}

std::string processor_name() {
    const std::string text = read_small_file("/proc/cpuinfo").text;
    const size_t line = text.find("model name");
    if (line == std::string::npos) return "unknown";
    const size_t start = text.find(": ", line) + 2;
    return text.substr(start, text.find('\n', start) - start);
}

}  // namespace

uint16_t cpu_count() {
    const double allowed = std::min<double>(cpus_by_affinity(), std::ceil(cpus_by_control_groups()));
    return static_cast<uint16_t>(std::max(1.0, allowed));
}

MachineFacts machine_facts() {
    utsname names;
    uname(&names);
    const auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
    return {.kernel = names.release,
            .processor = processor_name(),
            .host_name = names.nodename,
            .memory_bytes = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE))};
}

}  // namespace millrace
