// Signals through a signalfd; see signals.h.
#include "signals.h"

#include <unistd.h>

namespace millrace {

BlockedSignals::BlockedSignals() {
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTERM);
    sigaddset(&stopping, SIGINT);
    const int rc = pthread_sigmask(SIG_BLOCK, &stopping, &before_);
    ASSERT(rc == 0);
    fd_ = signalfd(-1, &stopping, SFD_CLOEXEC);
}

BlockedSignals::~BlockedSignals() {
    if (fd_ >= 0) close(fd_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

SignalWatch::SignalWatch(Io& io, int descriptor, std::function<void(unsigned nth)> on_signal)
    : Op(Kind::read), io_(io), on_signal_(std::move(on_signal)) {
    fd = descriptor;
    data = &signal_;
    size = sizeof signal_;
    offset = at_cursor;
    io_.submit(*this);
}

void SignalWatch::done(Outcome outcome) {
    if (outcome.value < 0) return;
    io_.submit(*this);
    on_signal_(++count_);
}

}  // namespace millrace
