// Who may change the metadata now: one coroutine at a time, in the order in which they came.
//
// if (!co_await turns.enter()) refuse; ... turns.leave(). A coroutine that is destroyed while it waits leaves
// the queue; one that is destroyed inside its turn (a crash in a simulation) ends all turns.
#pragma once
#include "millrace/cluster.h"

namespace millrace {

class Controller::Turns {
 public:
    explicit Turns(uint32_t waiting_max) : waiting_max_(waiting_max) {}

    class Enter {
     public:
        explicit Enter(Turns& turns) : turns_(turns) {}
        bool await_ready() {
            entered_ = !turns_.taken_;
            if (entered_) turns_.taken_ = true;
            return entered_ || turns_.waiting_ == turns_.waiting_max_;
        }
        void await_suspend(std::coroutine_handle<> waiter) {
            place_.handle = waiter;
            place_.join_before(turns_.queue_);
            turns_.waiting_++;
            entered_ = true;  // By the time it is resumed.
        }
        bool await_resume() const { return entered_; }  // False: too many wait.

     private:
        Turns& turns_;
        bool entered_ = false;
        detail::Link place_;
    };
    Enter enter() { return Enter{*this}; }

    // Lets the next one in. A loop, not a recursion: a turn may end within its own first steps.
    void leave() {
        ASSERT(taken_);
        taken_ = false;
        if (passing_) return;
        passing_ = true;
        while (!taken_ && !queue_.alone()) {
            detail::Link& first = *queue_.after;
            first.leave();
            waiting_--;
            taken_ = true;
            first.handle.resume();
        }
        passing_ = false;
    }

 private:
    uint32_t waiting_max_;
    uint32_t waiting_ = 0;
    bool taken_ = false;
    bool passing_ = false;
    detail::Link queue_;
};

}  // namespace millrace
