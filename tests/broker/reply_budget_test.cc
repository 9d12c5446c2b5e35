// Waiting for memory for a reply: in which order, and what ends it.
#include "reply_budget.h"

#include <doctest/doctest.h>

#include "millrace/sim.h"

namespace millrace {
namespace {

constexpr uint64_t ms = 1'000'000, kib = 1 << 10, all_bytes = 1024 * kib;

struct Replies final : public SimProgram {
    explicit Replies(SimNode& node)
        : node(node), deadlines(node.io()), budget(node.io(), deadlines, all_bytes) {}

    void wait(std::string name, uint64_t within_ms = 60'000) {
        node.spawn(fetch(*this, std::move(name), node.io().now_ns() + within_ms * ms));
    }
    static Task<> fetch(Replies& self, std::string name, uint64_t deadline_ns) {
        co_await self.budget.wait(deadline_ns);
        const uint64_t share = self.budget.share_of(all_bytes);
        self.budget.take(share);
        self.ended.push_back(name + (share > 0 ? "" : ": nothing"));
    }

    SimNode& node;
    Deadlines deadlines;
    ReplyBudget budget;
    std::vector<std::string> ended;
};

struct BudgetWorld {
    SimWorld world;
    SimNode& node = world.add_node();
    BudgetWorld() {
        node.boot([](SimNode& n) { return std::make_unique<Replies>(n); });
        replies().budget.take(all_bytes);
    }
    Replies& replies() { return *static_cast<Replies*>(node.program()); }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("who finds the budget used up goes on when a reply has gone, in his order") {
    BudgetWorld w;
    Replies& r = w.replies();
    CHECK(r.budget.share_of(all_bytes) == 0);
    r.wait("a"), r.wait("b"), r.wait("c");
    w.world.run_for(100 * ms);
    CHECK(r.ended.empty());
    r.budget.give_back(100 * kib);             // Enough for two of the least share.
    CHECK(r.ended.empty());                    // In a turn of their own.
    CHECK(r.budget.share_of(all_bytes) == 0);  // Others are first.
    w.world.run_for(ms);
    CHECK(r.ended == Names{"a", "b"});
    r.budget.give_back(all_bytes / 2);
    w.world.run_for(ms);
    CHECK(r.ended == Names{"a", "b", "c"});
    CHECK(r.budget.share_of(all_bytes) > 0);
}

TEST_CASE("a fetch waits for memory until its deadline at most, or until the node stops") {
    BudgetWorld w;
    Replies& r = w.replies();
    r.wait("late", 10), r.wait("stopped");
    w.world.run_for(20 * ms);
    CHECK(r.ended == Names{"late: nothing"});
    r.budget.end_waits();
    CHECK(r.ended == Names{"late: nothing", "stopped: nothing"});
    r.wait("after");
    CHECK(r.ended.back() == "after: nothing");
}

TEST_CASE("with scarce memory replies have a quarter of their budget") {
    BudgetWorld w;
    ReplyBudget& budget = w.replies().budget;
    budget.give_back(all_bytes);
    CHECK(budget.share_of(all_bytes) == all_bytes / 4);
    budget.set_pressure(MemoryPressure::scarce);
    CHECK(budget.share_of(all_bytes) == 64 * kib);
    budget.set_pressure(MemoryPressure::none);
    CHECK(budget.share_of(all_bytes) == all_bytes / 4);
}

}  // namespace millrace
