// Topics created, grown and deleted: every refusal in Kafka's words. On shard 0 without a node.
#include "cluster_fixture.h"

namespace millrace {
namespace {

void check_refused(const AdminOutcome& outcome, Error error, std::string_view message) {
    CHECK(outcome.error == error);
    CHECK(outcome.message.value_or("(none)") == message);
}

NewTopic assigned(std::string name, std::vector<NewTopic::Assignment> assignments) {
    NewTopic topic = new_topic(std::move(name), -1, -1);
    topic.assignments = std::move(assignments);
    return topic;
}

// ---- Creating: names

TEST_CASE("a topic is created with what was asked or the defaults") {
    Cluster cluster{{.partitions_default = 3, .replication_factor_default = 1}};
    const TopicOutcome one = cluster.create(new_topic("one", 2));
    REQUIRE(one.ok());
    CHECK_FALSE(one.message);
    CHECK(one.partitions == 2);
    CHECK(one.replication_factor == 1);
    CHECK(cluster.state().topic("one")->id == one.id);
    const PartitionInfo* partition = cluster.state().partition("one", 1);
    CHECK(partition->leader == NodeId{1});
    CHECK(partition->leader_epoch == Epoch{0});
    CHECK(partition->isr.size() == 1);

    const TopicOutcome two = cluster.create(new_topic("two", -1, -1));
    CHECK(two.partitions == 3);
    CHECK(two.replication_factor == 1);
    CHECK(two.id != one.id);
    CHECK(two.id.to_text().front() != '-');
    CHECK((two.id.bytes[6] >> 4) == 4);  // A random UUID says so.
}

TEST_CASE("names are judged as Kafka judges them") {
    Cluster cluster;
    constexpr auto invalid = Error::invalid_topic_exception;
    check_refused(cluster.create(new_topic("bad name!")), invalid,
                  "Topic name is invalid: 'bad name!' contains one or more characters other than ASCII "
                  "alphanumerics, '.', '_' and '-'");
    check_refused(cluster.create(new_topic(".")), invalid, "Topic name is invalid: '.' is not allowed");
    check_refused(cluster.create(new_topic("..")), invalid, "Topic name is invalid: '..' is not allowed");
    check_refused(cluster.create(new_topic("")), invalid,
                  "Topic name is invalid: the empty string is not allowed");
    CHECK(cluster.create(new_topic(std::string(249, 'x'))).ok());
    const std::string long_name(250, 'x');
    check_refused(
        cluster.create(new_topic(long_name)), invalid,
        "Topic name is invalid: the length of '" + long_name + "' is longer than the max allowed length 249");
    CHECK(cluster.create(new_topic("a.b")).ok());
    check_refused(cluster.create(new_topic("a_b")), invalid, "Topic 'a_b' collides with existing topic: a.b");
    check_refused(cluster.create(new_topic("a.b")), Error::topic_already_exists,
                  "Topic 'a.b' already exists.");
    check_refused(cluster.create(new_topic("__cluster_metadata")), Error::topic_authorization_failed,
                  "Authorization failed.");
}

TEST_CASE("counts are judged as Kafka judges them") {
    Cluster cluster;
    check_refused(
        cluster.create(new_topic("rf", 1, 3)), Error::invalid_replication_factor,
        "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be "
        "reached because only 1 broker(s) are registered or some brokers have all their log directories "
        "cordoned.");
    for (const int32_t partitions : {0, -2})
        check_refused(cluster.create(new_topic("np", partitions, 1)), Error::invalid_partitions,
                      "Number of partitions was set to an invalid non-positive value.");
    for (const int16_t factor : {0, -2})
        check_refused(cluster.create(new_topic("negrf", 1, factor)), Error::invalid_replication_factor,
                      "Replication factor must be larger than 0, or -1 to use the default value.");
    CHECK(cluster.create(new_topic("neg", -1, -1)).ok());
}

TEST_CASE("without an active broker nothing can be placed") {
    Cluster cluster{{}, 0};
    check_refused(cluster.create(new_topic("a")), Error::invalid_replication_factor,
                  "Unable to replicate the partition 1 time(s): All brokers are currently fenced or have all "
                  "their log directories cordoned.");
}

TEST_CASE("configs are judged whole and stored as overrides") {
    Cluster cluster;
    NewTopic topic = new_topic("a");
    topic.configs = {{"retention.ms", "-2"}};
    check_refused(cluster.create(topic), Error::invalid_config,
                  "Invalid value -2 for configuration retention.ms: Value must be at least -1");
    topic.configs = {{"no.such.config", "1"}};
    check_refused(cluster.create(topic), Error::invalid_config, "Unknown topic config name: no.such.config");
    topic.configs = {{"retention.ms", {}}, {"cleanup.policy", {}}};
    check_refused(cluster.create(topic), Error::invalid_config,
                  "Null value not supported for topic configs: retention.ms,cleanup.policy");
    topic.configs = {{"retention.ms", "5"}, {"compression.type", "zstd"}};
    REQUIRE(cluster.create(topic).ok());
    const ConfigMap expected{{"compression.type", "zstd"}, {"retention.ms", "5"}};
    CHECK(cluster.state().configs(ConfigKind::topic, "a") == expected);
}

TEST_CASE("validating alone says the same and changes nothing") {
    Cluster cluster;
    const Offset before = cluster.state().next_offset();
    const TopicOutcome fine = cluster.create(new_topic("a", 2), Effect::validate_only);
    CHECK(fine.ok());
    CHECK(fine.partitions == 2);
    CHECK_FALSE(cluster.create(new_topic("b", 0), Effect::validate_only).ok());
    CHECK(cluster.state().next_offset() == before);
    CHECK(cluster.create(new_topic("a")).ok());
}

TEST_CASE("items of one request stand on their own, duplicates fail once") {
    Cluster cluster;
    const auto outcomes = run(cluster.life.controller.create_topics(
        {new_topic("a"), new_topic("twice"), new_topic("b", 0), new_topic("twice"), new_topic("c")},
        Effect::commit));
    REQUIRE(outcomes.size() == 4);
    CHECK(outcomes[0].ok());
    check_refused(outcomes[1], Error::invalid_request, "Duplicate topic name.");
    CHECK(outcomes[1].name == "twice");
    CHECK(outcomes[2].error == Error::invalid_partitions);
    CHECK(outcomes[3].ok());
    CHECK(cluster.state().topics().size() == 2);
}

// ---- Creating: by hand

TEST_CASE("replicas may be assigned by hand") {
    Cluster cluster{{}, 3};
    const TopicOutcome made =
        cluster.create(assigned("a", {{1, {NodeId{3}, NodeId{1}}}, {0, {NodeId{2}, NodeId{3}}}}));
    REQUIRE(made.ok());
    CHECK(made.partitions == 2);
    CHECK(made.replication_factor == 2);
    CHECK(cluster.state().partition("a", 0)->leader == NodeId{2});
    CHECK(cluster.state().partition("a", 1)->leader == NodeId{3});
    CHECK(cluster.state().partition("a", 1)->replicas[1] == NodeId{1});
}

TEST_CASE("assignments by hand are judged as Kafka judges them") {
    Cluster cluster{{}, 2};
    constexpr auto invalid = Error::invalid_replica_assignment;
    NewTopic counted = assigned("a", {{0, {NodeId{1}}}});
    counted.partitions = 1;
    check_refused(cluster.create(counted), Error::invalid_request,
                  "A manual partition assignment was specified, but numPartitions was not set to -1.");
    counted.replication_factor = 1;
    check_refused(cluster.create(counted), Error::invalid_request,
                  "A manual partition assignment was specified, but replication factor was not set to -1.");
    check_refused(cluster.create(assigned("a", {{0, {NodeId{1}}}, {0, {NodeId{2}}}})), invalid,
                  "Found multiple manual partition assignments for partition 0");
    check_refused(cluster.create(assigned("a", {{0, {NodeId{1}}}, {2, {NodeId{2}}}})), invalid,
                  "partitions should be a consecutive 0-based integer sequence");
    check_refused(cluster.create(assigned("a", {{-1, {NodeId{1}}}, {0, {NodeId{2}}}})), invalid,
                  "partitions should be a consecutive 0-based integer sequence");
    check_refused(cluster.create(assigned("a", {{0, {}}})), invalid,
                  "The manual partition assignment includes an empty replica list.");
    check_refused(cluster.create(assigned("a", {{0, {NodeId{9}}}})), invalid,
                  "The manual partition assignment includes broker 9, but no such broker is registered.");
    check_refused(cluster.create(assigned("a", {{0, {NodeId{2}, NodeId{2}}}})), invalid,
                  "The manual partition assignment includes the broker 2 more than once.");
    check_refused(cluster.create(assigned("a", {{0, {NodeId{1}, NodeId{2}}}, {1, {NodeId{1}}}})), invalid,
                  "The manual partition assignment includes a partition with 1 replica(s), but this is not "
                  "consistent with previous partitions, which have 2 replica(s).");
}

TEST_CASE("partitions spread over the brokers and their replicas differ") {
    Cluster cluster{{}, 3};
    REQUIRE(cluster.create(new_topic("a", 6, 2)).ok());
    std::map<NodeId, int> leads;
    for (int32_t i = 0; i < 6; i++) {
        const PartitionInfo* partition = cluster.state().partition("a", i);
        CHECK(partition->replicas[0] != partition->replicas[1]);
        leads[partition->leader]++;
    }
    for (int32_t id = 1; id <= 3; id++) CHECK(leads[NodeId{id}] == 2);
}

// ---- Limits

TEST_CASE("limits on topics, partitions and requests are policy violations") {
    Cluster cluster{{.topics_max = 2, .partitions_max = 10, .partitions_per_request_max = 8}};
    auto outcomes =
        run(cluster.life.controller.create_topics({new_topic("a", 4), new_topic("b", 5)}, Effect::commit));
    for (const TopicOutcome& outcome : outcomes)
        check_refused(outcome, Error::policy_violation,
                      "Excessively large number of partitions per request.");
    REQUIRE(cluster.create(new_topic("a", 8)).ok());
    check_refused(cluster.create(new_topic("b", 3)), Error::policy_violation,
                  "The cluster may not have more than 10 partitions.");
    outcomes = run(cluster.life.controller.create_topics({new_topic("b"), new_topic("c")}, Effect::commit));
    CHECK(outcomes[0].ok());
    check_refused(outcomes[1], Error::policy_violation, "The cluster may not have more than 2 topics.");
    const auto grown = run(cluster.life.controller.create_partitions({{"b", 3, {}}}, Effect::commit));
    check_refused(grown[0], Error::policy_violation, "The cluster may not have more than 10 partitions.");
    const auto absurd =
        run(cluster.life.controller.create_partitions({{"b", INT32_MAX, {}}}, Effect::commit));
    check_refused(absurd[0], Error::policy_violation, "Excessively large number of partitions per request.");
}

// ---- Growing

TEST_CASE("partitions are added behind the existing ones") {
    Cluster cluster;
    REQUIRE(cluster.create(new_topic("a", 1)).ok());
    const auto outcomes = run(cluster.life.controller.create_partitions({{"a", 3, {}}}, Effect::commit));
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ok());
    CHECK(outcomes[0].partitions == 3);
    CHECK(cluster.state().topic("a")->partition_count() == 3);
}

TEST_CASE("growth is judged as Kafka judges it") {
    Cluster cluster{{}, 2};
    REQUIRE(cluster.create(new_topic("c", 1)).ok());
    const auto grow = [&](NewPartitions asked) {
        return run(cluster.life.controller.create_partitions({std::move(asked)}, Effect::commit))[0];
    };
    check_refused(grow({"c", 1, {}}), Error::invalid_partitions, "Topic already has 1 partition(s).");
    for (const int32_t count : {0, -1})
        check_refused(grow({"c", count, {}}), Error::invalid_partitions,
                      "The topic c currently has 1 partition(s); " + std::to_string(count) +
                          " would not be an increase.");
    check_refused(grow({"d", 2, {}}), Error::unknown_topic_or_partition,
                  "This server does not host this topic-partition.");
    check_refused(grow({"c", 3, {{{NodeId{1}}}}}), Error::invalid_replica_assignment,
                  "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
    check_refused(grow({"c", 2, {{{NodeId{1}, NodeId{2}}}}}), Error::invalid_replica_assignment,
                  "The manual partition assignment includes a partition with 2 replica(s), but this is not "
                  "consistent with previous partitions, which have 1 replica(s).");
    CHECK(grow({"c", 2, {{{NodeId{2}}}}}).ok());
    CHECK(cluster.state().partition("c", 1)->leader == NodeId{2});
    const auto twice =
        run(cluster.life.controller.create_partitions({{"c", 3, {}}, {"c", 4, {}}}, Effect::commit));
    REQUIRE(twice.size() == 1);
    check_refused(twice[0], Error::invalid_request, "Duplicate topic name.");
    CHECK(run(cluster.life.controller.create_partitions({{"c", 5, {}}}, Effect::validate_only))[0].ok());
    CHECK(cluster.state().topic("c")->partition_count() == 2);
}

// ---- Deleting

TEST_CASE("topics are deleted by name or by id") {
    Cluster cluster;
    const Uuid a = cluster.create(new_topic("a")).id, b = cluster.create(new_topic("b")).id;
    const auto outcomes = run(cluster.life.controller.delete_topics({{"a", {}}, {{}, b}}));
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].ok());
    CHECK(outcomes[0].id == a);
    CHECK(outcomes[1].name == "b");
    CHECK(cluster.state().topics().empty());
    CHECK(cluster.create(new_topic("a")).id != a);
}

