// SIGTERM and SIGINT as completions on one shard's ring, instead of handlers.
//
// While it lives, both signals are blocked in the thread that made it and in those it starts.
#pragma once
#include <csignal>
#include <functional>

#include <sys/signalfd.h>

#include "millrace/io.h"

namespace millrace {

// Blocks the stopping signals in this thread and its children; restores the old mask when destroyed.
class BlockedSignals {
 public:
    BlockedSignals();
    BlockedSignals(const BlockedSignals&) = delete;
    ~BlockedSignals();
    // Readable when one of them is pending for the process; negative when no descriptor was left.
    int fd() const { return fd_; }

 private:
    sigset_t before_;
    int fd_;
};

// Calls `on_signal` on the shard with 1, 2, ... Lives as long as the ring turns.
class SignalWatch final : Op {
 public:
    SignalWatch(Io& io, int fd, std::function<void(unsigned nth)> on_signal);

 private:
    void done(Outcome outcome) override;

    Io& io_;
    std::function<void(unsigned nth)> on_signal_;
    unsigned count_ = 0;
    signalfd_siginfo signal_;
};

}  // namespace millrace
