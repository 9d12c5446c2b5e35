// Groups seen from outside: DescribeGroups, ListGroups, the walk over all offsets.
#include "lab.h"

using namespace millrace;
using namespace millrace::test;

TEST_CASE("a Stable group is described with everything, another without metadata") {
    Lab lab;
    const auto members =
        settle(lab, {{.protocols = {{"range", "meta"}}, .client = "app"}, {.instance = "i1"}});
    const auto stable = lab.describe();
    CHECK(stable.error_code == Error::none);
    CHECK(stable.group_state == "Stable");
    CHECK(stable.protocol_type == "consumer");
    CHECK(stable.protocol_data == "range");
    REQUIRE(stable.members.size() == 2);
    CHECK(stable.members[0].client_id == "app");
    CHECK(stable.members[0].client_host == "/127.0.0.1");
    CHECK(as_text(stable.members[0].member_metadata) == "meta");
    CHECK(as_text(stable.members[0].member_assignment) == "a:" + members[0].id);
    CHECK(stable.members[1].group_instance_id == "i1");
    const auto join = lab.join({.member = members[0].id});
    const auto preparing = lab.describe();
    CHECK(preparing.group_state == "PreparingRebalance");
    CHECK(preparing.protocol_data.empty());
    CHECK(preparing.members[0].member_metadata.empty());
}

TEST_CASE("an unknown group is Dead, and from version 6 an error") {
    Lab lab;
    CHECK(lab.describe("x", 5).error_code == Error::none);
    CHECK(lab.describe("x", 5).group_state == "Dead");
    CHECK(lab.describe("x", 6).error_code == Error::group_id_not_found);
    CHECK(lab.describe("x", 6).error_message == "Group x not found.");
}

TEST_CASE("groups are listed by state and type, without regard to case") {
    Lab lab;
    settle(lab, {{.group = "stable"}});
    lab.commit_now({.group = "simple"});
    const auto names = [&lab](std::vector<std::string_view> states, std::vector<std::string_view> types) {
        std::string all;
        for (const auto& group :
             lab.coordinator->list({.states_filter = states, .types_filter = types}, lab.reading).groups)
            (all += group.group_id) += ' ';
        return all;
    };
    CHECK(names({}, {}) == "simple stable ");
    CHECK(names({"stable"}, {}) == "stable ");
    CHECK(names({"EMPTY", "Dead"}, {}) == "simple ");
    CHECK(names({}, {"Classic"}) == "simple stable ");
    CHECK(names({}, {"consumer"}).empty());
    const auto all = lab.coordinator->list({}, lab.reading).groups;
    CHECK(all[0].protocol_type.empty());
    CHECK(all[1].protocol_type == "consumer");
    CHECK(all[1].group_state == "Stable");
    CHECK(all[1].group_type == "classic");
}

TEST_CASE("every committed offset can be walked over") {
    Lab lab;
    lab.commit_now({.group = "b", .partition = 1, .offset = 10, .metadata = "m"});
    lab.commit_now({.group = "a", .topic = "u", .offset = 20});
    std::vector<std::string> seen;
    lab.coordinator->each_committed([&](const CommittedOffset& of) {
        seen.push_back(std::string(of.group) + std::string(of.topic) + std::to_string(of.partition) + "=" +
                       std::to_string(of.offset) + std::string(of.metadata));
        CHECK(of.commit_ms == lab.time.wall_ms);
    });
    CHECK(seen == std::vector<std::string>{"au0=20", "bt1=10m"});
}

TEST_CASE("counts follow the groups through their states") {
    Lab lab;
    const auto& stats = lab.coordinator->stats();
    const auto members = settle(lab, {{}, {}});
    CHECK(stats.groups == std::array<uint64_t, 5>{0, 0, 0, 1, 0});
    CHECK(stats.members == 2);
    CHECK(stats.rebalances == 1);
    CHECK(stats.rebalances_completed == 1);
    const auto join = lab.join({.member = members[0].id});
    CHECK(stats.groups == std::array<uint64_t, 5>{0, 1, 0, 0, 0});
    lab.leave({{.member = members[0].id}, {.member = members[1].id}});
    CHECK(stats.groups == std::array<uint64_t, 5>{1, 0, 0, 0, 0});
    CHECK(stats.members == 0);
    lab.commit_now({});
    CHECK(stats.offset_commits == 1);
    CHECK(stats.offsets == 1);
    *lab.delete_group("g")->reply;
    CHECK(stats.groups == std::array<uint64_t, 5>{});
    CHECK(stats.offsets == 0);
}
