// Groups through frames: coordinators, members of one group on several shards, committed offsets.
#include "lab.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/init_producer_id.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/sync_group.h"

namespace millrace {

namespace {

void find_coordinator(Lab& lab, std::string_view group) {
    const auto answer = lab.call<wire::FindCoordinatorResponse>(
        wire::FindCoordinatorRequest{.key = group, .key_type = 0, .coordinator_keys = {}}, 3);
    REQUIRE(answer->error_code == Error::none);
    CHECK(answer->node_id == 1);
}

struct Committing {
    std::string_view group, topic;
    int64_t offset;
    int16_t version = 8;
    uint16_t shard = 0;
    Uuid topic_id = {};
};
Error commit(Lab& lab, const Committing& c) {
    wire::OffsetCommitRequest::Partition partition{.partition_index = 0, .committed_offset = c.offset};
    wire::OffsetCommitRequest::Topic topic{
        .name = c.topic, .topic_id = c.topic_id, .partitions = {&partition, 1}};
    const wire::OffsetCommitRequest request{
        .group_id = c.group, .member_id = "", .group_instance_id = {}, .topics = {&topic, 1}};
    const auto answer = lab.call<wire::OffsetCommitResponse>(request, c.version, c.shard);
    return answer->topics[0].partitions[0].error_code;
}

int64_t committed(Lab& lab, std::string_view group, std::string_view topic, uint16_t shard = 0) {
    int32_t index = 0;
    wire::OffsetFetchRequest::Topic asked{.name = topic, .partition_indexes = {&index, 1}};
    const wire::OffsetFetchRequest request{
        .group_id = group, .topics = wire::List<wire::OffsetFetchRequest::Topic>{&asked, 1}, .groups = {}};
    auto answer = lab.call<wire::OffsetFetchResponse>(request, 7, shard);
    for (int tries = 0; answer->error_code == Error::coordinator_load_in_progress && tries < 100; tries++) {
        lab.world.run_for(10 * lab_ms);  // As a client does after a broker's start.
        answer = lab.call<wire::OffsetFetchResponse>(request, 7, shard);
    }
    REQUIRE(answer->error_code == Error::none);
    return answer->topics[0].partitions[0].committed_offset;
}

std::unique_ptr<Exchange> send_join(Lab& lab, std::string_view member, uint16_t shard) {
    wire::JoinGroupRequest::Protocol protocol{.name = "range", .metadata = {}};
    return lab.send(wire::JoinGroupRequest{.group_id = "g",
                                           .session_timeout_ms = 10'000,
                                           .rebalance_timeout_ms = 20'000,
                                           .member_id = member,
                                           .group_instance_id = {},
                                           .protocol_type = "consumer",
                                           .protocols = {&protocol, 1},
                                           .reason = {}},
                    7, shard);
}

// A member's id: the first join gives one, the second is to come with it (KIP-394).
std::string member_id(Lab& lab, uint16_t shard) {
    auto first = send_join(lab, "", shard);
    lab.wait(*first);
    const auto answer = Lab::decode<wire::JoinGroupResponse>(*first);
    REQUIRE(answer->error_code == Error::member_id_required);
    return std::string(answer->member_id);
}

}  // namespace

TEST_CASE("a group's committed offsets are found from every shard and after every end") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Lab lab{1, 3};
        lab.create("t", 1);
        for (int i = 0; i < 8; i++) {
            const std::string group = "group " + std::to_string(i);
            find_coordinator(lab, group);
            CHECK(committed(lab, group, "t") == -1);
            CHECK(commit(lab, {.group = group, .topic = "t", .offset = i * 10, .shard = uint16_t(i % 3)}) ==
                  Error::none);
            CHECK(commit(lab, {.group = group, .topic = "t", .offset = i * 10 + 1}) == Error::none);
        }
        for (int life = 0; life < 2; life++) {
            lab.restart(how);
            for (int i = 0; i < 8; i++) {
                const std::string group = "group " + std::to_string(i);
                for (uint16_t shard = 0; shard < 3; shard++)
                    CHECK(committed(lab, group, "t", shard) == i * 10 + 1);
            }
        }
    }
}

