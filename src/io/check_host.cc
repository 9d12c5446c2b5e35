// Why io_uring cannot be used here, in one line, and how to mend it.
#include <cerrno>
#include <cstdio>

#include <liburing.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "millrace/host.h"

namespace millrace {

namespace {

constexpr int kernel_major_min = 6, kernel_minor_min = 1;

std::optional<std::string> check_kernel() {
    utsname facts;
    uname(&facts);
    int major = 0, minor = 0;
    const int parsed = std::sscanf(facts.release, "%d.%d", &major, &minor);
    const bool is_old = major < kernel_major_min || (major == kernel_major_min && minor < kernel_minor_min);
    if (parsed == 2 && !is_old) return {};
    return "Linux 6.1 or newer is needed, this is " + std::string(facts.release) + ": start a newer kernel";
}

std::string forbidden() {
    const std::string disabled = read_small_file("/proc/sys/kernel/io_uring_disabled").text;
    if (disabled.starts_with("2"))
        return "io_uring is switched off on this machine: sysctl -w kernel.io_uring_disabled=0";
    if (disabled.starts_with("1"))
        return "io_uring is allowed to one group only on this machine: run as a member of the group in "
               "kernel.io_uring_group, or sysctl -w kernel.io_uring_disabled=0";
    return "a seccomp profile forbids io_uring (the default of Docker and Kubernetes does): run with "
           "--security-opt seccomp=unconfined, or allow io_uring_setup, io_uring_enter and io_uring_register";
}

std::string out_of_memory() {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return "no memory for an io_uring; locked memory is limited to " + std::to_string(limit.rlim_cur >> 10) +
           " KiB: ulimit -l 8192, or LimitMEMLOCK=infinity in the systemd unit";
}

std::string explain(int error) {
    switch (error) {
        case ENOSYS:
            return "this kernel has no io_uring, or a sandbox (gVisor, a seccomp profile) hides it: run "
                   "outside of "
                   "the sandbox, or with a profile that allows io_uring_setup, io_uring_enter, "
                   "io_uring_register";
        case EPERM:
        case EACCES: return forbidden();
        case ENOMEM: return out_of_memory();
        case EMFILE:
        case ENFILE: return "no file descriptor left for an io_uring: ulimit -n 65536";
        default: return "io_uring_setup failed: " + errno_text(-error);
    }
}

}  // namespace

std::optional<std::string> check_host() {
    if (auto reason = check_kernel()) return reason;
    io_uring_params parameters{};
    const int fd = io_uring_setup(8, &parameters);
    if (fd < 0) return explain(-fd);
    close(fd);
    return {};
}

}  // namespace millrace
