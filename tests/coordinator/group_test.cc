// The rules of one group by themselves.
#include "group.h"

#include <doctest/doctest.h>

using namespace millrace;
using coordinator::Group;
using coordinator::Member;
using coordinator::MemberTerms;
using coordinator::TimerQueue;

namespace {

struct Bench {
    TimerQueue timers;
    GroupStats stats;
    Group group{"g", timers, stats};

    Member& add(std::string id, std::vector<std::string> protocols = {"range"},
                std::optional<std::string> instance = {}) {
        MemberTerms terms{.instance_id = std::move(instance)};
        for (const std::string& name : protocols) terms.protocols.push_back({name, name + " of " + id});
        return group.add(std::move(id), std::move(terms), "consumer");
    }
};

}  // namespace

TEST_CASE("the first member leads; when it goes the next oldest does; without members nobody") {
    Bench bench;
    bench.add("b"), bench.add("a"), bench.add("c");
    CHECK(bench.group.leader() == "b");
    bench.group.remove(*bench.group.find("b"));
    CHECK(bench.group.leader() == "a");
    bench.group.remove(*bench.group.find("a"));
    bench.group.remove(*bench.group.find("c"));
    CHECK_FALSE(bench.group.leader());
    CHECK(bench.stats.members == 0);
}

TEST_CASE("a tie of votes goes to the protocol that was voted for first") {
    Bench bench;
    bench.add("a", {"x", "y"}), bench.add("b", {"y", "x"});
    CHECK(bench.group.select_protocol() == "x");
    bench.add("c", {"y", "x"});
    CHECK(bench.group.select_protocol() == "y");
}

TEST_CASE("a protocol that one member does not know is not chosen, however many want it") {
    Bench bench;
    bench.add("a", {"x", "y"}), bench.add("b", {"x", "y"}), bench.add("c", {"y"});
    CHECK(bench.group.select_protocol() == "y");
    CHECK(bench.group.find("a")->metadata("y") == "y of a");
    CHECK(bench.group.find("c")->metadata("x").empty());
}

TEST_CASE("a static member keeps its place under a new id") {
    Bench bench;
    Member& member = bench.add("old", {"range"}, "i1");
    bench.add("other");
    bench.group.rename_static(member, "new");
    CHECK(bench.group.find("new") == &member);
    CHECK(bench.group.find("old") == nullptr);
    CHECK(bench.group.find_static("i1") == &member);
    CHECK(bench.group.leader() == "new");
    CHECK(bench.group.validate("old", "i1") == Error::fenced_instance_id);
    CHECK(bench.group.validate("new", "i1") == Error::none);
    CHECK(bench.group.validate("new", "i2") == Error::unknown_member_id);
    CHECK(bench.group.validate("old", {}) == Error::unknown_member_id);
}

TEST_CASE("only Kafka's transitions are possible, each with its time") {
    Bench bench;
    bench.add("a");
    bench.group.transition(GroupState::preparing_rebalance, 10);
    bench.group.next_generation(20);
    CHECK(bench.group.is(GroupState::completing_rebalance));
    CHECK(bench.group.generation() == 1);
    CHECK(bench.group.protocol() == "range");
    bench.group.transition(GroupState::stable, 30);
    CHECK(bench.group.state_since_ms() == 30);
    CHECK(bench.group.previous_state() == GroupState::completing_rebalance);
    bench.group.transition(GroupState::preparing_rebalance, 40);
    bench.group.remove(*bench.group.find("a"));
    bench.group.next_generation(50);
    CHECK(bench.group.is(GroupState::empty));
    CHECK_FALSE(bench.group.protocol());
    CHECK(bench.stats.groups[size_t(GroupState::empty)] == 1);
}

TEST_CASE("a group takes its counts along when it goes") {
    TimerQueue timers;
    GroupStats stats;
    {
        Group group("g", timers, stats);
        group.add("a", {}, "consumer");
        group.add_pending("p").timer.arm(5);
        CHECK(stats.members == 1);
        CHECK(stats.pending_members == 1);
    }
    CHECK(stats.members + stats.pending_members + stats.groups[0] == 0);
    CHECK(timers.size() == 0);
}
