// What is due when, for very many timers of which most are put off long before they are due.
//
// A timer sits in the queue at the time it was first armed for, or earlier; putting it off only notes the new
// time, so a heartbeat costs one store. Order is by time, then by age: the same run gives the same order.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "millrace/base.h"

namespace millrace::coordinator {

class TimerQueue;
class Group;
struct Member;

// Belongs to what it times; leaves the queue when destroyed. The TimerQueue must outlive it.
class Timer {
 public:
    enum class Kind : uint8_t {
        session,   // member: it was silent for too long.
        pending,   // pending_id: it never came back with the id that it was given.
        join,      // group: the wait for its members to join is over; Empty: its record is to be tried again.
        sync,      // group: the wait for its members to sync is over.
        retention  // Offsets are to be looked at.
    };

    Timer(TimerQueue& owner, Kind kind, Group* group = nullptr, Member* member = nullptr)
        : kind(kind), group(group), member(member), owner_(owner) {}
    Timer(const Timer&) = delete;
    ~Timer() { disarm(); }

    // Due at due_ms, and not at any time said before.
    void arm(int64_t due_ms);
    void disarm();
    bool is_armed() const { return queued_.has_value(); }

    const Kind kind;
    Group* const group;
    Member* const member;
    const std::string* pending_id = nullptr;

 private:
    friend TimerQueue;
    using Queue = std::map<std::pair<int64_t, uint64_t>, Timer*>;

    TimerQueue& owner_;
    int64_t due_ms_ = 0;
    std::optional<Queue::iterator> queued_;  // At due_ms_ or earlier.
};

class TimerQueue {
 public:
    TimerQueue() = default;
    TimerQueue(const TimerQueue&) = delete;
    ~TimerQueue() { ASSERT(queue_.empty()); }

    // No timer is due before it. May be earlier than the first that is.
    std::optional<int64_t> next_ms() const;
    // Disarms and returns the first timer that is due at now_ms; null when there is none.
    Timer* pop_due(int64_t now_ms);
    size_t size() const { return queue_.size(); }

 private:
    friend Timer;

    Timer::Queue queue_;
    uint64_t age_next_ = 0;
};

}  // namespace millrace::coordinator
