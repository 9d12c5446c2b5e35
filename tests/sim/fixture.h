// Short ways to run single operations in a simulated world.
#pragma once
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "millrace/sim.h"

namespace millrace {

constexpr uint64_t us = 1'000, ms = 1'000'000, s = 1'000'000'000;

inline Task<int32_t> one_op(Io& io, Op::Kind kind, OpArguments arguments) {
    const int32_t value = co_await Once{io, kind, arguments};
    co_return value;
}

// The op's value; -1000 when the node crashed first.
inline int32_t await(SimWorld& world, SimNode& node, Op::Kind kind, const OpArguments& arguments) {
    return run_on(world, node, one_op(node.io(), kind, arguments)).value_or(-1000);
}

inline std::vector<uint8_t> pattern(size_t size, uint8_t first) {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(first + i / 512 * 3 + i);
    return bytes;
}

// Files by their calls, on one node.
struct Machine1 {
    explicit Machine1(const SimOptions& options = {}, const NodeOptions& node_options = {})
        : world(options), node(world.add_node(node_options)) {}

    int32_t open(const char* path, uint32_t flags = Op::read_write | Op::create) {
        return await(world, node, Op::Kind::open, {.flags = flags, .path = path});
    }
    int32_t write(int fd, uint64_t offset, std::vector<uint8_t> bytes, uint32_t flags = 0) {
        return await(
            world, node, Op::Kind::write,
            {.fd = fd, .data = bytes.data(), .size = bytes.size(), .offset = offset, .flags = flags});
    }
    int32_t sync(int fd) { return await(world, node, Op::Kind::sync, {.fd = fd}); }
    int32_t on_path(Op::Kind kind, const char* path, const char* target = nullptr) {
        return await(world, node, kind, {.path = path, .target = target});
    }
    // An empty file that survives.
    int32_t durable_file(const char* path) {
        node.disk().put(path, {});
        return open(path);
    }
    void power_cycle(Crash how = Crash::power_cut) {
        node.crash(how);
        node.restart();
    }

    SimWorld world;
    SimNode& node;
};

// Whether it ends the process by an abort. It runs in a child.
template <class F> bool aborts(F run) {
    const pid_t child = fork();
    if (child == 0) {
        close(2);
        std::signal(SIGABRT, SIG_DFL);  // doctest would report it.
        run();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace millrace
