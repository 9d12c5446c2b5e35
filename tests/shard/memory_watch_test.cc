// Who hears of memory that is short, and when nobody looks.
#include "millrace/memory_watch.h"

#include <doctest/doctest.h>

#include "millrace/sim.h"

namespace millrace {
namespace {

struct User final : MemoryUser {
    void set_pressure(MemoryPressure set) override { pressure = set, told++; }
    void trim() override { trims++; }
    MemoryPressure pressure = MemoryPressure::none;
    int told = 0, trims = 0;
};

struct Watched final : public SimProgram {
    explicit Watched(SimNode& node) : deadlines(node.io()), watch(node.io(), deadlines, metrics, 0) {
        watch.add(user);
    }
    Metrics metrics;
    Deadlines deadlines;
    User user;
    MemoryWatch watch;
};

struct WatchWorld {
    explicit WatchWorld(uint32_t memory_short) : world({.memory_short = memory_short}) {
        node.boot([](SimNode& n) { return std::make_unique<Watched>(n); });
    }
    // Something is done in each of so many looks.
    void work(int looks) {
        for (int i = 0; i < looks; i++) {
            watched().watch.note_work();
            world.run_for(MemoryWatch::look_ns);
        }
    }
    Watched& watched() { return *static_cast<Watched*>(node.program()); }
    SimWorld world;
    SimNode& node = world.add_node();
};

constexpr uint32_t always = 1'000'000;
constexpr uint64_t long_ns = 3 * MemoryWatch::silent_looks * MemoryWatch::look_ns;

}  // namespace

TEST_CASE("caches go first when memory is short, and producers are slowed down only after that") {
    WatchWorld w{always};
    w.work(3);
    CHECK(w.watched().user.pressure == MemoryPressure::tight);
    CHECK(w.watched().user.trims > 0);
    w.work(6);
    CHECK(w.watched().user.pressure == MemoryPressure::scarce);
}

TEST_CASE("while there is enough memory nobody is told anything") {
    WatchWorld w{0};
    w.work(10);
    CHECK(w.watched().user.told == 0);
    CHECK(w.watched().user.trims == 0);
}

TEST_CASE("after a silence spare memory goes once, and then nobody looks") {
    WatchWorld w{0};
    w.work(3);
    CHECK(w.watched().deadlines.count() == 1);
    w.world.run_for(long_ns);
    CHECK(w.watched().user.trims == 1);
    CHECK(w.watched().deadlines.count() == 0);
    w.world.run_for(long_ns);
    CHECK(w.watched().user.trims == 1);
    w.work(1);
    CHECK(w.watched().deadlines.count() == 1);
}

TEST_CASE("a watch that was stopped does not begin again") {
    WatchWorld w{always};
    w.work(1);
    w.watched().watch.stop();
    CHECK(w.watched().deadlines.count() == 0);
    w.work(2);
    CHECK(w.watched().user.told <= 1);
}

}  // namespace millrace
