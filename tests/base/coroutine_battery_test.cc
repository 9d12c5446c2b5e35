// The judge of the compiler: coroutine shapes that compilers have got wrong. In each, every object that is
// born dies exactly once at its own address, and values survive suspension. Includes shapes that
// docs/STYLE.md forbids.
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "millrace/task.h"

namespace millrace {
namespace {

int alive = 0;
int moved_bitwise = 0;

// Its text lives on the heap; knows whether somebody copied its bytes behind its back.
struct Tracked {
    std::string text = "long enough to live on the heap, surely";
    const Tracked* self = this;

    Tracked() { alive++; }
    Tracked(const Tracked& other) : text(other.text) { alive++; }
    Tracked(Tracked&& other) noexcept : text(std::move(other.text)) { alive++; }
    Tracked& operator=(const Tracked& other) {
        text = other.text;
        return *this;
    }
    ~Tracked() {
        if (self != this) moved_bitwise++;
        alive--;
    }
    int size() const { return static_cast<int>(text.size()); }
};
const int tracked_size = 39;

struct Aggregate {
    Tracked tracked;
    int number = 0;
    std::string text{};
};

std::coroutine_handle<> parked;

struct Park {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { parked = handle; }
    void await_resume() const {}
};

template <class T> Task<T> later(T x) {
    co_await Park{};
    co_return x;
}
Task<int> ready(int x) { co_return x; }

Task<int> by_value(Tracked x) {
    co_await Park{};
    co_return x.size();
}
Task<int> by_reference(const Tracked& x) {
    co_await Park{};
    co_return x.size();
}
Task<int> by_default(Tracked x = {}) {
    co_await Park{};
    co_return x.size();
}
Task<int> of_aggregate(Aggregate x) {
    co_await Park{};
    co_return x.number + static_cast<int>(x.text.size());
}
Task<int> of_aggregate_reference(const Aggregate& x) {
    co_await Park{};
    co_return x.number + static_cast<int>(x.text.size());
}
Task<int> of_vector(std::vector<Tracked> x) {
    co_await Park{};
    co_return static_cast<int>(x.size());
}
Task<int> of_list(std::initializer_list<Tracked> x) {
    co_await Park{};
    co_return static_cast<int>(x.size());
}
Task<int> of_string(std::string x) {
    co_await Park{};
    co_return static_cast<int>(x.size());
}
Task<int> of_pointer(std::unique_ptr<Tracked> x) {
    co_await Park{};
    co_return x->size();
}
Task<Aggregate> make(int number) {
    co_await Park{};
    co_return Aggregate{.tracked = {}, .number = number, .text = "fresh"};
}
Task<Aggregate> make_by_braces(int number) {
    co_await Park{};
    co_return {.tracked = {}, .number = number, .text = "fresh"};
}
Task<std::optional<Aggregate>> make_optional(int number) {
    co_await Park{};
    co_return Aggregate{.tracked = {}, .number = number, .text = "fresh"};
}
Task<Aggregate> pass_on(int number) { co_return co_await make(number); }

int sum(const Tracked& a, int x, const Tracked& b) { return x + (a.size() == b.size()); }

struct Object {
    Tracked tracked;
    int number = 5;
    Task<int> member(int x) {
        co_await Park{};
        co_return number + x;
    }
    Task<int> with_this_as_argument(int x) {
        co_return co_await [](Object& object, int y) -> Task<int> {
            co_await Park{};
            co_return object.number + y;
        }(*this, x);
    }
};

using Body = Task<bool> (*)();

Task<> run_body(Body body, bool& done, bool& good) {
    good = co_await body();
    done = true;
}

void judge(Body body) {
    const int alive_before = alive, moved_before = moved_bitwise;
    bool done = false, good = false;
    run_body(body, done, good).detach();
    while (!done && parked) std::exchange(parked, nullptr).resume();
    CHECK(done);
    CHECK(good);
    CHECK(alive == alive_before);
    CHECK(moved_bitwise == moved_before);
}

TEST_CASE("parameters survive suspension") {
    SUBCASE("by value") {
        judge([]() -> Task<bool> { co_return co_await by_value(Tracked{}) == tracked_size; });
    }
    SUBCASE("reference to a temporary") {
        judge([]() -> Task<bool> { co_return co_await by_reference(Tracked{}) == tracked_size; });
    }
    SUBCASE("default argument") {
        judge([]() -> Task<bool> { co_return co_await by_default() == tracked_size; });
    }
    SUBCASE("moved pointer") {
        judge([]() -> Task<bool> {
            co_return co_await of_pointer(std::make_unique<Tracked>()) == tracked_size;
        });
    }
    SUBCASE("string temporaries") {
        judge([]() -> Task<bool> {
            const std::string part = "abcdefghijklmnopqrstuvw";
            co_return co_await of_string(part + "xyz" + part) == 49;
        });
    }
}

TEST_CASE("aggregates and lists as arguments survive suspension") {
    SUBCASE("named type") {
        judge([]() -> Task<bool> { co_return co_await of_aggregate(Aggregate{Tracked{}, 2, "xyz"}) == 5; });
    }
    SUBCASE("braces") {
        judge([]() -> Task<bool> { co_return co_await of_aggregate({Tracked{}, 2, "xyz"}) == 5; });
    }
    SUBCASE("designated") {
        judge([]() -> Task<bool> {
            co_return co_await of_aggregate({.tracked = {}, .number = 2, .text = "xyz"}) == 5;
        });
    }
    SUBCASE("reference to braces") {
        judge([]() -> Task<bool> {
            co_return co_await of_aggregate_reference({.tracked = {}, .number = 2, .text = "xyz"}) == 5;
        });
    }
    SUBCASE("vector from a list") {
        judge([]() -> Task<bool> { co_return co_await of_vector({Tracked{}, Tracked{}}) == 2; });
    }
    SUBCASE("initializer list") {
        judge([]() -> Task<bool> { co_return co_await of_list({Tracked{}, Tracked{}}) == 2; });
    }
}

TEST_CASE("waiting in the middle of an expression keeps its temporaries") {
    SUBCASE("conditional") {
        judge([]() -> Task<bool> {
            const int x = alive ? co_await later(1) : co_await by_value(Tracked{});
            co_return x == 1 || x == tracked_size;
        });
    }
    SUBCASE("conditional of strings") {
        judge([]() -> Task<bool> {
            const Tracked here;
            const std::string x = here.size()
                                      ? co_await later(std::string("a rather long string, on the heap"))
                                      : co_await later(std::string("no"));
            co_return x.size() == 33;
        });
    }
    SUBCASE("and, or") {
        judge([]() -> Task<bool> {
            const bool x = co_await later(false) && co_await later(true);
            const bool y = co_await later(true) || co_await by_value(Tracked{}) == 0;
            co_return !x && y;
        });
    }
    SUBCASE("among arguments") {
        judge([]() -> Task<bool> { co_return sum(Tracked{}, co_await later(4), Tracked{}) == 5; });
    }
    SUBCASE("in designated members") {
        judge([]() -> Task<bool> {
            const Aggregate x{
                .tracked = {}, .number = co_await later(9), .text = co_await later(std::string("q"))};
            co_return x.number == 9 && x.text == "q";
        });
    }
    SUBCASE("in a constructor's arguments") {
        judge([]() -> Task<bool> {
            const auto x = std::make_unique<Aggregate>(Aggregate{Tracked{}, co_await later(2), "s"});
            co_return x->number == 2;
        });
    }
    SUBCASE("in push_back") {
        judge([]() -> Task<bool> {
            std::vector<Aggregate> all;
            all.push_back(co_await make(1));
            all.push_back({Tracked{}, co_await later(2), "x"});
            co_return all.size() == 2 && all[1].number == 2;
        });
    }
    SUBCASE("nested") {
        judge([]() -> Task<bool> {
            const int x =
                co_await later((co_await later(1), co_await later(2))) + co_await by_value(Tracked{});
            co_return x == tracked_size + 2;
        });
    }
    SUBCASE("assignment") {
        judge([]() -> Task<bool> {
            Aggregate x;
            x.number = co_await of_aggregate(
                {.tracked = {}, .number = 1, .text = co_await later(std::string("zz"))});
            co_return x.number == 3;
        });
    }
}

TEST_CASE("waiting in the head of a statement keeps what it declares") {
    SUBCASE("range of a temporary") {
        judge([]() -> Task<bool> {
            int n = 0;
            for (const auto& x : std::vector<Tracked>(3)) {
                co_await Park{};
                n += x.size();
            }
            co_return n == 3 * tracked_size;
        });
    }
    SUBCASE("structured binding") {
        judge([]() -> Task<bool> {
            const auto [tracked, number, text] = co_await make(7);
            co_return number == 7 && text == "fresh" && tracked.size() == tracked_size;
        });
    }
    SUBCASE("structured binding of braces") {
        judge([]() -> Task<bool> {
            const auto [tracked, number, text] = co_await make_by_braces(7);
            co_return number == 7 && text == "fresh" && tracked.size() == tracked_size;
        });
    }
    SUBCASE("switch") {
        judge([]() -> Task<bool> {
            switch (const int x = co_await later(3); x) {
                case 3: co_return co_await later(true);
                default: co_return false;
            }
        });
    }
    SUBCASE("if") {
        judge([]() -> Task<bool> {
            if (const auto x = co_await make(1); x.number == 1) co_return co_await later(true);
            co_return false;
        });
    }
    SUBCASE("while") {
        judge([]() -> Task<bool> {
            int left = 3, n = 0;
            while (const int x = co_await later(left)) n += x, left--;
            co_return n == 6;
        });
    }
    SUBCASE("do while") {
        judge([]() -> Task<bool> {
            int n = 0;
            do n++;
            while (n < 5 && co_await later(true));
            co_return n == 5;
        });
    }
}

TEST_CASE("members, lambdas and results keep their objects") {
    SUBCASE("member") {
        judge([]() -> Task<bool> {
            Object object;
            co_return co_await object.member(2) == 7;
        });
    }
    SUBCASE("member of a temporary") {
        judge([]() -> Task<bool> { co_return co_await Object{}.member(2) == 7; });
    }
    SUBCASE("lambda that is given this") {
        judge([]() -> Task<bool> {
            Object object;
            co_return co_await object.with_this_as_argument(2) == 7;
        });
    }
    SUBCASE("lambda with captures that lives on") {
        judge([]() -> Task<bool> {
            Tracked tracked;
            auto run = [tracked]() -> Task<int> {
                co_await Park{};
                co_return tracked.size();
            };
            co_return co_await run() == tracked_size;
        });
    }
    SUBCASE("lambda with captures, called in place") {
        judge([]() -> Task<bool> {
            Tracked tracked;
            co_return co_await [tracked]() -> Task<int> {
                co_await Park{};
                co_return tracked.size();
            }() == tracked_size;
        });
    }
    SUBCASE("result passed on") {
        judge([]() -> Task<bool> { co_return (co_await pass_on(3)).number == 3; });
    }
    SUBCASE("optional result") {
        judge([]() -> Task<bool> {
            const auto x = co_await make_optional(4);
            co_return x && x->number == 4;
        });
    }
}

TEST_CASE("a task that is dropped while it waits frees everything it holds") {
    const int before = alive;
    {
        auto task = by_value(Tracked{});
        task.await_suspend(std::noop_coroutine()).resume();
        CHECK(alive > before);
    }
    parked = nullptr;
    CHECK(alive == before);
    CHECK(moved_bitwise == 0);
}

TEST_CASE("a loop over a hundred thousand ready tasks needs no stack for each") {
    judge([]() -> Task<bool> {
        int64_t n = 0;
        for (int i = 0; i < 100'000; i++) n += co_await ready(1);
        co_return n == 100'000;
    });
}

}  // namespace
}  // namespace millrace
