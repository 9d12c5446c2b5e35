// A queue of coroutines, let in one by one in a turn of their own.
#include "reply_budget.h"

#include <algorithm>

namespace millrace {

// Lies in the waiting coroutine's frame.
class ReplyBudget::Place final : public Deadlines::Entry {
 public:
    explicit Place(ReplyBudget& budget) : budget_(budget) { budget_.waiting_.push_back(this); }
    ~Place() { std::erase(budget_.waiting_, this); }

    void wake() {
        std::erase(budget_.waiting_, this);
        woken_ = true;
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }
    bool await_ready() const { return woken_; }
    void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
    void await_resume() const {}

 private:
    void on_deadline() override { wake(); }

    ReplyBudget& budget_;
    bool woken_ = false;
    std::coroutine_handle<> waiter_;
};

uint64_t ReplyBudget::share_of(uint64_t wanted) const {
    constexpr uint64_t least = 64 << 10;
    const bool is_turn = waiting_.empty() || lets_in_;
    if (!has_room() || !is_turn) return 0;
    return std::min(wanted, std::max((bytes_max_ - used_) / 4, least));
}

void ReplyBudget::give_back(uint64_t bytes) {
    ASSERT(used_ >= bytes);
    used_ -= bytes;
    tell_room();
}

void ReplyBudget::tell_room() {
    if (waiting_.empty() || !has_room() || std::exchange(is_posted_, true)) return;
    io_.post(io_.shard(), room_letter_);
}

// Each takes his share before he waits for anything else.
void ReplyBudget::let_in() {
    is_posted_ = false;
    lets_in_ = true;
    for (size_t left = waiting_.size(); left > 0 && !waiting_.empty() && has_room(); left--)
        waiting_.front()->wake();
    lets_in_ = false;
}

Task<> ReplyBudget::wait(uint64_t deadline_ns) {
    if (ended_) co_return;
    Place place{*this};
    deadlines_.set(place, deadline_ns);
    tell_room();
    co_await place;
}

void ReplyBudget::end_waits() {
    ended_ = true;
    while (!waiting_.empty()) waiting_.front()->wake();
}

void ReplyBudget::set_pressure(MemoryPressure pressure) {
    bytes_max_ = pressure == MemoryPressure::scarce ? all_bytes_ / 4 : all_bytes_;
    tell_room();
}

}  // namespace millrace
