// A call that waits for the group, and the list of those that have got their answer.
//
// An answer is only noted where it arises; the call goes on when the coordinator's state is whole again, so
// that no caller ever runs in the middle of a transition.
#pragma once
#include <coroutine>
#include <optional>
#include <utility>
#include <vector>

#include "millrace/base.h"

namespace millrace::coordinator {

// Calls that have their answer and are to be resumed, oldest first.
class Replies {
 public:
    void add(std::coroutine_handle<> waiter) { due_.push_back(waiter); }
    bool is_empty() const { return due_.empty(); }
    void resume_all() {
        for (auto waiter : std::exchange(due_, {})) waiter.resume();
    }

 private:
    std::vector<std::coroutine_handle<>> due_;
};

// Lives in the caller's frame; answered exactly once. Where the answer has views, they point into out().
template <class Response> class Parked {
 public:
    explicit Parked(Replies& replies) : replies_(replies) {}
    Parked(Replies& replies, Arena& out) : replies_(replies), out_(&out) {}
    Parked(const Parked&) = delete;

    Arena& out() { return ASSERT(out_), *out_; }
    void answer(Response response) {
        ASSERT(!response_);
        response_ = std::move(response);
        if (waiter_) replies_.add(waiter_);
    }

    bool await_ready() const { return response_.has_value(); }
    void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
    Response await_resume() { return std::move(*response_); }

 private:
    Replies& replies_;
    Arena* out_ = nullptr;
    std::optional<Response> response_;
    std::coroutine_handle<> waiter_;
};

}  // namespace millrace::coordinator
