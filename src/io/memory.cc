// What memory there is and what of it is used: of this process, its control groups (version 1 or 2) and the
// machine.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <malloc.h>
#include <unistd.h>

#include "millrace/host.h"
#include "ring.h"

namespace millrace {
namespace {

// A version of control groups: where it is mounted, and its files.
struct Hierarchy {
    std::string_view mark;  // In /proc/self/cgroup: "0::/path" or "4:memory:/path".
    std::string root;
    std::string limit, usage;
    std::string_view inactive, active;  // In memory.stat: files that the kernel keeps, and may drop.
};

const Hierarchy& version_1() {
    static const Hierarchy files{.mark = ":memory:",
                                 .root = "/sys/fs/cgroup/memory",
                                 .limit = "memory.limit_in_bytes",
                                 .usage = "memory.usage_in_bytes",
                                 .inactive = "total_inactive_file ",
                                 .active = "total_active_file "};
    return files;
}

const Hierarchy& version_2() {
    static const Hierarchy files{.mark = "0::",
                                 .root = "/sys/fs/cgroup",
                                 .limit = "memory.max",
                                 .usage = "memory.current",
                                 .inactive = "inactive_file ",
                                 .active = "active_file "};
    return files;
}

uint64_t number_in(const std::string& file) {
    return std::strtoull(read_small_file(file).text.c_str(), nullptr, 10);
}

// A group with a limit: none is "max", or a number near 2^63.
struct Limited {
    std::string directory;
    uint64_t bytes = UINT64_MAX;
};

Limited limited_by(std::string directory, const Hierarchy& hierarchy) {
    const uint64_t bytes = number_in(directory + "/" + hierarchy.limit);
    return {.directory = std::move(directory), .bytes = bytes == 0 ? UINT64_MAX : bytes};
}

// The tightest between our group and the root. In a container the root is often our own group.
Limited tightest(const Hierarchy& hierarchy) {
    Limited least = limited_by(hierarchy.root, hierarchy);
    const std::string groups = read_small_file("/proc/self/cgroup").text;
    const size_t start = groups.find(hierarchy.mark);
    if (start == std::string::npos) return least;
    const size_t from = start + hierarchy.mark.size();
    std::string path = groups.substr(from, groups.find('\n', start) - from);
    while (path.size() > 1) {
        Limited here = limited_by(hierarchy.root + path, hierarchy);
        if (here.bytes < least.bytes) least = std::move(here);
        path.resize(path.rfind('/'));
    }
    return least;
}

uint64_t value_of(const std::string& text, std::string_view name) {
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
        if (at == 0 || text[at - 1] == '\n') return std::strtoull(&text[at + name.size()], nullptr, 10);
    return 0;
}

// What of it the kernel could drop at once is looked at only where the group is three quarters full.
uint64_t used_of(const Limited& group, const Hierarchy& hierarchy) {
    const uint64_t all = number_in(group.directory + "/" + hierarchy.usage);
    if (all < group.bytes / 4 * 3) return all;
    const std::string facts = read_small_file(group.directory + "/memory.stat").text;
    const uint64_t files = value_of(facts, hierarchy.inactive) + value_of(facts, hierarchy.active);
    return all - std::min(all, files);
}

// Found once: a process seldom changes its group. Any thread may ask.
struct Group {
    const Hierarchy* hierarchy = &version_2();
    Limited limited;
};
const Group& group() {
    static const Group found = [] {
        Limited first = tightest(version_1()), second = tightest(version_2());
        const bool is_first = first.bytes < second.bytes;
        return Group{is_first ? &version_1() : &version_2(), is_first ? std::move(first) : std::move(second)};
    }();
    return found;
}

uint64_t machine_bytes() {
    static const uint64_t bytes =
        static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace

uint64_t memory_limit() { return std::min(machine_bytes(), group().limited.bytes); }

uint64_t resident_memory() {
    unsigned long pages = 0;
    std::sscanf(read_small_file("/proc/self/statm").text.c_str(), "%*u %lu", &pages);
    return uint64_t{pages} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

MemoryUse UringIo::memory_use() {
    MemoryUse use{.resident_bytes = resident_memory()};
    const Limited& limited = group().limited;
    if (limited.bytes >= machine_bytes()) return use;
    // The operator may have changed it.
    use.group_max = limited_by(limited.directory, *group().hierarchy).bytes;
    use.group_bytes = used_of(limited, *group().hierarchy);
    return use;
}

void UringIo::trim_memory() {
    pool_.trim();
    malloc_trim(0);
}

}  // namespace millrace
