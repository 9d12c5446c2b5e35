// Whoever waits in a queue for an answer, which is an error or none. Lies in the waiting coroutine's frame.
//
// Answered at most once, and awaited at most once, in any order; owned by one shard.
#pragma once
#include <coroutine>
#include <utility>

#include "millrace/base.h"
#include "millrace/error.h"

namespace millrace {

class Answer {
 public:
    Answer() = default;
    Answer(const Answer&) = delete;

    // Has left its queue when this is called. Goes on with the waiter, who may do anything.
    void answer(Error error) {
        ASSERT(!answered_);
        answered_ = true;
        error_ = error;
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }

    bool await_ready() const { return answered_; }
    void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
    Error await_resume() const { return error_; }

 protected:
    ~Answer() = default;
    bool is_answered() const { return answered_; }

 private:
    bool answered_ = false;
    Error error_ = Error::none;
    std::coroutine_handle<> waiter_;
};

}  // namespace millrace
