// StreamLogSink: a bounded queue of lines and the one thread that writes them.
//
// The lock is held for a few instructions on either side, never during a write.
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "millrace/host.h"

namespace millrace {

namespace {

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd writable{fd, POLLOUT, 0};
            poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return;  // Nobody reads our log: there is nobody to tell.
        }
    }
}

}  // namespace

struct StreamLogSink::Writer {
    explicit Writer(int out) : fd(out) {}

    void add(std::string_view line);
    void run();
    std::string take(std::unique_lock<std::mutex>& guard);

    const int fd;
    std::mutex lock;
    std::condition_variable has_news;
    std::string waiting;  // Whole lines.
    size_t lines = 0;
    uint64_t dropped = 0, dropped_told = 0;
    bool stopping = false;
    std::thread thread;  // Started by the first line.
};

void StreamLogSink::Writer::add(std::string_view line) {
    std::lock_guard guard(lock);
    if (lines == lines_max) {
        dropped++;
        return;
    }
    if (!thread.joinable()) thread = std::thread([this] { run(); });
    lines++;
    waiting.append(line).push_back('\n');
    if (lines == 1) has_news.notify_one();
}

std::string StreamLogSink::Writer::take(std::unique_lock<std::mutex>& guard) {
    has_news.wait(guard, [this] { return lines > 0 || stopping; });
    std::string text = std::exchange(waiting, {});
    lines = 0;
    if (const uint64_t missing = dropped - dropped_told) {
        text += "log lines dropped, the reader is slow: count=" + std::to_string(missing) + "\n";
        dropped_told = dropped;
    }
    return text;
}

void StreamLogSink::Writer::run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    pthread_setname_np(pthread_self(), "millrace-log");
    for (;;) {
        std::unique_lock guard(lock);
        const std::string text = take(guard);
        const bool is_last = stopping && text.empty();
        guard.unlock();
        if (is_last) return;
        write_all(fd, text);
    }
}

StreamLogSink::StreamLogSink(int fd) : writer_(std::make_unique<Writer>(fd)) {}

StreamLogSink::~StreamLogSink() {
    {
        std::lock_guard guard(writer_->lock);
        writer_->stopping = true;
        writer_->has_news.notify_one();
    }
    if (writer_->thread.joinable()) writer_->thread.join();
}

int64_t StreamLogSink::wall_ms() const { return wall_clock_ms(); }

void StreamLogSink::write(Level, std::string_view line) { writer_->add(line); }

uint64_t StreamLogSink::dropped() const {
    std::lock_guard guard(writer_->lock);
    return writer_->dropped;
}

}  // namespace millrace
