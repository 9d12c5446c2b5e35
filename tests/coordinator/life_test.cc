// Loading, resigning, and appends that end badly.
#include "lab.h"

using namespace millrace;
using namespace millrace::test;

TEST_CASE("while it loads, calls are told to come again") {
    Lab lab;
    lab.commit_now({.offset = 1});
    lab.end();
    lab.begin();
    CHECK((*lab.join({}))->error_code == Error::coordinator_load_in_progress);
    CHECK((*lab.sync({.member = "a"}))->error_code == Error::rebalance_in_progress);
    CHECK(lab.heartbeat("a", 1) == Error::none);
    CHECK((*lab.leave({{.member = "a"}}))->error_code == Error::coordinator_load_in_progress);
    CHECK(lab.commit_now({.offset = 2}) == Error::coordinator_load_in_progress);
    CHECK((*lab.delete_offset("g", "t", 0))->error_code == Error::coordinator_load_in_progress);
    CHECK(*lab.delete_group("g")->reply == Error::coordinator_load_in_progress);
    CHECK(lab.describe().error_code == Error::coordinator_load_in_progress);
    CHECK(lab.coordinator->list({}, lab.reading).error_code == Error::coordinator_load_in_progress);
    CHECK(lab.coordinator->fetch_offsets({.group_id = "g"}, lab.reading).error_code ==
          Error::coordinator_load_in_progress);
    lab.coordinator->tick(lab.time);
    lab.load();
    CHECK(lab.offset("g", "t", 0) == 1);
}

TEST_CASE("resigning answers every parked call and every later one") {
    Lab lab;
    const auto members = settle(lab, {{.group = "a"}, {.group = "a"}});
    const auto parked_join = lab.join({.group = "a", .member = members[0].id});
    const std::string id = lab.new_id({.group = "b"});
    const auto join_b = lab.join({.group = "b", .member = id});
    lab.pass(3'000);
    lab.log.holds = true;
    const auto parked_sync = lab.sync({.group = "b", .member = id, .generation = 1});
    const auto parked_commit = lab.commit({.group = "c"});
    const auto parked_delete = lab.commit({.group = "d"});
    lab.coordinator->resign();
    CHECK((*parked_join)->error_code == Error::not_coordinator);
    CHECK((*parked_join)->member_id == members[0].id);
    CHECK((*parked_sync)->error_code == Error::not_coordinator);
    CHECK((*parked_commit)->topics[0].partitions[0].error_code == Error::not_coordinator);
    CHECK((*parked_delete)->topics[0].partitions[0].error_code == Error::not_coordinator);
    CHECK_FALSE(lab.run_ended());  // Its append is still with the log.
    lab.log.release();
    lab.log.holds = false;
    CHECK(lab.run_ended());
    CHECK((*lab.join({}))->error_code == Error::not_coordinator);
    CHECK((*lab.sync({.member = "a"}))->error_code == Error::not_coordinator);
    CHECK(lab.heartbeat("a", 1) == Error::not_coordinator);
    CHECK(lab.commit_now({}) == Error::not_coordinator);
    CHECK(lab.coordinator->list({}, lab.reading).error_code == Error::not_coordinator);
    CHECK_FALSE(lab.coordinator->next_deadline_ms());
    CHECK(lab.coordinator->stats().members == 0);
}

TEST_CASE("an append whose outcome is unknown ends the coordinator, and what the log has is the truth") {
    Lab lab;
    lab.commit_now({.offset = 1});
    for (Error unknown : {Error::request_timed_out, Error::not_enough_replicas_after_append,
                          Error::kafka_storage_error, Error::not_leader_or_follower}) {
        lab.log.fails_with = unknown;
        const Error told = lab.commit_now({.offset = 2});
        CHECK((told == Error::not_coordinator || told == Error::coordinator_not_available));
        CHECK(lab.coordinator->resigned());
        CHECK(lab.run_ended());
        lab.log.fails_with = Error::none;
        lab.restart();
        CHECK(lab.offset("g", "t", 0) == 1);
        CHECK_FALSE(lab.coordinator->resigned());
    }
}

TEST_CASE("what clients are told of a failed append is what Kafka tells them") {
    const auto told = [](Error of_log) {
        Lab lab;
        lab.log.fails_with = of_log;
        return lab.commit_now({});
    };
    CHECK(told(Error::not_enough_replicas) == Error::coordinator_not_available);
    CHECK(told(Error::request_timed_out) == Error::coordinator_not_available);
    CHECK(told(Error::not_leader_or_follower) == Error::not_coordinator);
    CHECK(told(Error::kafka_storage_error) == Error::not_coordinator);
    CHECK(told(Error::message_too_large) == Error::unknown_server_error);
}

TEST_CASE("members of a loaded group have a whole session from the load on") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    lab.pass(9'000);
    lab.restart();
    lab.pass(9'999);
    CHECK(lab.heartbeat(members[0].id, 1) == Error::none);
    lab.pass(1);
    CHECK(lab.heartbeat(members[1].id, 1) == Error::unknown_member_id);
}

TEST_CASE("a loaded group above group.max.size rebalances") {
    Lab lab;
    settle(lab, {{}, {}, {}});
    lab.options.group_max_size = 2;
    lab.restart();
    CHECK(lab.state() == "PreparingRebalance");
}

TEST_CASE("a full queue towards the log refuses commits and takes them again later") {
    Lab lab({.append_queue_max_bytes = 200});
    lab.log.holds = true;
    std::vector<CallOf<wire::OffsetCommitResponse>> calls;
    for (int i = 0; i < 10; i++) calls.push_back(lab.commit({.partition = i}));
    CHECK((*calls.back())->topics[0].partitions[0].error_code == Error::coordinator_not_available);
    lab.log.holds = false;
    lab.log.release();
    CHECK((*calls.front())->topics[0].partitions[0].error_code == Error::none);
    CHECK(lab.commit_now({.partition = 9}) == Error::none);
}

TEST_CASE("a caller may call again as soon as it is answered") {
    struct Chain {
        static Task<> run(Lab& lab, int& committed) {
            for (int i = 0; i < 100; i++) {
                const auto call = std::make_unique<Call<wire::OffsetCommitResponse>>();
                auto partitions = call->memory.make<wire::OffsetCommitRequest::Partition>(1);
                partitions[0].committed_offset = i;
                auto topics = call->memory.make<wire::OffsetCommitRequest::Topic>(1);
                topics[0] = {.name = "t", .partitions = partitions};
                const auto reply = co_await lab.coordinator->commit_offsets(
                    {.group_id = "g", .topics = topics}, lab.context(8), call->memory);
                committed += reply.topics[0].partitions[0].error_code == Error::none;
            }
        }
    };
    Lab lab;
    int committed = 0;
    Chain::run(lab, committed).detach();
    CHECK(committed == 100);
    CHECK(lab.offset("g", "t", 0) == 99);
}
