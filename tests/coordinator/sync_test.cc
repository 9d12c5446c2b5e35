// SyncGroup, Heartbeat and LeaveGroup in every state of a group.
#include "lab.h"

using namespace millrace;
using namespace millrace::test;

namespace {

// Two members that have their join answers and have not synced.
struct Completing {
    explicit Completing(Lab& lab) {
        a = lab.new_id(), b = lab.new_id();
        joins[0] = lab.join({.member = a});
        joins[1] = lab.join({.member = b});
        lab.pass(6'000);  // One more delay, as a second member came.
        REQUIRE(lab.state() == "CompletingRebalance");
    }
    std::string a, b;  // a leads.
    JoinCall joins[2];
};

}  // namespace

TEST_CASE("followers wait for the leader's assignment; those that it forgot get nothing") {
    Lab lab;
    Completing group(lab);
    const auto follower = lab.sync({.member = group.b, .generation = 1});
    CHECK_FALSE(follower->done());
    const auto leader =
        lab.sync({.member = group.a, .generation = 1, .assignments = {{group.a, "all"}, {"stranger", "x"}}});
    CHECK(as_text((*leader)->assignment) == "all");
    CHECK((*leader)->protocol_type == "consumer");
    CHECK((*leader)->protocol_name == "range");
    CHECK((*follower)->error_code == Error::none);
    CHECK((*follower)->assignment.empty());
    CHECK(lab.state() == "Stable");
}

TEST_CASE("the assignment is told only when it is committed") {
    Lab lab;
    Completing group(lab);
    lab.log.holds = true;
    const auto leader = lab.sync({.member = group.a, .generation = 1, .assignments = {{group.b, "x"}}});
    CHECK_FALSE(leader->done());
    CHECK(lab.state() == "CompletingRebalance");
    const auto follower = lab.sync({.member = group.b, .generation = 1});
    CHECK_FALSE(follower->done());
    lab.log.release();
    lab.log.holds = false;
    CHECK((*leader)->error_code == Error::none);
    CHECK(as_text((*follower)->assignment) == "x");
}

TEST_CASE("an assignment that cannot be recorded makes the group begin anew") {
    Lab lab;
    Completing group(lab);
    const auto follower = lab.sync({.member = group.b, .generation = 1});
    lab.log.fails_with = Error::not_enough_replicas;
    const auto leader = lab.sync({.member = group.a, .generation = 1, .assignments = {{group.b, "x"}}});
    CHECK((*leader)->error_code == Error::coordinator_not_available);
    CHECK((*follower)->error_code == Error::coordinator_not_available);
    CHECK(lab.state() == "PreparingRebalance");
    CHECK_FALSE(lab.coordinator->resigned());
    lab.log.fails_with = Error::none;
    CHECK(settle(lab, {{.member = group.a}, {.member = group.b}})[1].generation == 2);
}

TEST_CASE("an assignment too large for one append is refused and the group begins anew") {
    Lab lab({.append_batch_max_bytes = 1'000});
    Completing group(lab);
    const auto leader =
        lab.sync({.member = group.a, .generation = 1, .assignments = {{group.b, std::string(2'000, 'x')}}});
    CHECK((*leader)->error_code == Error::unknown_server_error);
    CHECK(lab.state() == "PreparingRebalance");
}

TEST_CASE("a rebalance that begins while the assignment is on its way wins") {
    Lab lab;
    Completing group(lab);
    lab.log.holds = true;
    const auto leader = lab.sync({.member = group.a, .generation = 1, .assignments = {{group.b, "x"}}});
    const auto changed = lab.join({.member = group.b, .protocols = {{"range", "other"}}});
    CHECK((*leader)->error_code == Error::rebalance_in_progress);
    lab.log.release();
    lab.log.holds = false;
    CHECK(lab.state() == "PreparingRebalance");
    const auto again = lab.join({.member = group.a});
    CHECK((*changed)->generation_id == 2);
}

TEST_CASE("a sync of a wrong member, generation, type or protocol is refused") {
    Lab lab;
    CHECK((*lab.sync({.group = "", .member = "a"}))->error_code == Error::invalid_group_id);
    CHECK((*lab.sync({.member = "a"}))->error_code == Error::unknown_member_id);
    Completing group(lab);
    CHECK((*lab.sync({.member = "stranger", .generation = 1}))->error_code == Error::unknown_member_id);
    CHECK((*lab.sync({.member = group.b, .generation = 2}))->error_code == Error::illegal_generation);
    CHECK((*lab.sync({.member = group.b, .generation = 1, .type = "connect"}))->error_code ==
          Error::inconsistent_group_protocol);
    CHECK((*lab.sync({.member = group.b, .generation = 1, .type = "consumer", .protocol = "sticky"}))
              ->error_code == Error::inconsistent_group_protocol);
    const auto parked =
        lab.sync({.member = group.b, .generation = 1, .type = "consumer", .protocol = "range"});
    CHECK_FALSE(parked->done());
    lab.leave({{.member = group.a}});
    CHECK((*parked)->error_code == Error::rebalance_in_progress);
    CHECK((*lab.sync({.member = group.b, .generation = 1}))->error_code == Error::rebalance_in_progress);
}

TEST_CASE("a sync in a Stable group gives the assignment again") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    CHECK(as_text((*lab.sync({.member = members[1].id, .generation = 1}))->assignment) ==
          members[1].assignment);
}

TEST_CASE("a member that syncs again while its first call is parked ends that call") {
    Lab lab;
    Completing group(lab);
    const auto first = lab.sync({.member = group.b, .generation = 1});
    const auto second = lab.sync({.member = group.b, .generation = 1});
    CHECK((*first)->error_code == Error::rebalance_in_progress);
    const auto leader = lab.sync({.member = group.a, .generation = 1});
    CHECK((*second)->error_code == Error::none);
}

TEST_CASE("heartbeats are answered by the state of the group") {
    Lab lab;
    CHECK(lab.heartbeat("a", 1, "") == Error::invalid_group_id);
    CHECK(lab.heartbeat("a", 1) == Error::unknown_member_id);
    Completing group(lab);
    CHECK(lab.heartbeat(group.b, 1) == Error::none);
    CHECK(lab.heartbeat(group.b, 0) == Error::illegal_generation);
    CHECK(lab.heartbeat(group.b, 1, "g", "nobody's") == Error::unknown_member_id);
    const auto changed = lab.join({.member = group.a, .protocols = {{"range", "x"}}});
    CHECK(lab.heartbeat(group.b, 1) == Error::rebalance_in_progress);
}

TEST_CASE("leaving: each member has its own answer, and the last one's is recorded first") {
    Lab lab;
    const auto members = settle(lab, {{}, {.instance = "i1"}});
    const std::string pending = lab.new_id();
    const auto mixed =
        lab.leave({{.member = "stranger"}, {.member = pending}, {.member = "other", .instance = "i1"}});
    REQUIRE((*mixed)->members.size() == 3);
    CHECK((*mixed)->members[0].error_code == Error::unknown_member_id);
    CHECK((*mixed)->members[1].error_code == Error::none);
    CHECK((*mixed)->members[2].error_code == Error::fenced_instance_id);
    lab.log.holds = true;
    const auto last = lab.leave({{.member = "", .instance = "i1"}, {.member = members[0].id}});
    CHECK_FALSE(last->done());
    CHECK(lab.state() == "Empty");
    lab.log.release();
    lab.log.holds = false;
    CHECK((*last)->members[0].error_code == Error::none);
    CHECK((*last)->members[1].error_code == Error::none);
    lab.restart();
    CHECK(lab.state() == "Empty");
}

TEST_CASE("up to version 2 a single member leaves and its error is the answer's") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    CHECK((*lab.leave({{.member = "stranger"}}, 2))->error_code == Error::unknown_member_id);
    CHECK((*lab.leave({{.member = members[0].id}}, 0))->error_code == Error::none);
    CHECK(lab.state() == "PreparingRebalance");
    CHECK((*lab.leave({{.member = "a"}}, 2, "unknown"))->error_code == Error::unknown_member_id);
    CHECK((*lab.leave({{.member = "a"}}, 5, ""))->error_code == Error::invalid_group_id);
}

TEST_CASE("a member that leaves ends its parked calls") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    const auto join = lab.join({.member = members[0].id});
    lab.leave({{.member = members[0].id}});
    CHECK((*join)->error_code == Error::unknown_member_id);
    const auto other = lab.join({.member = members[1].id});
    CHECK((*other)->leader == members[1].id);
}

TEST_CASE("when the leader leaves the next to have come leads") {
    Lab lab;
    const auto members = settle(lab, {{}, {}, {}});
    lab.leave({{.member = members[0].id}});
    const auto join_c = lab.join({.member = members[2].id}), join_b = lab.join({.member = members[1].id});
    CHECK((*join_c)->leader == members[1].id);
    CHECK((*join_b)->members.size() == 2);
}
