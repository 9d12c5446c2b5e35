// Timers come in order of time, and putting them off is honoured.
#include "timer_queue.h"

#include <doctest/doctest.h>

using namespace millrace;
using coordinator::Timer;
using coordinator::TimerQueue;

TEST_CASE("timers are popped in the order in which they are due, the older first on a tie") {
    TimerQueue queue;
    Timer a(queue, Timer::Kind::join), b(queue, Timer::Kind::sync), c(queue, Timer::Kind::session);
    a.arm(30), b.arm(10), c.arm(10);
    CHECK(queue.next_ms() == 10);
    CHECK(queue.pop_due(9) == nullptr);
    CHECK(queue.pop_due(30) == &b);
    CHECK(queue.pop_due(30) == &c);
    CHECK(queue.pop_due(30) == &a);
    CHECK(queue.pop_due(30) == nullptr);
    CHECK_FALSE(queue.next_ms());
}

TEST_CASE("a timer that was put off does not fire at its old time") {
    TimerQueue queue;
    Timer timer(queue, Timer::Kind::session);
    timer.arm(10);
    timer.arm(50);
    CHECK(queue.pop_due(49) == nullptr);
    CHECK(queue.next_ms() == 50);
    CHECK(queue.pop_due(50) == &timer);
}

TEST_CASE("a timer that is brought forward fires early, once") {
    TimerQueue queue;
    Timer timer(queue, Timer::Kind::session);
    timer.arm(50);
    timer.arm(10);
    CHECK(queue.next_ms() == 10);
    CHECK(queue.pop_due(10) == &timer);
    CHECK(queue.pop_due(100) == nullptr);
}

TEST_CASE("disarmed and destroyed timers leave the queue") {
    TimerQueue queue;
    Timer kept(queue, Timer::Kind::join);
    {
        Timer gone(queue, Timer::Kind::join);
        gone.arm(1);
        kept.arm(2);
        CHECK(queue.size() == 2);
    }
    CHECK(queue.size() == 1);
    kept.disarm();
    CHECK_FALSE(kept.is_armed());
    CHECK(queue.size() == 0);
}
