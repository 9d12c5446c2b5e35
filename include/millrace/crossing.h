// Work that belongs to another core: it crosses once as a letter, runs there, and its result comes back.
//
// What the work refers to on the sender's side must stay untouched until the crossing has ended; the sender
// is suspended meanwhile, so its locals do. Crossings from one shard to another start in the order in which
// they were made.
#pragma once
#include <optional>
#include <utility>

#include "millrace/io.h"
#include "millrace/task.h"

namespace millrace {

// R result = co_await Crossing<R, Work>{here, there, work}; where work() makes a Task<R>, on `there`.
// `here` and `there` are the two shards' worlds; the object belongs to `here` but while it is away.
template <class R, class Work> class Crossing {
 public:
    Crossing(Io& here, Io& there, Work work)
        : here_(here), there_(there), work_(std::move(work)), outward_(*this), homeward_(*this) {
        ASSERT(here.shard() != there.shard());
    }
    Crossing(const Crossing&) = delete;

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        here_.post(there_.shard(), outward_);
    }
    R await_resume() { return std::move(*result_); }

 private:
    struct Outward final : Letter {
        explicit Outward(Crossing& crossing) : crossing(crossing) {}
        void deliver() override { run(crossing).detach(); }
        Crossing& crossing;
    };
    struct Homeward final : Letter {
        explicit Homeward(Crossing& crossing) : crossing(crossing) {}
        void deliver() override { crossing.waiter_.resume(); }
        Crossing& crossing;
    };
    static Task<> run(Crossing& crossing) {
        auto work = crossing.work_();
        crossing.result_.emplace(co_await work);
        crossing.there_.post(crossing.here_.shard(), crossing.homeward_);
    }

    Io& here_;
    Io& there_;
    Work work_;
    std::optional<R> result_;
    std::coroutine_handle<> waiter_;
    Outward outward_;
    Homeward homeward_;
};

template <class R, class Work> Task<R> cross(Io& here, Io& there, Work work) {
    if (here.shard() == there.shard()) {
        auto task = work();
        co_return co_await task;
    }
    co_return co_await Crossing<R, Work>{here, there, std::move(work)};
}

}  // namespace millrace
