// Changes of configs: every refusal in Kafka's words, and what stays stored. On shard 0 without a node.
#include "cluster_fixture.h"

namespace millrace {
namespace {

using Op = AlterOperation;

void check_refused(const AdminOutcome& outcome, Error error, std::string_view message) {
    CHECK(outcome.error == error);
    CHECK(outcome.message.value_or("(none)") == message);
}

struct Configured : Cluster {
    Configured() { REQUIRE(create(new_topic("a")).ok()); }
    const ConfigMap& configs() const { return state().configs(ConfigKind::topic, "a"); }
    AdminOutcome change(std::vector<ConfigChange> changes) {
        return alter({ConfigKind::topic, "a", std::move(changes)});
    }
};

TEST_CASE("set and remove change single overrides") {
    Configured cluster;
    REQUIRE(cluster.change({{Op::set, "retention.ms", "5"}, {Op::set, "segment.ms", "7"}}).ok());
    REQUIRE(cluster.change({{Op::set, "retention.ms", "6"}, {Op::remove, "segment.ms", {}}}).ok());
    CHECK(cluster.configs() == ConfigMap{{"retention.ms", "6"}});
    CHECK(cluster.change({{Op::remove, "segment.ms", {}}}).ok());  // Already gone.
}

TEST_CASE("append and subtract edit lists, starting from the default") {
    Configured cluster;
    REQUIRE(cluster.change({{Op::append, "cleanup.policy", "compact"}}).ok());
    CHECK(cluster.configs().at("cleanup.policy") == "delete,compact");
    REQUIRE(cluster.change({{Op::append, "cleanup.policy", "compact"}}).ok());
    CHECK(cluster.configs().at("cleanup.policy") == "delete,compact");
    REQUIRE(cluster.change({{Op::subtract, "cleanup.policy", "delete,absent"}}).ok());
    CHECK(cluster.configs().at("cleanup.policy") == "compact");
    check_refused(cluster.change({{Op::append, "retention.ms", "5"}}), Error::invalid_config,
                  "Can't APPEND to key retention.ms because its type is not LIST.");
}

TEST_CASE("a change that changes nothing writes nothing") {
    Configured cluster;
    REQUIRE(cluster.change({{Op::set, "retention.ms", "5"}}).ok());
    const Offset before = cluster.state().next_offset();
    CHECK(cluster.change({{Op::set, "retention.ms", "5"}}).ok());
    CHECK(cluster.change({}).ok());
    CHECK(cluster.state().next_offset() == before);
}

TEST_CASE("a resource is changed as a whole or not at all") {
    Configured cluster;
    check_refused(cluster.change({{Op::set, "retention.ms", "5"}, {Op::set, "segment.bytes", "13"}}),
                  Error::invalid_config,
                  "Invalid value 13 for configuration segment.bytes: Value must be at least 1048576");
    CHECK(cluster.configs().empty());
}

TEST_CASE("requests are judged as Kafka judges them") {
    Configured cluster;
    check_refused(cluster.change({{Op::set, "retention.ms", "5"}, {Op::remove, "retention.ms", {}}}),
                  Error::invalid_request, "Error due to duplicate config keys");
    check_refused(cluster.change({{Op::set, "retention.ms", {}}, {Op::append, "cleanup.policy", {}}}),
                  Error::invalid_request, "Null value not supported for : retention.ms, cleanup.policy");
    check_refused(cluster.alter({ConfigKind::topic, "b", {}}), Error::unknown_topic_or_partition,
                  "The topic 'b' does not exist.");
    check_refused(cluster.alter({ConfigKind::broker, "9", {}}), Error::broker_id_not_registered,
                  "No node with id 9 found.");
    check_refused(cluster.alter({ConfigKind::broker, "one", {}}), Error::invalid_request,
                  "Node id must be an integer, but it is: one");
    check_refused(cluster.alter({ConfigKind::group, "g", {}}), Error::invalid_request,
                  "Unexpected resource type GROUP.");
    check_refused(cluster.alter({static_cast<ConfigKind>(99), "g", {}}), Error::invalid_request,
                  "Unknown resource type 99");
    check_refused(cluster.alter({ConfigKind::topic, "a/b", {}}), Error::invalid_topic_exception,
                  "Topic name is invalid: 'a/b' contains one or more characters other than ASCII "
                  "alphanumerics, '.', '_' and '-'");
}

TEST_CASE("an operation that nobody has given a meaning changes nothing") {
    Configured cluster;
    REQUIRE(cluster.change({{Op::set, "cleanup.policy", "compact,delete"}}).ok());
    for (int operation : {-1, 4, 9})
        check_refused(cluster.change({{static_cast<Op>(operation), "cleanup.policy", "delete"}}),
                      Error::invalid_request,
                      "Unknown operation " + std::to_string(operation) + " for cleanup.policy");
    CHECK(cluster.configs().at("cleanup.policy") == "compact,delete");
}

TEST_CASE("a resource that is named twice is changed by neither") {
    Configured cluster;
    const auto outcomes =
        run(cluster.life.controller.alter_configs({{ConfigKind::topic, "a", {{Op::set, "retention.ms", "5"}}},
                                                   {ConfigKind::broker, "", {}},
                                                   {ConfigKind::topic, "a", {}}},
                                                  Effect::commit));
    REQUIRE(outcomes.size() == 3);
    check_refused(outcomes[0], Error::invalid_request, "Each resource must appear at most once.");
    CHECK(outcomes[1].ok());
    check_refused(outcomes[2], Error::invalid_request, "Each resource must appear at most once.");
    CHECK(cluster.configs().empty());
}

TEST_CASE("brokers have settings of their own and cluster-wide ones") {
    Configured cluster;
    REQUIRE(cluster.alter({ConfigKind::broker, "", {{Op::set, "log.retention.ms", "5"}}}).ok());
    REQUIRE(cluster.alter({ConfigKind::broker, "1", {{Op::set, "log.retention.ms", "6"}}}).ok());
    CHECK(cluster.state().configs(ConfigKind::broker, "").at("log.retention.ms") == "5");
    CHECK(cluster.state().configs(ConfigKind::broker, "1").at("log.retention.ms") == "6");
    CHECK(cluster.alter({ConfigKind::broker, "1", {{Op::set, "node.id", "6"}}}).error ==
          Error::invalid_request);
}

TEST_CASE("validating configs alone changes nothing") {
    Configured cluster;
    const auto outcomes = run(cluster.life.controller.alter_configs(
        {{ConfigKind::topic, "a", {{Op::set, "retention.ms", "5"}}}}, Effect::validate_only));
    CHECK(outcomes[0].ok());
    CHECK(cluster.configs().empty());
}

}  // namespace
}  // namespace millrace
