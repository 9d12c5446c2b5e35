// Rebalances from their cause to their end, and what time does to a group.
#include "lab.h"

using namespace millrace;
using namespace millrace::test;

TEST_CASE("an Empty group waits for members, longer while they come, up to the rebalance timeout") {
    Lab lab;
    const std::string a = lab.new_id({.rebalance_ms = 7'000});
    const auto join_a = lab.join({.member = a, .rebalance_ms = 7'000});
    lab.pass(2'000);
    const std::string b = lab.new_id();
    const auto join_b = lab.join({.member = b, .rebalance_ms = 7'000});
    lab.pass(1'000);  // The first delay is over, but one came.
    CHECK_FALSE(join_a->done());
    const std::string c = lab.new_id();
    const auto join_c = lab.join({.member = c, .rebalance_ms = 7'000});
    lab.pass(3'000);  // And again.
    CHECK_FALSE(join_a->done());
    lab.pass(1'000);  // 3 + 3 + 1 = the rebalance timeout.
    CHECK((*join_a)->members.size() == 3);
    CHECK((*join_c)->generation_id == 1);
}

TEST_CASE("the classroom: two partitions, a second member comes, a third waits, one leaves, a second group") {
    Lab lab;
    auto one = settle(lab, {{.group = "lab"}});
    CHECK(lab.heartbeat(one[0].id, 1, "lab") == Error::none);
    // The second comes: the first hears of it and rejoins.
    const std::string second = lab.new_id({.group = "lab"});
    const auto second_join = lab.join({.group = "lab", .member = second});
    CHECK(lab.heartbeat(one[0].id, 1, "lab") == Error::rebalance_in_progress);
    const auto first_join = lab.join({.group = "lab", .member = one[0].id});
    CHECK((*first_join)->generation_id == 2);
    CHECK((*second_join)->generation_id == 2);
    auto second_sync = lab.sync({.group = "lab", .member = second, .generation = 2});
    CHECK_FALSE(second_sync->done());
    const auto first_sync = lab.sync({.group = "lab",
                                      .member = one[0].id,
                                      .generation = 2,
                                      .assignments = {{one[0].id, "p0"}, {second, "p1"}}});
    CHECK(as_text((*first_sync)->assignment) == "p0");
    CHECK(as_text((*second_sync)->assignment) == "p1");
    // A third: there is no partition for it, its assignment is empty.
    const std::string third = lab.new_id({.group = "lab"});
    const auto third_join = lab.join({.group = "lab", .member = third});
    const auto again_1 = lab.join({.group = "lab", .member = one[0].id});
    const auto again_2 = lab.join({.group = "lab", .member = second});
    CHECK((*third_join)->generation_id == 3);
    const auto third_sync = lab.sync({.group = "lab", .member = third, .generation = 3});
    lab.sync({.group = "lab",
              .member = one[0].id,
              .generation = 3,
              .assignments = {{one[0].id, "p0"}, {second, "p1"}}});
    CHECK((*third_sync)->error_code == Error::none);
    CHECK((*third_sync)->assignment.empty());
    CHECK(lab.state("lab") == "Stable");
    // The second leaves: the others rebalance.
    CHECK((*lab.leave({{.member = second}}, 5, "lab"))->members[0].error_code == Error::none);
    CHECK(lab.heartbeat(third, 3, "lab") == Error::rebalance_in_progress);
    // A second group reads everything again: it knows nothing of the first one's offsets.
    CHECK(lab.commit_now({.group = "lab", .member = one[0].id, .generation = 3, .offset = 10}) ==
          Error::none);
    CHECK(lab.offset("lab", "t", 0) == 10);
    CHECK(lab.offset("other", "t", 0) == -1);
}

TEST_CASE("cooperative members rejoin twice: first to give partitions up, then to take them") {
    Lab lab;
    const JoinSpec owning{.protocols = {{"cooperative-sticky", "owns p0,p1"}}};
    const auto one = settle(lab, {owning});
    JoinSpec newcomer{.protocols = {{"cooperative-sticky", "owns nothing"}}};
    newcomer.member = lab.new_id(newcomer);
    const auto two = settle(lab, {{.member = one[0].id, .protocols = owning.protocols}, newcomer});
    CHECK(two[0].generation == 2);
    // The first gave up p1 and rejoins with other metadata; it leads, so this is a rebalance anyway.
    const auto three =
        settle(lab, {{.member = one[0].id, .protocols = {{"cooperative-sticky", "owns p0"}}}, newcomer});
    CHECK(three[1].generation == 3);
    CHECK(lab.state() == "Stable");
}

TEST_CASE("members that do not rejoin within the rebalance timeout are out") {
    Lab lab;
    const auto members = settle(lab, {{.session_ms = 100'000, .rebalance_ms = 20'000},
                                      {.session_ms = 100'000, .rebalance_ms = 30'000}});
    const auto join = lab.join({.member = members[0].id, .session_ms = 100'000, .rebalance_ms = 20'000});
    lab.pass(29'999);
    CHECK_FALSE(join->done());
    lab.pass(1);
    CHECK((*join)->members.size() == 1);
    CHECK(lab.heartbeat(members[1].id, 2) == Error::unknown_member_id);
}

TEST_CASE("a static member that does not rejoin stays until its session ends") {
    Lab lab;
    const auto members = settle(lab, {{.session_ms = 100'000, .rebalance_ms = 20'000},
                                      {.instance = "i1", .session_ms = 100'000, .rebalance_ms = 20'000}});
    const auto join = lab.join({.member = members[0].id, .session_ms = 100'000, .rebalance_ms = 20'000});
    lab.pass(20'000);
    CHECK((*join)->members.size() == 2);
}

TEST_CASE("when the leader does not rejoin the first that did leads") {
    Lab lab;
    const auto members =
        settle(lab, {{.session_ms = 100'000}, {.session_ms = 100'000}, {.session_ms = 100'000}});
    const auto join_c =
        lab.join({.member = members[2].id, .protocols = {{"range", "x"}}, .session_ms = 100'000});
    const auto join_b = lab.join({.member = members[1].id, .session_ms = 100'000});
    lab.pass(60'000);
    CHECK((*join_b)->leader == members[1].id);
    CHECK((*join_b)->members.size() == 2);
    CHECK((*join_c)->leader == members[1].id);
}

TEST_CASE("the leader stays the leader over rebalances") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    const auto join_b = lab.join({.member = members[1].id, .protocols = {{"range", "x"}}});
    const auto join_a = lab.join({.member = members[0].id});
    CHECK((*join_b)->leader == members[0].id);
}

TEST_CASE("when only static members are left and none rejoins, their sessions decide") {
    Lab lab;
    const auto members = settle(lab, {{.session_ms = 30'000, .rebalance_ms = 6'000},
                                      {.instance = "s", .session_ms = 30'000, .rebalance_ms = 6'000}});
    lab.leave({{.member = members[0].id}});
    CHECK(lab.state() == "PreparingRebalance");
    lab.pass(12'500);  // Two rebalance timeouts.
    CHECK(lab.state() == "PreparingRebalance");
    lab.pass(30'000);
    CHECK(lab.state() == "Empty");
}

TEST_CASE("a silent member's session ends and the others rebalance; heartbeats and commits keep it") {
    Lab lab;
    const auto members = settle(lab, {{}, {}, {}});
    lab.pass(6'000);
    CHECK(lab.commit_now({.member = members[1].id, .generation = 1}) == Error::none);
    CHECK(lab.heartbeat(members[0].id, 1) == Error::none);
    lab.pass(3'999);
    CHECK(lab.state() == "Stable");
    lab.pass(1);
    CHECK(lab.state() == "PreparingRebalance");  // The third said nothing for 10 s.
    CHECK(lab.coordinator->stats().members_expired == 1);
    CHECK(lab.heartbeat(members[2].id, 1) == Error::unknown_member_id);
    CHECK(lab.lines.has("session ended of member"));
}

TEST_CASE("a member is not expelled while its join is parked") {
    Lab lab;
    const auto members = settle(lab, {{.session_ms = 6'000}, {.session_ms = 100'000}});
    const auto join = lab.join({.member = members[0].id, .session_ms = 6'000});
    lab.pass(59'000);  // The other has until its rebalance timeout.
    CHECK_FALSE(join->done());
    const auto other = lab.join({.member = members[1].id, .session_ms = 100'000});
    CHECK((*join)->members.size() == 2);
}

TEST_CASE("a new member's parked join is answered after five minutes at the latest") {
    Lab lab;
    const auto members = settle(lab, {{.session_ms = 1'000'000, .rebalance_ms = 1'000'000}});
    const auto join = lab.join({.rebalance_ms = 1'000'000, .version = 3});
    lab.pass(299'999);
    CHECK_FALSE(join->done());
    lab.pass(1);
    CHECK((*join)->error_code == Error::unknown_member_id);
}

TEST_CASE("an id that was given and never used is forgotten after the session timeout") {
    Lab lab;
    lab.new_id({.session_ms = 6'000});
    lab.pass(6'000);
    CHECK(lab.coordinator->stats().pending_members == 0);
    CHECK(lab.state() == "Dead");
    CHECK(lab.coordinator->stats().groups == std::array<uint64_t, 5>{});
}

TEST_CASE("a rebalance waits for a member that was given an id, and goes on when that is forgotten") {
    Lab lab;
    const auto members = settle(lab, {{.session_ms = 100'000}});
    lab.new_id({.session_ms = 6'000});
    const auto join = lab.join({.member = members[0].id, .session_ms = 100'000});
    CHECK_FALSE(join->done());
    lab.pass(6'000);
    CHECK((*join)->generation_id == 2);
}

TEST_CASE("members that do not sync within the rebalance timeout are out") {
    Lab lab;
    const JoinSpec spec{.session_ms = 100'000, .rebalance_ms = 20'000, .version = 3};
    const auto join_a = lab.join(spec), join_b = lab.join(spec);
    lab.pass(6'000);
    const auto sync = lab.sync({.member = std::string((*join_b)->member_id), .generation = 1});
    lab.pass(20'000);
    CHECK((*sync)->error_code == Error::rebalance_in_progress);
    CHECK(lab.heartbeat((*join_a)->member_id, 1) == Error::unknown_member_id);
    CHECK(lab.heartbeat((*join_b)->member_id, 1) == Error::rebalance_in_progress);
}

TEST_CASE("a member that does not sync although the group is Stable is out too") {
    Lab lab;
    const JoinSpec spec{.session_ms = 100'000, .rebalance_ms = 20'000, .version = 3};
    const auto join_a = lab.join(spec), join_b = lab.join(spec);
    lab.pass(6'000);
    const auto sync = lab.sync({.member = std::string((*join_a)->member_id), .generation = 1});
    CHECK(lab.state() == "Stable");
    lab.pass(20'000);
    CHECK(lab.state() == "PreparingRebalance");
    CHECK(lab.heartbeat((*join_b)->member_id, 1) == Error::unknown_member_id);
}

TEST_CASE("that a group is Empty is recorded again until the log takes it") {
    Lab lab;
    const auto members = settle(lab, {{}});
    lab.log.fails_with = Error::not_enough_replicas;
    CHECK((*lab.leave({{.member = members[0].id}}))->error_code == Error::coordinator_not_available);
    lab.pass(5'000);
    lab.log.fails_with = Error::none;
    lab.pass(1'000);
    lab.restart();
    CHECK(lab.state() == "Empty");
}

TEST_CASE("a group says why it rebalanced, in the log and in its bounded history") {
    Lab lab({.history_max = 4});
    const auto members = settle(lab, {{}});
    const auto join = lab.join({.member = members[0].id, .reason = "topic changed"});
    CHECK(lab.lines.has("group rebalance"));
    CHECK(lab.lines.has("client reason: topic changed"));
    const auto history = lab.coordinator->history("g");
    REQUIRE(history.size() == 4);
    CHECK(history[2].reason.find("rejoins during Stable; client reason: topic changed") != std::string::npos);
    CHECK(history[2].state == GroupState::preparing_rebalance);
    CHECK(history[3].generation == 2);
    CHECK(lab.coordinator->history("unknown").empty());
}

TEST_CASE("a hundred thousand members keep their sessions by heartbeats and lose them together") {
    Lab lab({.group_initial_rebalance_delay_ms = 0});
    std::vector<Settled> members;
    for (int group = 0; group < 100; group++) {
        std::vector<JoinSpec> specs(1000, JoinSpec{.group = "g" + std::to_string(group)});
        for (const Settled& member : settle(lab, specs)) members.push_back(member);
    }
    lab.pass(9'999);
    for (size_t i = 0; i < members.size(); i++)
        REQUIRE(lab.heartbeat(members[i].id, members[i].generation, "g" + std::to_string(i / 1000)) ==
                Error::none);
    lab.pass(9'999);
    CHECK(lab.coordinator->stats().members == 100'000);
    lab.pass(1);
    CHECK(lab.coordinator->stats().members == 0);
    CHECK(lab.coordinator->stats().members_expired == 100'000);
}
