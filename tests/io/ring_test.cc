// Turns of a real ring: timers, letters, several shards, cancellation.
#include <cerrno>

#include <doctest/doctest.h>

#include "run.h"

using namespace millrace;
using namespace millrace::test;
using Kind = Op::Kind;

namespace {

constexpr uint64_t millisecond = 1'000'000;

Task<> sleep_and_note(Io& io, uint64_t ns, int number, std::vector<int>& order) {
    const uint64_t due = io.now_ns() + ns;
    const int32_t rc = co_await sleep_for(io, ns);
    CHECK(rc == 0);
    CHECK(io.now_ns() >= due);
    order.push_back(number);
}

Task<> timers_in_order(Io& io) {
    std::vector<int> order;
    std::vector<Task<>> sleepers;
    sleepers.push_back(sleep_and_note(io, 3 * millisecond, 4, order));
    sleepers.push_back(sleep_and_note(io, 1 * millisecond, 1, order));
    sleepers.push_back(sleep_and_note(io, 2 * millisecond, 2, order));
    sleepers.push_back(sleep_and_note(io, 2 * millisecond, 3, order));
    sleepers.push_back(sleep_and_note(io, 0, 0, order));
    co_await gather(std::move(sleepers));
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

Task<> await_into(Once& once, int32_t& result, Eventual<bool>* told) {
    result = co_await once;
    if (told) told->set(true);
}

Task<> timers_cancelled(Io& io) {
    constexpr size_t count = 10'000;
    std::vector<std::unique_ptr<Once>> sleeps;
    std::vector<int32_t> results(count, 1);
    for (size_t i = 0; i < count; i++) {
        const uint64_t ns =
            i % 2 ? 3600 * 1000 * millisecond + io.random() % millisecond : io.random() % millisecond;
        sleeps.push_back(std::make_unique<Once>(io, Kind::sleep, OpArguments{.size = ns}));
        await_into(*sleeps.back(), results[i], nullptr).detach();
    }
    for (size_t i = 1; i < count; i += 2) sleeps[i]->cancel();
    CHECK(results[1] == 1);  // Not inside cancel.
    co_await sleep_for(io, 2 * millisecond);
    for (size_t i = 0; i < count; i++) CHECK(results[i] == (i % 2 ? -ECANCELED : 0));
}

// A timer of nothing belongs to the next turn, and gives way to everything else.
Task<> busy_sleeper(Io& io, bool& stop, uint64_t& rounds) {
    while (!stop) {
        const uint64_t turn = io.statistics().turns;
        co_await sleep_for(io, 0);
        CHECK(io.statistics().turns > turn);
        rounds++;
    }
}

Task<> sleeps_of_nothing(Io& io) {
    bool stop = false;
    uint64_t rounds = 0;
    busy_sleeper(io, stop, rounds).detach();
    co_await sleep_for(io, 2 * millisecond);
    stop = true;
    co_await sleep_for(io, millisecond);
    CHECK(rounds > 10);
}

struct Note final : Letter {
    std::function<void()> on_delivery;
    void deliver() override { on_delivery(); }
};

Task<> letters_to_myself(Io& io) {
    std::vector<int> order;
    Eventual<bool> all;
    std::vector<Note> notes(3);
    for (int i = 0; i < 3; i++) {
        notes[i].on_delivery = [&, i] {
            order.push_back(i);
            if (i == 2) all.set(true);
        };
        io.post(io.shard(), notes[i]);
    }
    CHECK(order.empty());
    co_await all;
    CHECK(order == std::vector<int>{0, 1, 2});
}

Task<> cancelled_read(Io& io) {
    // An accept that never happens stands for all that waits on a descriptor.
    const int32_t listener = co_await Once{io, Kind::listen, {.path = "127.0.0.1:0"}};
    REQUIRE(listener >= 0);
    const std::string address = io.local_address(listener);
    const int32_t fd = co_await Once{io, Kind::connect, {.path = address.c_str()}};
    REQUIRE(fd >= 0);
    char byte;
    Once reading(io, Kind::read, {.fd = fd, .data = &byte, .size = 1, .offset = Op::at_cursor});
    int32_t result = 1;
    Eventual<bool> told;
    await_into(reading, result, &told).detach();
    co_await sleep_for(io, millisecond);
    CHECK(result == 1);
    reading.cancel();
    co_await told;
    CHECK((result == -ECANCELED || result == -EINTR));
    co_await Once{io, Kind::close, {.fd = fd}};
    co_await Once{io, Kind::close, {.fd = listener}};
}

Task<> idle_costs_nothing(Io& io) {
    co_await sleep_for(io, millisecond);
    const auto before = io.statistics();
    co_await sleep_for(io, 50 * millisecond);
    const auto after = io.statistics();
    CHECK(after.enters - before.enters < 8);
    CHECK(after.spins - before.spins < 8);
}

Task<> random_numbers(Io& io) {
    std::vector<uint64_t> seen;
    for (int i = 0; i < 1000; i++) seen.push_back(io.random());
    std::sort(seen.begin(), seen.end());
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
    co_return;
}

}  // namespace

TEST_CASE("timers end in the order of their times, then of their beginning") { run(timers_in_order); }
TEST_CASE("thousands of timers are cancelled, the others end") { run(timers_cancelled); }
TEST_CASE("a timer of nothing belongs to a later turn") { run(sleeps_of_nothing); }
TEST_CASE("a letter to oneself is delivered in order, and not inside post") { run(letters_to_myself); }
TEST_CASE("what waits on a descriptor can be cancelled") { run(cancelled_read); }
TEST_CASE("an idle shard neither turns nor spins") { run(idle_costs_nothing); }
TEST_CASE("random numbers do not repeat") { run(random_numbers); }
