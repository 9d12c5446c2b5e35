// Offsets and groups that end: by age, by request, with their topic.
#include "lab.h"

using namespace millrace;
using namespace millrace::test;

namespace {
constexpr int64_t minute_ms = 60'000;
GroupOptions short_lived() { return {.offsets_retention_minutes = 60}; }
}  // namespace

TEST_CASE("offsets without a group of members expire after the retention, and the group with them") {
    Lab lab(short_lived());
    lab.commit_now({.offset = 1});
    lab.pass(30 * minute_ms);
    lab.commit_now({.partition = 1, .offset = 2});
    lab.pass(29 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == 1);
    lab.pass(11 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == -1);
    CHECK(lab.offset("g", "t", 1) == 2);
    lab.pass(30 * minute_ms);
    CHECK(lab.state() == "Dead");
    CHECK(lab.coordinator->stats().offsets_expired == 2);
    lab.restart();
    CHECK(lab.state() == "Dead");
}

TEST_CASE("a group that had members keeps its offsets until it was Empty for the whole retention") {
    Lab lab(short_lived());
    const auto members = settle(lab, {{.session_ms = 1'800'000}});
    lab.commit_now({.member = members[0].id, .generation = 1, .offset = 1});
    for (int i = 0; i < 10; i++) lab.pass(20 * minute_ms), lab.heartbeat(members[0].id, 1);
    CHECK(lab.offset("g", "t", 0) == 1);
    lab.leave({{.member = members[0].id}});
    lab.pass(59 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == 1);
    lab.restart();
    lab.pass(11 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == -1);
    CHECK(lab.state() == "Dead");
}

TEST_CASE("an offset with its own time ends at that time") {
    Lab lab;
    lab.commit_now({.offset = 1, .retention_ms = 20 * minute_ms, .version = 4});
    lab.commit_now({.partition = 1, .offset = 2, .version = 4});
    lab.restart();
    lab.pass(30 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == -1);
    CHECK(lab.offset("g", "t", 1) == 2);
}

TEST_CASE("a commit on its way to the log is not lost by the expiry of the one before it") {
    Lab lab(short_lived());
    lab.commit_now({.offset = 1});
    lab.pass(59 * minute_ms);
    lab.log.holds = true;
    const auto call = lab.commit({.offset = 2});
    lab.pass(20 * minute_ms);
    lab.log.release();
    lab.log.holds = false;
    CHECK((*call)->topics[0].partitions[0].error_code == Error::none);
    CHECK(lab.offset("g", "t", 0) == 2);
    lab.restart();
    CHECK(lab.offset("g", "t", 0) == 2);
}

TEST_CASE("an expiry that the log refuses is tried again") {
    Lab lab(short_lived());
    lab.commit_now({.offset = 1});
    lab.log.fails_with = Error::not_enough_replicas;
    lab.pass(70 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == 1);
    lab.log.fails_with = Error::none;
    lab.pass(10 * minute_ms);
    CHECK(lab.offset("g", "t", 0) == -1);
}

TEST_CASE("expiry looks at a thousand groups in parts and misses none") {
    Lab lab(short_lived());
    for (int i = 0; i < 1'000; i++) lab.commit_now({.group = "g" + std::to_string(i), .offset = 1});
    lab.pass(71 * minute_ms);
    CHECK(lab.coordinator->stats().offsets == 0);
    CHECK(lab.coordinator->stats().groups[0] == 0);
}

TEST_CASE("a jump of the wall clock expels no member") {
    Lab lab;
    const auto members = settle(lab, {{}});
    lab.time.wall_ms += 3'600'000;
    lab.pass(9'999);
    CHECK(lab.heartbeat(members[0].id, 1) == Error::none);
}

TEST_CASE("only an Empty group can be deleted, with all its offsets") {
    Lab lab;
    CHECK(*lab.delete_group("g")->reply == Error::group_id_not_found);
    const auto members = settle(lab, {{}});
    lab.commit_now({.member = members[0].id, .generation = 1, .offset = 5});
    CHECK(*lab.delete_group("g")->reply == Error::non_empty_group);
    lab.leave({{.member = members[0].id}});
    CHECK(*lab.delete_group("g")->reply == Error::none);
    CHECK(lab.state() == "Dead");
    CHECK(lab.offset("g", "t", 0) == -1);
    lab.restart();
    CHECK(lab.state() == "Dead");
    CHECK(lab.offset("g", "t", 0) == -1);
}

TEST_CASE("a group with more offsets than one append holds is deleted in several") {
    Lab lab({.append_batch_max_bytes = 400});
    for (int i = 0; i < 50; i++) lab.commit_now({.partition = i, .offset = i});
    const size_t appends = lab.log.appends;
    CHECK(*lab.delete_group("g")->reply == Error::none);
    CHECK(lab.log.appends > appends + 1);
    CHECK(lab.state() == "Dead");
    lab.restart();
    CHECK(lab.state() == "Dead");
}

TEST_CASE("a member that comes while its group is being deleted finds a new one") {
    Lab lab;
    lab.commit_now({.offset = 5});
    lab.log.holds = true;
    const auto deleted = lab.delete_group("g");
    const std::string id = lab.new_id();
    const auto join = lab.join({.member = id});
    lab.log.release();
    lab.log.holds = false;
    CHECK(*deleted->reply == Error::none);
    lab.pass(3'000);
    CHECK((*join)->generation_id == 1);
    CHECK(lab.offset("g", "t", 0) == -1);
}

TEST_CASE("a commit that arrives while its group is being deleted comes after") {
    Lab lab;
    lab.commit_now({.offset = 5});
    lab.log.holds = true;
    const auto deleted = lab.delete_group("g");
    const auto call = lab.commit({.offset = 6});
    lab.log.release();
    lab.log.holds = false;
    lab.log.release();
    CHECK(lab.offset("g", "t", 0) == 6);
    lab.restart();
    CHECK(lab.offset("g", "t", 0) == 6);
}

TEST_CASE("a topic's end takes its offsets from every group") {
    Lab lab;
    for (const char* group : {"a", "b", "c"}) {
        lab.commit_now({.group = group, .topic = "gone", .offset = 1});
        if (group[0] != 'b') lab.commit_now({.group = group, .topic = "kept", .offset = 2});
    }
    CHECK(*lab.topic_deleted("gone")->reply == Error::none);
    for (const char* group : {"a", "b", "c"}) CHECK(lab.offset(group, "gone", 0) == -1);
    CHECK(lab.offset("a", "kept", 0) == 2);
    CHECK(lab.state("b") == "Dead");
    CHECK(lab.coordinator->stats().offsets == 2);
}
