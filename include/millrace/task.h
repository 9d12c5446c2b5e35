// Task<T>: a coroutine that starts when awaited and resumes its awaiter when done. The only coroutine
// machinery: Task, detach, gather, Nursery, Eventual (one value, one waiter), Signal (many waiters).
//
// Frames come from a stock that each thread keeps (src/base/frame_stock.cc): a request takes half a dozen.
// All of it belongs to one shard; nothing here is safe to touch from two.
#pragma once
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "millrace/base.h"

namespace millrace {

template <class T = void> class Task;

namespace detail {

// A place in a ring of its likes; leaves the ring when destroyed.
struct Link {
    Link* before = this;
    Link* after = this;
    std::coroutine_handle<> handle;

    Link() = default;
    Link(const Link&) = delete;
    ~Link() { leave(); }
    bool alone() const { return after == this; }
    void leave() {
        before->after = after, after->before = before;
        before = after = this;
    }
    void join_before(Link& other) {
        ASSERT(alone());
        before = other.before, after = &other;
        before->after = this, other.before = this;
    }
};

}  // namespace detail

// The detached coroutines that began while it was entered: a node that crashes in a simulation destroys them
// with it, the youngest first. A real process has none.
class Nursery {
 public:
    Nursery() = default;
    Nursery(const Nursery&) = delete;
    ~Nursery() { destroy_all(); }

    // What is detached while an Entered lives belongs to the nursery.
    class Entered {
     public:
        explicit Entered(Nursery& nursery) : outer_(std::exchange(current, &nursery)) {}
        Entered(const Entered&) = delete;
        ~Entered() { current = outer_; }

     private:
        Nursery* outer_;
    };

    // None of them may be running.
    void destroy_all() {
        while (!ring_.alone()) ring_.before->handle.destroy();
    }
    bool is_empty() const { return ring_.alone(); }

    static void adopt(detail::Link& link) {
        if (current) link.join_before(current->ring_);
    }

 private:
    static inline constinit thread_local Nursery* current = nullptr;
    detail::Link ring_;
};

namespace detail {

// Memory of one frame. What is given back is kept, up to a limit in bytes, for the next frames of its size by
// the thread that frees it.
inline constexpr size_t kept_frame_bytes_max = 1 << 20;
void* take_frame(size_t size);
void give_back_frame(void* frame, size_t size);
void drop_kept_frames();    // Of this thread.
size_t kept_frame_bytes();  // By this thread, now. Sanitizers see plain memory, and nothing kept.

struct PromiseBase {
    static void* operator new(size_t size) { return take_frame(size); }
    static void operator delete(void* frame, size_t size) { give_back_frame(frame, size); }

    std::coroutine_handle<> awaiter = std::noop_coroutine();
    bool detached = false;
    Link nursery_place;

    struct Final {
        bool await_ready() noexcept { return false; }
        template <class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
            auto next = self.promise().awaiter;
            if (self.promise().detached) self.destroy();
            return next;
        }
        void await_resume() noexcept {}
    };
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { std::terminate(); }  // The broker does not throw.
};

template <class T> struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object();
    template <class U = T> void return_value(U&& x) { value.emplace(std::forward<U>(x)); }
    T take() { return std::move(*value); }
};

template <> struct Promise<void> : PromiseBase {
    Task<void> get_return_object();
    void return_void() {}
    void take() {}
};

}  // namespace detail

template <class T> class [[nodiscard]] Task {
 public:
    using promise_type = detail::Promise<T>;
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&&) = delete;
    // The frame is destroyed through an address that the compiler cannot follow: where clang-16 puts frames
    // of inner coroutines into their callers' (heap elision), some ways out free such a frame as if it were
    // its own.
    ~Task() {
        if (!handle_) return;
        void* frame = handle_.address();
        asm volatile("" : "+r"(frame));
        std::coroutine_handle<>::from_address(frame).destroy();
    }

    bool await_ready() const { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) {
        handle_.promise().awaiter = awaiter;
        return handle_;
    }
    T await_resume() { return handle_.promise().take(); }

    // Runs on its own from here, until its first wait inside this call; its frame is freed when it ends. Only
    // where a life begins: net/, shard/, a process's root task, the sentries of a parked fetch, tests.
    void detach() && {
        auto& promise = handle_.promise();
        promise.detached = true;
        promise.nursery_place.handle = handle_;
        Nursery::adopt(promise.nursery_place);
        std::exchange(handle_, {}).resume();
    }

 private:
    std::coroutine_handle<promise_type> handle_;
};

