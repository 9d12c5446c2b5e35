// Committed offsets: who may commit, what can be read when, what may be deleted.
#include "lab.h"
#include "millrace/wire/consumer_protocol.h"

using namespace millrace;
using namespace millrace::test;

namespace {

std::string subscribed_to(std::vector<std::string_view> topics) {
    wire::Writer out;
    out.fixed<int16_t>(0);
    wire::encode(out, wire::ConsumerProtocolSubscription{.topics = topics}, 0);
    return std::string(as_text(out.view()));
}

}  // namespace

TEST_CASE("an offset can be read with its metadata and epoch once it is committed, not before") {
    Lab lab;
    lab.log.holds = true;
    const auto call = lab.commit({.offset = 42, .metadata = "note", .leader_epoch = 5});
    CHECK_FALSE(call->done());
    CHECK(lab.offset("g", "t", 0) == -1);
    CHECK(lab.state() == "Dead");
    lab.log.release();
    lab.log.holds = false;
    CHECK((*call)->topics[0].partitions[0].error_code == Error::none);
    const auto fetched = lab.fetch("g", "t", 0);
    CHECK(fetched.committed_offset == 42);
    CHECK(fetched.committed_leader_epoch == 5);
    CHECK(fetched.metadata == "note");
    CHECK(lab.state() == "Empty");
    lab.restart();
    CHECK(lab.offset("g", "t", 0) == 42);
}

TEST_CASE("commits that arrive during an append go together in the next one") {
    Lab lab;
    lab.log.holds = true;
    std::vector<CallOf<wire::OffsetCommitResponse>> calls;
    for (int i = 0; i < 10; i++) calls.push_back(lab.commit({.partition = i, .offset = i}));
    lab.log.release();
    lab.log.holds = false;
    lab.log.release();
    CHECK(lab.log.batch_sizes == std::vector<size_t>{1, 9});
    for (int i = 0; i < 10; i++) CHECK(lab.offset("g", "t", i) == i);
}

TEST_CASE("an unknown partition has no offset and no error") {
    Lab lab;
    const auto fetched = lab.fetch("unknown", "t", 0);
    CHECK(fetched.committed_offset == -1);
    CHECK(fetched.committed_leader_epoch == -1);
    CHECK(fetched.metadata == "");
    CHECK(fetched.error_code == Error::none);
}

TEST_CASE("without topics all that was committed is fetched") {
    Lab lab;
    lab.commit_now({.topic = "b", .partition = 1, .offset = 1});
    lab.commit_now({.topic = "a", .partition = 2, .offset = 2});
    lab.commit_now({.topic = "a", .partition = 0, .offset = 3});
    const auto all = lab.coordinator->fetch_offsets({.group_id = "g", .topics = {}}, lab.reading);
    REQUIRE(all.topics.size() == 2);
    CHECK(all.topics[0].name == "a");
    CHECK(all.topics[0].partitions.size() == 2);
    CHECK(lab.coordinator->fetch_offsets({.group_id = "none", .topics = {}}, lab.reading).topics.empty());
}

TEST_CASE("an offset committed under another topic id is not this topic's") {
    Lab lab;
    Uuid old_id, new_id;
    old_id.bytes[0] = 1, new_id.bytes[0] = 2;
    lab.commit_now({.offset = 9, .topic_id = old_id, .version = 10});
    CHECK(lab.offset("g", "t", 0, old_id) == 9);
    CHECK(lab.offset("g", "t", 0, new_id) == -1);
    CHECK(lab.offset("g", "t", 0) == 9);
}

