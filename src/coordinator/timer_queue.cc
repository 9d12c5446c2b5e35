// The queue behind the timers.
#include "timer_queue.h"

namespace millrace::coordinator {

void Timer::arm(int64_t due_ms) {
    due_ms_ = due_ms;
    if (queued_ && (*queued_)->first.first <= due_ms) return;
    disarm();
    queued_ = owner_.queue_.emplace(std::pair{due_ms, owner_.age_next_++}, this).first;
}

void Timer::disarm() {
    if (!queued_) return;
    owner_.queue_.erase(*queued_);
    queued_.reset();
}

std::optional<int64_t> TimerQueue::next_ms() const {
    if (queue_.empty()) return {};
    return queue_.begin()->first.first;
}

Timer* TimerQueue::pop_due(int64_t now_ms) {
    while (!queue_.empty() && queue_.begin()->first.first <= now_ms) {
        Timer* timer = queue_.begin()->second;
        timer->disarm();
        if (timer->due_ms_ <= now_ms) return timer;
        timer->arm(timer->due_ms_);
    }
    return nullptr;
}

}  // namespace millrace::coordinator
