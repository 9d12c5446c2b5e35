// Who may join, as whom, and what they are told.
#include "lab.h"

using namespace millrace;
using namespace millrace::test;

TEST_CASE("a new member of version 4 and above is given an id and must come back with it") {
    Lab lab;
    const auto first = lab.join({.version = 4});
    CHECK((*first)->error_code == Error::member_id_required);
    CHECK((*first)->member_id == "client-00000000-0000-0000-0000-000000000001");
    CHECK(lab.coordinator->stats().pending_members == 1);
    const auto second = lab.join({.member = std::string((*first)->member_id)});
    CHECK_FALSE(second->done());
    lab.pass(3'000);
    CHECK((*second)->error_code == Error::none);
    CHECK((*second)->generation_id == 1);
    CHECK(lab.coordinator->stats().pending_members == 0);
}

TEST_CASE("a new member of version 3 joins at once") {
    Lab lab;
    const auto call = lab.join({.version = 3});
    CHECK_FALSE(call->done());
    lab.pass(3'000);
    CHECK((*call)->error_code == Error::none);
    CHECK((*call)->leader == (*call)->member_id);
}

TEST_CASE("an id that nobody was given is unknown, and does not make a group") {
    Lab lab;
    const auto call = lab.join({.member = "invented"});
    CHECK((*call)->error_code == Error::unknown_member_id);
    CHECK((*call)->member_id == "invented");
    CHECK(lab.state() == "Dead");
}

TEST_CASE("an empty group id and a session timeout out of bounds are refused") {
    Lab lab;
    CHECK((*lab.join({.group = ""}))->error_code == Error::invalid_group_id);
    CHECK((*lab.join({.session_ms = 5'999}))->error_code == Error::invalid_session_timeout);
    CHECK((*lab.join({.session_ms = 1'800'001}))->error_code == Error::invalid_session_timeout);
    CHECK((*lab.join({.session_ms = 6'000}))->error_code == Error::member_id_required);
}

TEST_CASE("a first member needs a protocol and a type, a later one those of the group") {
    Lab lab;
    CHECK((*lab.join({.protocols = {}}))->error_code == Error::inconsistent_group_protocol);
    CHECK((*lab.join({.type = ""}))->error_code == Error::inconsistent_group_protocol);
    settle(lab, {{}});
    CHECK((*lab.join({.type = "connect"}))->error_code == Error::inconsistent_group_protocol);
    CHECK((*lab.join({.protocols = {{"sticky", ""}}}))->error_code == Error::inconsistent_group_protocol);
    CHECK((*lab.join({.protocols = {{"sticky", ""}, {"range", ""}}}))->error_code ==
          Error::member_id_required);
}

TEST_CASE("the protocol with the most votes among those that all know is chosen") {
    Lab lab;
    std::vector<JoinSpec> specs(3);
    specs[0].protocols = {{"range", "r0"}, {"sticky", "s0"}, {"own", "o"}};
    specs[1].protocols = {{"sticky", "s1"}, {"range", "r1"}};
    specs[2].protocols = {{"sticky", "s2"}, {"range", "r2"}};
    settle(lab, specs);
    CHECK(lab.describe().protocol_data == "sticky");
    CHECK(as_text(lab.describe().members[0].member_metadata) == "s0");
}

TEST_CASE("a protocol that a member names twice counts once") {
    Lab lab;
    settle(lab, {{.protocols = {{"range", "a"}, {"range", "b"}}}, {}});
    CHECK(lab.describe().protocol_data == "range");
    CHECK(as_text(lab.describe().members[0].member_metadata) == "a");
}

TEST_CASE("only the leader is told the members") {
    Lab lab;
    const std::string a = lab.new_id(), b = lab.new_id();
    const auto join_a = lab.join({.member = a, .protocols = {{"range", "ma"}}});
    const auto join_b = lab.join({.member = b, .protocols = {{"range", "mb"}}});
    lab.pass(6'000);
    CHECK((*join_a)->leader == a);
    CHECK((*join_b)->leader == a);
    CHECK((*join_b)->members.empty());
    REQUIRE((*join_a)->members.size() == 2);
    CHECK((*join_a)->members[1].member_id == b);
    CHECK(as_text((*join_a)->members[1].metadata) == "mb");
    CHECK((*join_a)->protocol_type == "consumer");
    CHECK((*join_a)->protocol_name == "range");
    CHECK_FALSE((*join_a)->skip_assignment);
}

TEST_CASE("a member that asks again while its group completes gets the same answer") {
    Lab lab;
    const std::string a = lab.new_id();
    const auto first = lab.join({.member = a});
    lab.pass(3'000);
    const auto again = lab.join({.member = a});
    CHECK((*again)->generation_id == (*first)->generation_id);
    CHECK((*again)->members.size() == 1);
    CHECK(lab.state() == "CompletingRebalance");
}

TEST_CASE("a member that asks again while its first call is parked ends that call") {
    Lab lab;
    const std::string a = lab.new_id();
    const auto first = lab.join({.member = a});
    const auto second = lab.join({.member = a});
    CHECK((*first)->error_code == Error::rebalance_in_progress);
    lab.pass(3'000);
    CHECK((*second)->error_code == Error::none);
}

TEST_CASE("in a Stable group a follower that rejoins unchanged disturbs nobody, a leader or a change does") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    const auto follower = lab.join({.member = members[1].id});
    CHECK((*follower)->generation_id == 1);
    CHECK(lab.state() == "Stable");
    SUBCASE("the leader rejoins") {
        const auto leader = lab.join({.member = members[0].id});
        CHECK_FALSE(leader->done());
    }
    SUBCASE("a follower with other metadata") {
        const auto changed = lab.join({.member = members[1].id, .protocols = {{"range", "other"}}});
        CHECK_FALSE(changed->done());
    }
    CHECK(lab.state() == "PreparingRebalance");
}

TEST_CASE("a group takes no more than group.max.size members") {
    Lab lab({.group_max_size = 2});
    const auto members = settle(lab, {{}, {}});
    CHECK((*lab.join({}))->error_code == Error::group_max_size_reached);
    CHECK((*lab.join({.member = members[1].id}))->error_code == Error::none);
}

TEST_CASE("the last to come are turned away when a group is joined by too many at once") {
    Lab lab({.group_max_size = 2});
    const std::string a = lab.new_id(), b = lab.new_id(), c = lab.new_id();
    const auto join_a = lab.join({.member = a}), join_b = lab.join({.member = b}),
               join_c = lab.join({.member = c});
    CHECK((*join_c)->error_code == Error::group_max_size_reached);
    lab.pass(6'000);
    CHECK((*join_a)->members.size() == 2);
    CHECK((*join_b)->error_code == Error::none);
}

TEST_CASE("groups and members of one coordinator are limited") {
    Lab lab({.groups_max = 1, .members_max = 2});
    lab.new_id();
    CHECK((*lab.join({.group = "other"}))->error_code == Error::coordinator_not_available);
    lab.new_id();
    CHECK((*lab.join({}))->error_code == Error::group_max_size_reached);
}

TEST_CASE("in version 0 the session timeout is the rebalance timeout too") {
    Lab lab;
    const JoinSpec leader{.session_ms = 100'000, .rebalance_ms = 6'000, .version = 3};
    const auto members = settle(lab, {leader, {.session_ms = 20'000, .rebalance_ms = 60'000, .version = 0}});
    JoinSpec again = leader;
    again.member = members[0].id;
    const auto join = lab.join(again);
    lab.pass(19'000);
    CHECK(lab.heartbeat(members[1].id, 1) == Error::rebalance_in_progress);
    CHECK_FALSE(join->done());
    lab.pass(1'000);
    CHECK((*join)->members.size() == 1);
}

// ---- Static members ------------------------------------------------------------------------------------

TEST_CASE("a static member joins without the round for an id") {
    Lab lab;
    const auto call = lab.join({.instance = "i1"});
    lab.pass(3'000);
    CHECK((*call)->error_code == Error::none);
    CHECK((*call)->member_id.starts_with("i1-"));
    CHECK((*call)->members[0].group_instance_id == "i1");
}

TEST_CASE("a static member that comes back to a Stable group takes its place without a rebalance") {
    Lab lab;
    const auto members = settle(lab, {{}, {.instance = "i1"}});
    const auto back = lab.join({.instance = "i1"});
    CHECK((*back)->error_code == Error::none);
    CHECK((*back)->generation_id == 1);
    CHECK((*back)->member_id != members[1].id);
    CHECK(lab.state() == "Stable");
    const std::string id((*back)->member_id);
    CHECK(lab.heartbeat(id, 1, "g", "i1") == Error::none);
    CHECK(lab.heartbeat(members[1].id, 1, "g", "i1") == Error::fenced_instance_id);
    CHECK(lab.heartbeat(members[1].id, 1) == Error::unknown_member_id);
    const auto sync = lab.sync({.member = id, .generation = 1, .instance = "i1"});
    CHECK(as_text((*sync)->assignment) == members[1].assignment);
    lab.restart();
    CHECK(lab.heartbeat(id, 1, "g", "i1") == Error::none);
}

TEST_CASE("a static leader that comes back is told to skip the assignment, or that it does not lead") {
    Lab lab;
    const auto members = settle(lab, {{.instance = "i1"}, {}});
    SUBCASE("version 9") {
        const auto back = lab.join({.instance = "i1", .version = 9});
        CHECK((*back)->skip_assignment);
        CHECK((*back)->leader == (*back)->member_id);
        CHECK((*back)->members.size() == 2);
    }
    SUBCASE("version 8") {
        const auto back = lab.join({.instance = "i1", .version = 8});
        CHECK_FALSE((*back)->skip_assignment);
        CHECK((*back)->leader == members[0].id);
        CHECK((*back)->members.empty());
    }
}

TEST_CASE("a static member that comes back while its group completes makes it begin anew") {
    Lab lab;
    const auto join_a = lab.join({.instance = "a"}), join_b = lab.join({.instance = "b"});
    lab.pass(6'000);
    const auto sync =
        lab.sync({.member = std::string((*join_b)->member_id), .generation = 1, .instance = "b"});
    const auto back = lab.join({.instance = "b"});
    CHECK((*sync)->error_code == Error::fenced_instance_id);
    CHECK_FALSE(back->done());
    CHECK(lab.state() == "PreparingRebalance");
}

TEST_CASE("a static member that waits to join is fenced by its successor") {
    Lab lab;
    const auto first = lab.join({.instance = "i1"});
    const auto second = lab.join({.instance = "i1"});
    CHECK((*first)->error_code == Error::fenced_instance_id);
    lab.pass(6'000);
    CHECK((*second)->error_code == Error::none);
    CHECK((*second)->members.size() == 1);
}

TEST_CASE("a static member whose new protocols change the group's makes it rebalance") {
    Lab lab;
    settle(lab, {{.instance = "i1", .protocols = {{"range", ""}, {"sticky", ""}}}});
    const auto back = lab.join({.instance = "i1", .protocols = {{"sticky", ""}}});
    CHECK((*back)->error_code == Error::none);
    CHECK((*back)->generation_id == 2);
    CHECK((*back)->protocol_name == "sticky");
}

TEST_CASE("a static member keeps its old id when the new one could not be recorded") {
    Lab lab;
    const auto members = settle(lab, {{}, {.instance = "i1"}});
    lab.log.fails_with = Error::not_enough_replicas;
    const auto back = lab.join({.instance = "i1"});
    CHECK((*back)->error_code == Error::coordinator_not_available);
    CHECK(lab.state() == "Stable");
    CHECK(lab.heartbeat(members[1].id, 1, "g", "i1") == Error::none);
    lab.log.fails_with = Error::none;
    CHECK((*lab.join({.instance = "i1"}))->error_code == Error::none);
}

TEST_CASE("a static member replaced twice while the record is on its way answers each call once") {
    Lab lab;
    settle(lab, {{}, {.instance = "i1"}});
    lab.log.holds = true;
    const auto first = lab.join({.instance = "i1"});
    const auto second = lab.join({.instance = "i1"});
    CHECK((*first)->error_code == Error::fenced_instance_id);
    CHECK_FALSE(second->done());
    lab.log.release();
    CHECK_FALSE(second->done());
    lab.log.release();
    CHECK((*second)->error_code == Error::none);
    lab.log.holds = false;
}

TEST_CASE("a rebalance that begins while a replacement is on its way answers the returning member") {
    Lab lab;
    const auto members = settle(lab, {{}, {.instance = "i1"}});
    lab.log.holds = true;
    const auto back = lab.join({.instance = "i1"});
    const auto leader = lab.join({.member = members[0].id});
    CHECK((*back)->generation_id == 2);
    CHECK((*leader)->generation_id == 2);
    lab.log.release();
    lab.log.holds = false;
}
