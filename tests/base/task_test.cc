// Task, gather, Eventual, Signal: who runs when, and that every frame is freed.
#include "millrace/task.h"

#include <string>

#include <doctest/doctest.h>

namespace millrace {
namespace {

Task<int> soon(int x) { co_return x; }
Task<int> after(Eventual<int>& event) { co_return co_await event; }
Task<> keep(Task<int> task, int& to) { to = co_await task; }
Task<> note(std::vector<int>& order, int x) {
    order.push_back(x);
    co_return;
}
Task<> wait_and_note(Signal& signal, std::vector<int>& order, int x) {
    co_await signal;
    order.push_back(x);
}

TEST_CASE("a task does nothing before it is awaited") {
    std::vector<int> order;
    { const auto never = note(order, 1); }
    CHECK(order.empty());
    note(order, 2).detach();
    CHECK(order == std::vector{2});
}

TEST_CASE("a value comes back through any depth of tasks") {
    struct Deep {
        static Task<int> sum(int n) {
            if (n == 0) co_return 0;
            const int rest = co_await sum(n - 1);
            co_return rest + n;
        }
    };
    int result = 0;
    keep(Deep::sum(1000), result).detach();
    CHECK(result == 500'500);
}

TEST_CASE("an eventual resumes its waiter at once, and does not wait when it is set") {
    Eventual<int> event;
    int result = 0;
    keep(after(event), result).detach();
    CHECK(result == 0);
    event.set(7);
    CHECK(result == 7);

    Eventual<int> set;
    set.set(8);
    CHECK(set.is_set());
    keep(after(set), result).detach();
    CHECK(result == 8);
}

TEST_CASE("a signal wakes those who wait at that moment, in their order") {
    Signal signal;
    std::vector<int> order;
    CHECK(!signal.has_waiters());
    for (int i = 0; i < 3; i++) wait_and_note(signal, order, i).detach();
    CHECK(signal.has_waiters());
    signal.notify_all();
    CHECK(order == std::vector{0, 1, 2});
    CHECK(!signal.has_waiters());
    signal.notify_all();
    CHECK(order.size() == 3);
}

Task<> wait_twice(Signal& signal, int& times) {
    co_await signal;
    times++;
    co_await signal;
    times++;
}

TEST_CASE("who waits again while being woken is woken by the next call") {
    Signal signal;
    int times = 0;
    wait_twice(signal, times).detach();
    signal.notify_all();
    CHECK(times == 1);
    signal.notify_all();
    CHECK(times == 2);
}

Task<> gather_into(std::vector<Task<int>> tasks, std::vector<int>& results, bool& done) {
    results = co_await gather(std::move(tasks));
    done = true;
}

TEST_CASE("gather ends with the last, and keeps the order of the tasks") {
    Eventual<int> first, third;
    std::vector<Task<int>> tasks;
    tasks.push_back(after(first));
    tasks.push_back(soon(2));
    tasks.push_back(after(third));
    std::vector<int> results;
    bool done = false;
    gather_into(std::move(tasks), results, done).detach();
    third.set(3);
    CHECK(!done);
    first.set(1);
    CHECK(done);
    CHECK(results == std::vector{1, 2, 3});
}

TEST_CASE("gathering nothing, or only what is ready, does not wait") {
    std::vector<int> results{9};
    bool done = false;
    gather_into({}, results, done).detach();
    CHECK(done);
    CHECK(results.empty());
    std::vector<Task<int>> ready;
    for (int i = 0; i < 100; i++) ready.push_back(soon(i));
    gather_into(std::move(ready), results, done = false).detach();
    CHECK(done);
    CHECK(results.size() == 100);
    CHECK(results[99] == 99);
}

// Tells when its frame dies.
struct Guard {
    int& deaths;
    ~Guard() { deaths++; }
};

Task<> guarded(Signal& signal, int& deaths) {
    const Guard guard{deaths};
    co_await signal;
}

TEST_CASE("a nursery destroys what was detached in it and still waits") {
    Signal signal;
    int deaths = 0;
    {
        Nursery nursery;
        {
            const Nursery::Entered entered(nursery);
            guarded(signal, deaths).detach();
            guarded(signal, deaths).detach();
        }
        CHECK(!nursery.is_empty());
        CHECK(deaths == 0);
    }
    CHECK(deaths == 2);
    CHECK(!signal.has_waiters());
}

TEST_CASE("what has ended leaves its nursery") {
    Signal signal;
    int deaths = 0;
    Nursery nursery;
    {
        const Nursery::Entered entered(nursery);
        guarded(signal, deaths).detach();
    }
    signal.notify_all();
    CHECK(deaths == 1);
    CHECK(nursery.is_empty());
}

TEST_CASE("frames are taken from those that were given back, up to a limit") {
    void* const first = detail::take_frame(100);
    const size_t before = detail::kept_frame_bytes();
    detail::give_back_frame(first, 100);
    if (detail::kept_frame_bytes() == before) return;  // A sanitizer looks after frames.
    void* const larger = detail::take_frame(1000);
    CHECK(larger != first);
    CHECK(detail::take_frame(101) == first);  // Sizes that differ little share their frames.
    detail::give_back_frame(first, 101);
    detail::give_back_frame(larger, 1000);

    constexpr size_t size = 2000, count = 2 * detail::kept_frame_bytes_max / size;
    std::vector<void*> frames;
    for (size_t i = 0; i < count; i++) frames.push_back(detail::take_frame(size));
    for (void* frame : frames) detail::give_back_frame(frame, size);
    CHECK(detail::kept_frame_bytes() <= detail::kept_frame_bytes_max);
    CHECK(detail::kept_frame_bytes() > detail::kept_frame_bytes_max - size);
}

}  // namespace
}  // namespace millrace
