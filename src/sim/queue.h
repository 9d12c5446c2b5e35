// The one queue of events of a simulated world, its clock, and the hash of all that happened.
//
// Invariants: time never goes back; events of one moment run in the order in which they were added.
#pragma once
#include <functional>
#include <vector>

#include "millrace/base.h"
#include "random.h"

namespace millrace::sim {

class Queue {
 public:
    static constexpr uint64_t start_ns = 1'000'000'000;  // As on a real machine, the clock is not at zero.

    uint64_t now_ns() const { return now_ns_; }
    void at(uint64_t when_ns, std::function<void()> run) {
        events_.push_back({std::max(when_ns, now_ns_), ++sequence_, std::move(run)});
        std::push_heap(events_.begin(), events_.end(), later);
    }
    void after(uint64_t nanoseconds, std::function<void()> run) { at(now_ns_ + nanoseconds, std::move(run)); }

    // Runs the next event. False when there is none.
    bool turn() {
        if (events_.empty()) return false;
        std::pop_heap(events_.begin(), events_.end(), later);
        Event event = std::move(events_.back());
        events_.pop_back();
        ASSERT(event.when_ns >= now_ns_);
        now_ns_ = event.when_ns;
        turns_++;
        event.run();
        return true;
    }
    uint64_t next_ns() const { return events_.empty() ? UINT64_MAX : events_.front().when_ns; }
    void advance_to(uint64_t when_ns) { now_ns_ = std::max(now_ns_, when_ns); }
    uint64_t turns() const { return turns_; }

    void trace(uint64_t what, uint64_t more = 0) { hash_ = mix(mix(hash_, now_ns_), mix(what, more)); }
    uint64_t trace_hash() const { return hash_; }

 private:
    struct Event {
        uint64_t when_ns;
        uint64_t sequence;
        std::function<void()> run;
    };
    static bool later(const Event& a, const Event& b) {
        return a.when_ns != b.when_ns ? a.when_ns > b.when_ns : a.sequence > b.sequence;
    }

    std::vector<Event> events_;  // A heap, the next one first.
    uint64_t now_ns_ = start_ns;
    uint64_t sequence_ = 0;
    uint64_t turns_ = 0;
    uint64_t hash_ = 0;
};

}  // namespace millrace::sim