TEST_CASE("deletions are judged as Kafka judges them") {
    Cluster cluster;
    const Uuid a = cluster.create(new_topic("a")).id, b = cluster.create(new_topic("b")).id;
    const auto remove = [&](std::vector<TopicToDelete> topics) {
        return run(cluster.life.controller.delete_topics(std::move(topics)));
    };
    check_refused(remove({{"x", {}}})[0], Error::unknown_topic_or_partition,
                  "This server does not host this topic-partition.");
    check_refused(remove({{{}, Uuid{{9}}}})[0], Error::unknown_topic_id,
                  "This server does not host this topic ID.");
    check_refused(remove({{"a", a}})[0], Error::invalid_request,
                  "You may not specify both topic name and topic id.");
    check_refused(remove({{{}, {}}})[0], Error::invalid_request, "Neither topic name nor id were specified.");

    const auto names = remove({{"a", {}}, {"a", {}}});
    REQUIRE(names.size() == 1);
    check_refused(names[0], Error::invalid_request, "Duplicate topic name.");
    const auto ids = remove({{{}, a}, {{}, a}});
    REQUIRE(ids.size() == 1);
    check_refused(ids[0], Error::invalid_request, "Duplicate topic id.");
    const auto both = remove({{{}, b}, {"b", {}}});
    REQUIRE(both.size() == 1);
    check_refused(both[0], Error::invalid_request,
                  "The provided topic name maps to an ID that was already supplied.");
    CHECK(cluster.state().topics().size() == 2);
}

TEST_CASE("deletion can be switched off") {
    Cluster cluster{{.topic_deletion = false}};
    REQUIRE(cluster.create(new_topic("a")).ok());
    check_refused(run(cluster.life.controller.delete_topics({{"a", {}}}))[0], Error::topic_deletion_disabled,
                  "Topic deletion is disabled.");
    CHECK(cluster.state().topic("a"));
}

}  // namespace
}  // namespace millrace