TEST_CASE("metadata above the limit fails its partition alone") {
    Lab lab;
    CHECK(lab.commit_now({.offset = 1, .metadata = std::string(4'096, 'x')}) == Error::none);
    CHECK(lab.commit_now({.offset = 2, .metadata = std::string(4'097, 'x')}) ==
          Error::offset_metadata_too_large);
    CHECK(lab.offset("g", "t", 0) == 1);
    CHECK(lab.commit_now({.offset = 3, .metadata = {}}) == Error::none);
    CHECK(lab.fetch("g", "t", 0).metadata == "");
}

TEST_CASE("a member commits in its generation only") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    const std::string& id = members[0].id;
    CHECK(lab.commit_now({.member = id, .generation = 1}) == Error::none);
    CHECK(lab.commit_now({.member = id, .generation = 0}) == Error::illegal_generation);
    CHECK(lab.commit_now({.member = id, .generation = 2}) == Error::illegal_generation);
    CHECK(lab.commit_now({.member = "stranger", .generation = 1}) == Error::unknown_member_id);
    CHECK(lab.commit_now({.generation = -1}) == Error::unknown_member_id);
    CHECK(lab.commit_now({.member = id, .generation = 1, .instance = "i"}) == Error::unknown_member_id);
}

TEST_CASE("commits are taken while a group prepares and refused while it completes") {
    Lab lab;
    const auto members = settle(lab, {{}, {}});
    const auto join_a = lab.join({.member = members[0].id});
    CHECK(lab.commit_now({.member = members[1].id, .generation = 1}) == Error::none);
    const auto join_b = lab.join({.member = members[1].id});
    CHECK(lab.state() == "CompletingRebalance");
    CHECK(lab.commit_now({.member = members[1].id, .generation = 2}) == Error::rebalance_in_progress);
}

TEST_CASE("a member of a group that does not exist cannot commit to it") {
    Lab lab;
    CHECK(lab.commit_now({.member = "a", .generation = 3, .version = 8}) == Error::illegal_generation);
    CHECK(lab.commit_now({.member = "a", .generation = 3, .version = 9}) == Error::group_id_not_found);
    CHECK(lab.state() == "Dead");
}

TEST_CASE("anyone may commit to a group that is Empty") {
    Lab lab;
    const auto members = settle(lab, {{}});
    lab.leave({{.member = members[0].id}});
    CHECK(lab.commit_now({.offset = 77}) == Error::none);
    CHECK(lab.offset("g", "t", 0) == 77);
}

TEST_CASE("a commit that was refused by the log changes nothing and leaves no group behind") {
    Lab lab;
    lab.log.fails_with = Error::not_enough_replicas;
    CHECK(lab.commit_now({.offset = 1}) == Error::coordinator_not_available);
    CHECK(lab.offset("g", "t", 0) == -1);
    CHECK(lab.coordinator->stats().groups[0] == 0);
    lab.log.fails_with = Error::none;
    CHECK(lab.commit_now({.offset = 2}) == Error::none);
}

TEST_CASE("a commit larger than an append is refused") {
    Lab lab({.append_batch_max_bytes = 100});
    CHECK(lab.commit_now({.topic = std::string(200, 't')}) == Error::invalid_commit_offset_size);
    CHECK(lab.state() == "Dead");
}

TEST_CASE("offsets of a topic that nobody is subscribed to can be deleted") {
    Lab lab;
    settle(lab, {{.protocols = {{"range", subscribed_to({"t"})}}}});
    const auto described = lab.describe();
    const std::string member(described.members[0].member_id);
    lab.commit_now({.member = member, .generation = 1, .offset = 1});
    lab.commit_now({.member = member, .generation = 1, .topic = "left", .offset = 2});
    CHECK((*lab.delete_offset("g", "t", 0))->topics[0].partitions[0].error_code ==
          Error::group_subscribed_to_topic);
    CHECK((*lab.delete_offset("g", "left", 0))->topics[0].partitions[0].error_code == Error::none);
    CHECK(lab.offset("g", "t", 0) == 1);
    CHECK(lab.offset("g", "left", 0) == -1);
    lab.restart();
    CHECK(lab.offset("g", "left", 0) == -1);
}

TEST_CASE("deleting offsets needs a group that exists, and one of consumers or without members") {
    Lab lab;
    CHECK((*lab.delete_offset("g", "t", 0))->error_code == Error::group_id_not_found);
    CHECK((*lab.delete_offset("", "t", 0))->error_code == Error::invalid_group_id);
    settle(lab, {{.type = "connect"}});
    CHECK((*lab.delete_offset("g", "t", 0))->error_code == Error::non_empty_group);
}

TEST_CASE("subscriptions that cannot be read count as all topics") {
    Lab lab;
    const auto members = settle(lab, {{.protocols = {{"range", "?"}}}});
    lab.commit_now({.member = members[0].id, .generation = 1});
    CHECK((*lab.delete_offset("g", "t", 0))->topics[0].partitions[0].error_code ==
          Error::group_subscribed_to_topic);
}
