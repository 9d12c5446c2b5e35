// Memory of fetches' replies that are being read or not sent yet: who finds it used up waits in line until a
// reply has gone.
//
// Owned by one shard's broker; outlives its replies.
#pragma once
#include <deque>

#include "millrace/deadlines.h"
#include "millrace/io.h"

namespace millrace {

class ReplyBudget {
 public:
    ReplyBudget(Io& io, Deadlines& deadlines, uint64_t bytes_max)
        : io_(io), deadlines_(deadlines), all_bytes_(bytes_max), bytes_max_(bytes_max) {}
    ~ReplyBudget() { ASSERT(waiting_.empty()); }
    ReplyBudget(const ReplyBudget&) = delete;

    // What one reply of at most `wanted` bytes may have: the nearer the end is, the less, down to a little.
    // 0 at the end, and while others wait.
    uint64_t share_of(uint64_t wanted) const;
    void take(uint64_t bytes) { used_ += bytes; }
    void give_back(uint64_t bytes);

    // Ends when a reply has gone and this one is the first in line: share_of() is more than 0 then. Or at the
    // deadline, or when the node stops.
    Task<> wait(uint64_t deadline_ns);

    // Now, and from now on at once.
    void end_waits();
    // With scarce memory a quarter of the budget.
    void set_pressure(MemoryPressure pressure);
    uint64_t used() const { return used_; }
    size_t waiting() const { return waiting_.size(); }

 private:
    class Place;
    struct RoomLetter final : Letter {
        explicit RoomLetter(ReplyBudget& budget) : budget(budget) {}
        void deliver() override { budget.let_in(); }
        ReplyBudget& budget;
    };
    bool has_room() const { return used_ < bytes_max_; }
    void tell_room();
    void let_in();

    Io& io_;
    Deadlines& deadlines_;
    const uint64_t all_bytes_;
    uint64_t bytes_max_, used_ = 0;
    std::deque<Place*> waiting_;
    bool is_posted_ = false, lets_in_ = false, ended_ = false;
    RoomLetter room_letter_{*this};
};

}  // namespace millrace
