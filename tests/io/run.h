// Runs one test body as a task on a real ring, and collects its log.
#pragma once
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "millrace/host.h"

namespace millrace::test {

class KeptLog final : public LogSink {
 public:
    int64_t wall_ms() const override { return wall_clock_ms(); }
    void write(Level, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

inline Task<int> then_zero(Task<> body) {
    co_await body;
    co_return 0;
}

inline void run(Task<> (*body)(Io&)) {
    KeptLog log;
    CHECK(run_alone({.log_sink = &log}, [&](Io& io) { return then_zero(body(io)); }) == 0);
}

// A directory of its own for one test, removed at the end.
class ScratchDirectory {
 public:
    explicit ScratchDirectory(const std::string& parent = "/tmp");
    ScratchDirectory(const ScratchDirectory&) = delete;
    ~ScratchDirectory();
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

}  // namespace millrace::test
