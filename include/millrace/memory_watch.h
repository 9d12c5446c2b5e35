// Looks at how much memory the process has, and tells those on this shard who can do with less.
//
// What always holds: nobody looks while nothing is done: the first request after a silence begins it, and
// some seconds without one end it, when what was only kept for later use has been given back. Owned by one
// shard; all shards of a process see the same memory, and each gives its part.
#pragma once
#include <vector>

#include "millrace/deadlines.h"
#include "millrace/io.h"
#include "millrace/metrics.h"

namespace millrace {

class MemoryWatch final : Deadlines::Entry {
 public:
    static constexpr uint64_t look_ns = 250'000'000;
    static constexpr uint32_t silent_looks = 20;  // Then what is not needed goes, and the watch ends.

    // `budget_bytes`: of the process (millrace.memory); 0: none, only the control group's limit counts.
    MemoryWatch(Io& io, Deadlines& deadlines, Metrics& metrics, uint64_t budget_bytes);
    MemoryWatch(const MemoryWatch&) = delete;

    // Must outlive it, or be removed.
    void add(MemoryUser& user);
    void remove(MemoryUser& user) { std::erase(users_, &user); }

    // Something is being done that may take memory.
    void note_work() {
        worked_ = true;
        if (!is_set()) begin();
    }
    // Nobody looks any more.
    void stop();

    MemoryPressure pressure() const { return pressure_; }

 private:
    void begin();
    void on_deadline() override;
    MemoryPressure judge(const MemoryUse& use) const;
    void set(MemoryPressure pressure, const MemoryUse& use);
    void trim();
    void say(const MemoryUse& use);

    Io& io_;
    Deadlines& deadlines_;
    Gauge& pressure_gauge_;
    Counter& trims_;
    const uint64_t budget_bytes_;
    std::vector<MemoryUser*> users_;
    MemoryPressure pressure_ = MemoryPressure::none;
    bool worked_ = false, stopped_ = false;
    uint32_t silent_ = 0, tight_looks_ = 0;
    uint64_t trimmed_ns_ = 0, said_ns_ = 0;
};

}  // namespace millrace