TEST_CASE("offsets are committed by topic id too, and for what does not exist not at all") {
    Lab lab{2};
    const Uuid id = lab.create("t", 1);
    find_coordinator(lab, "g");
    CHECK(commit(lab, {.group = "g", .topic = "", .offset = 5, .version = 10, .topic_id = id}) ==
          Error::none);
    CHECK(committed(lab, "g", "t") == 5);
    Uuid other = id;
    other.bytes[2] ^= 1;
    CHECK(commit(lab, {.group = "g", .topic = "", .offset = 6, .version = 10, .topic_id = other}) ==
          Error::unknown_topic_id);
    CHECK(commit(lab, {.group = "g", .topic = "none", .offset = 6}) == Error::unknown_topic_or_partition);
    CHECK(committed(lab, "g", "t") == 5);
}

TEST_CASE("a deleted topic's offsets go with it, and do not come back with its name") {
    Lab lab{3};
    lab.create("t", 1);
    find_coordinator(lab, "g");
    CHECK(commit(lab, {.group = "g", .topic = "t", .offset = 5}) == Error::none);
    lab.remove("t");
    lab.create("t", 1);
    CHECK(committed(lab, "g", "t") == -1);
    lab.restart(Crash::power_cut);
    CHECK(committed(lab, "g", "t") == -1);
}

TEST_CASE("a transactional producer is told at once, by an error that every client takes as fatal") {
    Lab lab{9, 2};
    constexpr Error fatal = Error::transactional_id_authorization_failed;
    const auto old = lab.call<wire::FindCoordinatorResponse>(
        wire::FindCoordinatorRequest{.key = "tx", .key_type = 1, .coordinator_keys = {}}, 3);
    CHECK(old->error_code == fatal);
    CHECK(old->error_message == "Transactions are not part of this version.");
    wire::String key = "tx";
    const auto now = lab.call<wire::FindCoordinatorResponse>(
        wire::FindCoordinatorRequest{.key = "", .key_type = 1, .coordinator_keys = {&key, 1}}, 4, 1);
    REQUIRE(now->coordinators.size() == 1);
    CHECK(now->coordinators[0].error_code == fatal);
    CHECK(now->coordinators[0].error_message == "Transactions are not part of this version.");
    const auto init = lab.call<wire::InitProducerIdResponse>(
        wire::InitProducerIdRequest{.transactional_id = key, .transaction_timeout_ms = 60'000}, 4);
    CHECK(init->error_code == fatal);
    CHECK(init->producer_id == -1);
    CHECK(lab.world.has_line("transactions are not part of this version"));
    const auto shared = lab.call<wire::FindCoordinatorResponse>(
        wire::FindCoordinatorRequest{.key = "", .key_type = 2, .coordinator_keys = {&key, 1}}, 6);
    CHECK(shared->coordinators[0].error_code == Error::invalid_request);
}

TEST_CASE("members whose connections are on different shards are in one group") {
    BrokerConfig config = Lab::small();
    config.group_initial_rebalance_delay_ms = 200;  // Both come within it.
    Lab lab{4, 3, config};
    lab.create("t", 2);
    find_coordinator(lab, "g");
    const std::string one = member_id(lab, 1), two = member_id(lab, 2);
    const auto joining_one = send_join(lab, one, 1);
    const auto joining_two = send_join(lab, two, 2);
    lab.wait(*joining_one), lab.wait(*joining_two);
    const auto joined_one = Lab::decode<wire::JoinGroupResponse>(*joining_one);
    const auto joined_two = Lab::decode<wire::JoinGroupResponse>(*joining_two);
    CHECK(joined_one->error_code == Error::none);
    CHECK(joined_two->error_code == Error::none);
    CHECK(joined_one->generation_id == joined_two->generation_id);
    CHECK(joined_one->leader == joined_two->leader);
    CHECK(joined_one->members.size() + joined_two->members.size() == 2);  // The leader alone is told them.
    const auto stranger = lab.call<wire::HeartbeatResponse>(
        wire::HeartbeatRequest{
            .group_id = "g", .generation_id = 1, .member_id = "who", .group_instance_id = {}},
        4);
    CHECK(stranger->error_code == Error::unknown_member_id);
}

}  // namespace millrace
