// Turns, dead and refusing logs, producer ids and registrations. On shard 0 without a node.
#include "cluster_fixture.h"

namespace millrace {
namespace {

using Created = std::vector<TopicOutcome>;

TEST_CASE("requests take turns: each is judged by what was committed before it") {
    Cluster cluster;
    cluster.log.at_once = false;
    std::optional<Created> first, second, third;
    keep(cluster.life.controller.create_topics({new_topic("a")}, Effect::commit), first).detach();
    keep(cluster.life.controller.create_topics({new_topic("a")}, Effect::commit), second).detach();
    keep(cluster.life.controller.create_topics({new_topic("b")}, Effect::commit), third).detach();
    CHECK(cluster.state().topics().empty());
    cluster.log.flush();
    REQUIRE(first);
    CHECK((*first)[0].ok());
    REQUIRE(second);  // Refused without a write, so the third one is at the log by now.
    CHECK((*second)[0].error == Error::topic_already_exists);
    CHECK_FALSE(third);
    cluster.log.flush();
    REQUIRE(third);
    CHECK((*third)[0].ok());
}

TEST_CASE("those who wait for a turn are limited, and many empty turns do not pile up") {
    Cluster cluster{{.waiting_max = 500}};
    cluster.log.at_once = false;
    std::optional<Created> holder, refused;
    keep(cluster.life.controller.create_topics({new_topic("a")}, Effect::commit), holder).detach();
    std::vector<std::optional<Created>> waiting(500);
    for (auto& one : waiting)
        keep(cluster.life.controller.create_topics({new_topic("a")}, Effect::commit), one).detach();
    keep(cluster.life.controller.create_topics({new_topic("b")}, Effect::commit), refused).detach();
    REQUIRE(refused);
    CHECK((*refused)[0].error == Error::request_timed_out);
    cluster.log.flush();
    for (auto& one : waiting) {
        REQUIRE(one);
        CHECK((*one)[0].error == Error::topic_already_exists);
    }
    cluster.log.at_once = true;
    CHECK(cluster.create(new_topic("b")).ok());
}

TEST_CASE("when the log refuses, nothing of the request has happened") {
    Cluster cluster;
    cluster.log.next = MemoryLog::Next::refuse;
    const auto outcomes =
        run(cluster.life.controller.create_topics({new_topic("a"), new_topic("b", 0)}, Effect::commit));
    CHECK(outcomes[0].error == Error::record_list_too_large);
    CHECK(outcomes[1].error == Error::invalid_partitions);
    CHECK(cluster.state().topics().empty());
    CHECK(cluster.create(new_topic("a")).ok());
}

TEST_CASE("when the log is dead every change fails and every refusal stays what it was") {
    Cluster cluster;
    REQUIRE(cluster.create(new_topic("a")).ok());
    cluster.log.next = MemoryLog::Next::die_without;
    CHECK(cluster.create(new_topic("b")).error == Error::kafka_storage_error);
    CHECK(cluster.create(new_topic("a")).error == Error::topic_already_exists);
    CHECK(run(cluster.life.controller.delete_topics({{"a", {}}}))[0].error == Error::kafka_storage_error);
    CHECK(run(cluster.life.controller.create_partitions({{"a", 2, {}}}, Effect::commit))[0].error ==
          Error::kafka_storage_error);
    CHECK(cluster.alter({ConfigKind::topic, "a", {{AlterOperation::set, "retention.ms", "5"}}}).error ==
          Error::kafka_storage_error);
    CHECK(run(cluster.life.controller.allocate_producer_ids(NodeId{1})).error() ==
          Error::kafka_storage_error);
    CHECK(run(cluster.life.controller.register_broker(registration(2))).error() ==
          Error::kafka_storage_error);
}

TEST_CASE("ensuring takes what is there and makes what is not") {
    Cluster cluster;
    const Uuid a = cluster.create(new_topic("a", 3)).id;
    const auto outcomes =
        run(cluster.life.controller.ensure_topics({new_topic("a"), new_topic("b", 2), new_topic("?")}));
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].ok());
    CHECK(outcomes[0].id == a);
    CHECK(outcomes[0].partitions == 3);
    CHECK(outcomes[1].ok());
    CHECK(cluster.state().topic("b")->partition_count() == 2);
    CHECK(outcomes[2].error == Error::invalid_topic_exception);
}

TEST_CASE("producer ids come in blocks that nobody had before") {
    Cluster cluster;
    int64_t next = 0;
    for (int i = 0; i < 5; i++) {
        const auto block = run(cluster.life.controller.allocate_producer_ids(NodeId{1}));
        REQUIRE(block.ok());
        CHECK(block->first == next);
        CHECK(block->size == 1'000);
        next += block->size;
    }
    CHECK(run(cluster.life.controller.allocate_producer_ids(NodeId{7})).error() ==
          Error::broker_id_not_registered);
    Life again{cluster.log};
    CHECK(run(again.controller.allocate_producer_ids(NodeId{1}))->first == next);
}

TEST_CASE("a broker's registration carries its place in the log as its epoch") {
    Cluster cluster;
    const BrokerInfo* broker = cluster.state().broker(NodeId{1});
    REQUIRE(broker);
    CHECK(broker->epoch == 0);
    CHECK_FALSE(broker->fenced);
    CHECK(broker->endpoint("PLAINTEXT")->port == 9093);
    const Offset before = cluster.state().next_offset();
    REQUIRE(run(cluster.life.controller.register_broker(registration(1))).ok());  // Nothing new.
    CHECK(cluster.state().next_offset() == before);
    BrokerRegistration next_life = registration(1);
    next_life.incarnation = Uuid{{77}};
    next_life.rack = "r1";
    REQUIRE(run(cluster.life.controller.register_broker(next_life)).ok());
    CHECK(cluster.state().broker(NodeId{1})->epoch == before.value);
    CHECK(cluster.state().broker(NodeId{1})->rack == "r1");
}

TEST_CASE("ten thousand topics in one request come back after a restart") {
    Cluster cluster;
    std::vector<NewTopic> topics;
    for (int i = 0; i < 10'000; i++) topics.push_back(new_topic("topic-" + std::to_string(i)));
    for (const TopicOutcome& outcome : run(cluster.life.controller.create_topics(topics, Effect::commit)))
        REQUIRE(outcome.ok());
    Life again{cluster.log};
    CHECK(again.state.topics().size() == 10'000);
    CHECK(again.state.fingerprint() == cluster.state().fingerprint());
}

}  // namespace
}  // namespace millrace