template <class T> Task<T> detail::Promise<T>::get_return_object() {
    return Task<T>{std::coroutine_handle<Promise>::from_promise(*this)};
}
inline Task<void> detail::Promise<void>::get_return_object() {
    return Task<void>{std::coroutine_handle<Promise>::from_promise(*this)};
}

// A value that comes later, for one waiter. Setting it resumes the waiter at once, inside set().
// Must outlive its waiter.
template <class T> class Eventual {
 public:
    Eventual() = default;
    Eventual(const Eventual&) = delete;

    bool is_set() const { return value_.has_value(); }
    void set(T value) {
        ASSERT(!value_);
        value_.emplace(std::move(value));
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }
    bool await_ready() const { return is_set(); }
    void await_suspend(std::coroutine_handle<> waiter) {
        ASSERT(!waiter_);
        waiter_ = waiter;
    }
    T await_resume() { return std::move(*value_); }

 private:
    std::optional<T> value_;
    std::coroutine_handle<> waiter_;
};

// Wakes everyone who waits at that moment. Waiters look at the world again: it may have changed.
class Signal {
 public:
    Signal() = default;
    Signal(const Signal&) = delete;
    ~Signal() { ASSERT(waiters_.alone()); }

    void notify_all() {
        detail::Link woken;
        while (!waiters_.alone()) move(waiters_, woken);
        while (!woken.alone()) {
            const auto waiter = woken.after->handle;
            woken.after->leave();
            waiter.resume();
        }
    }
    bool has_waiters() const { return !waiters_.alone(); }

    struct Wait {
        Signal& signal;
        detail::Link place;
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> waiter) {
            place.handle = waiter;
            place.join_before(signal.waiters_);
        }
        void await_resume() {}
    };
    Wait operator co_await() { return {*this, {}}; }

 private:
    static void move(detail::Link& from, detail::Link& to) {
        detail::Link& first = *from.after;
        first.leave();
        first.join_before(to);
    }
    detail::Link waiters_;
};

namespace detail {

struct Gathering {
    size_t left;
    std::coroutine_handle<> waiter;
    void one_done() {
        if (--left == 0 && waiter) waiter.resume();
    }
    bool await_ready() const { return left == 0; }
    void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
    void await_resume() {}
};

template <class T> Task<> gather_one(Task<T> task, std::optional<T>& slot, Gathering& gathering) {
    slot.emplace(co_await task);
    gathering.one_done();
}
inline Task<> gather_one(Task<> task, Gathering& gathering) {
    co_await task;
    gathering.one_done();
}

}  // namespace detail

// Starts all of them in order, and ends when all have ended; results are in the order of the tasks.
template <class T> Task<std::vector<T>> gather(std::vector<Task<T>> tasks) {
    std::vector<std::optional<T>> slots(tasks.size());
    detail::Gathering gathering{tasks.size(), {}};
    for (size_t i = 0; i < tasks.size(); i++)
        detail::gather_one(std::move(tasks[i]), slots[i], gathering).detach();
    co_await gathering;
    std::vector<T> results;
    results.reserve(slots.size());
    for (auto& slot : slots) results.push_back(std::move(*slot));
    co_return results;
}
inline Task<> gather(std::vector<Task<>> tasks) {
    detail::Gathering gathering{tasks.size(), {}};
    for (auto& task : tasks) detail::gather_one(std::move(task), gathering).detach();
    co_await gathering;
}

}  // namespace millrace
