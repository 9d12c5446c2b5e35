// Topics, settings, places in a log, versions: what administrators and starting clients ask.
#include <set>

#include "lab.h"
#include "millrace/wire/api_versions.h"
#include "millrace/wire/create_partitions.h"
#include "millrace/wire/delete_records.h"
#include "millrace/wire/describe_configs.h"
#include "millrace/wire/incremental_alter_configs.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_for_leader_epoch.h"

namespace millrace {

namespace {

Answer<wire::MetadataResponse> metadata_of(Lab& lab, std::string_view name, bool may_create,
                                           int16_t version = 12, uint16_t shard = 0) {
    wire::MetadataRequest::Topic asked{.topic_id = {}, .name = name};
    wire::MetadataRequest request{.topics = wire::List<wire::MetadataRequest::Topic>{&asked, 1},
                                  .allow_auto_topic_creation = may_create};
    return lab.call<wire::MetadataResponse>(request, version, shard);
}

Error create_error(Lab& lab, wire::CreateTopicsRequest::Topic asked, bool validate_only = false) {
    const wire::CreateTopicsRequest request{.topics = {&asked, 1}, .validate_only = validate_only};
    return lab.call<wire::CreateTopicsResponse>(request, 7)->topics[0].error_code;
}

wire::CreateTopicsRequest::Topic new_topic(std::string_view name, int32_t partitions, int16_t replicas = 1) {
    return {.name = name,
            .num_partitions = partitions,
            .replication_factor = replicas,
            .assignments = {},
            .configs = {}};
}

Error grow(Lab& lab, std::string_view topic, int32_t count) {
    wire::CreatePartitionsRequest::Topic asked{.name = topic, .count = count, .assignments = {}};
    return lab.call<wire::CreatePartitionsResponse>(wire::CreatePartitionsRequest{.topics = {&asked, 1}}, 3)
        ->results[0]
        .error_code;
}

constexpr int8_t topic_type = 2, broker_type = 4;

struct Altered {
    Error error;
    std::string message;
};
// Sets a key of a resource, or, without a value, takes it away.
Altered alter_resource(Lab& lab, int8_t type, std::string_view resource_name, std::string_view name,
                       std::optional<std::string_view> value) {
    wire::IncrementalAlterConfigsRequest::Config config{
        .name = name, .config_operation = static_cast<int8_t>(value ? 0 : 1), .value = {}};
    if (value) config.value = *value;
    wire::IncrementalAlterConfigsRequest::Resource resource{
        .resource_type = type, .resource_name = resource_name, .configs = {&config, 1}};
    const auto answer = lab.call<wire::IncrementalAlterConfigsResponse>(
        wire::IncrementalAlterConfigsRequest{.resources = {&resource, 1}}, 1);
    return {answer->responses[0].error_code, std::string(answer->responses[0].error_message.value_or(""))};
}

Error alter(Lab& lab, std::string_view topic, std::string_view name, std::string_view value) {
    return alter_resource(lab, topic_type, topic, name, value).error;
}
Error alter_broker(Lab& lab, std::string_view broker, std::string_view name,
                   std::optional<std::string_view> value) {
    return alter_resource(lab, broker_type, broker, name, value).error;
}

// "value from SOURCE [synonym=value@SOURCE ...]", the sources as numbers.
std::string sources_of(Lab& lab, int8_t type, std::string_view resource_name, std::string_view name) {
    wire::String key = name;
    wire::DescribeConfigsRequest::Resource resource{.resource_type = type,
                                                    .resource_name = resource_name,
                                                    .configuration_keys = wire::List<wire::String>{&key, 1}};
    const auto answer = lab.call<wire::DescribeConfigsResponse>(
        wire::DescribeConfigsRequest{.resources = {&resource, 1}, .include_synonyms = true}, 4, 1);
    if (answer->results[0].configs.size() != 1) return "nothing";
    const auto& told = answer->results[0].configs[0];
    std::string text =
        std::string(told.value.value_or("null")) + " from " + std::to_string(told.config_source);
    for (const auto& synonym : told.synonyms)
        text += " " + std::string(synonym.name) + "=" + std::string(synonym.value.value_or("null")) + "@" +
                std::to_string(synonym.source);
    return text;
}

BrokerConfig with_settings(const Lab::Configs& settings) {
    BrokerConfig config = Lab::small();
    for (const auto& [name, value] : settings)
        config.settings[name] = {{value, ConfigOrigin::file, "server.properties:1"}};
    return config;
}

TopicConfig settings_on_home(Lab& lab, std::string_view topic) {
    const Slot slot = lab.shard(0).metadata().topic(topic)->partitions[0].slot;
    return lab.shard(lab.shard(0).home(slot).value).hosted(slot)->settings->config;
}

Error write_size(Lab& lab, std::string_view topic, size_t size) {
    return lab.produce({.topic = topic}, one_record(std::string(size, 'x'), lab.node.io().wall_ms()))
        .error_code;
}

std::string describe(Lab& lab, std::string_view topic, std::string_view name) {
    wire::String key = name;
    wire::DescribeConfigsRequest::Resource resource{
        .resource_type = 2, .resource_name = topic, .configuration_keys = wire::List<wire::String>{&key, 1}};
    const auto answer =
        lab.call<wire::DescribeConfigsResponse>(wire::DescribeConfigsRequest{.resources = {&resource, 1}}, 4);
    if (answer->results[0].error_code != Error::none)
        return std::string(error_name(answer->results[0].error_code));
    REQUIRE(answer->results[0].configs.size() == 1);
    return std::string(*answer->results[0].configs[0].value);
}

struct Deleted {
    Error error;
    int64_t low_watermark;
};
Deleted delete_records(Lab& lab, std::string_view topic, int64_t offset) {
    wire::DeleteRecordsRequest::Partition asked{.partition_index = 0, .offset = offset};
    wire::DeleteRecordsRequest::Topic asked_topic{.name = topic, .partitions = {&asked, 1}};
    const auto answer = lab.call<wire::DeleteRecordsResponse>(
        wire::DeleteRecordsRequest{.topics = {&asked_topic, 1}, .timeout_ms = 10'000}, 2);
    const auto& told = answer->topics[0].partitions[0];
    return {told.error_code, told.low_watermark};
}

}  // namespace

TEST_CASE("a topic that is asked for is made where that is allowed, and ready at once on every shard") {
    Lab lab{1, 3};
    CHECK(metadata_of(lab, "fresh", false)->topics[0].error_code == Error::unknown_topic_or_partition);
    const auto made = metadata_of(lab, "fresh", true, 12, 2);
    CHECK(made->topics[0].error_code == Error::none);
    REQUIRE(made->topics[0].partitions.size() == 1);
    CHECK(made->topics[0].partitions[0].leader_id == 1);
    for (uint16_t i = 0; i < 3; i++)
        CHECK(lab.produce({.topic = "fresh", .shard = i}, one_record("x", lab.node.io().wall_ms()))
                  .base_offset == i);
    CHECK(metadata_of(lab, "bad name", true)->topics[0].error_code == Error::invalid_topic_exception);
}

TEST_CASE("a topic asked for by many at once, on all shards, is made once") {
    Lab lab{2, 3};
    wire::MetadataRequest::Topic asked{.topic_id = {}, .name = "same"};
    const wire::MetadataRequest request{.topics = wire::List<wire::MetadataRequest::Topic>{&asked, 1}};
    std::vector<std::unique_ptr<Exchange>> all;
    for (uint16_t i = 0; i < 12; i++) all.push_back(lab.send(request, 12, i % 3));
    std::set<std::string> ids;
    for (auto& one : all) {
        lab.wait(*one);
        const auto answer = Lab::decode<wire::MetadataResponse>(*one);
        CHECK(answer->topics[0].error_code == Error::none);
        ids.insert(answer->topics[0].topic_id.to_text());
    }
    CHECK(ids.size() == 1);
}

TEST_CASE("no topic is made where the broker's settings forbid it") {
    BrokerConfig config = Lab::small();
    config.auto_create_topics = false;
    Lab lab{3, 1, config};
    CHECK(metadata_of(lab, "t", true)->topics[0].error_code == Error::unknown_topic_or_partition);
}

TEST_CASE("a topic that cannot be is refused for its own reason, one that is only checked is not made") {
    Lab lab{4};
    CHECK(create_error(lab, new_topic("t", 2), true) == Error::none);
    CHECK(lab.shard(0).metadata().topic("t") == nullptr);
    CHECK(create_error(lab, new_topic("t", 2)) == Error::none);
    CHECK(create_error(lab, new_topic("t", 2)) == Error::topic_already_exists);
    CHECK(create_error(lab, new_topic("u", 0)) == Error::invalid_partitions);
    CHECK(create_error(lab, new_topic("u", 1, 3)) == Error::invalid_replication_factor);
    CHECK(create_error(lab, new_topic("..", 1)) == Error::invalid_topic_exception);
    wire::CreateTopicsRequest::Config wrong{.name = "retention.ms", .value = "soon"};
    auto topic = new_topic("u", 1);
    topic.configs = {&wrong, 1};
    CHECK(create_error(lab, topic) == Error::invalid_config);
    CHECK(lab.shard(0).metadata().topic("u") == nullptr);
}

TEST_CASE("what the disk has no room for is not made, not even half, and may be asked for again") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Lab lab{31, 2};
        lab.create("old", 1);
        CHECK(write_size(lab, "old", 10) == Error::none);
        lab.world.run_for(2'000 * lab_ms);
        DiskOptions& disk = lab.node.disk().options();
        const uint64_t capacity = std::exchange(disk.capacity_bytes, lab.node.disk().used_bytes());
        for (int i = 0; i < 2; i++)
            CHECK(create_error(lab, new_topic("new", 3)) == Error::kafka_storage_error);
        CHECK(grow(lab, "old", 4) == Error::kafka_storage_error);
        CHECK_FALSE(lab.shard(0).metadata().topic("new"));
        CHECK(lab.shard(0).metadata().topic("old")->partition_count() == 1);
        CHECK(lab.list_offset("old", 0, -1).error_code == Error::none);
        disk.capacity_bytes = capacity;
        lab.world.run_for(5'000 * lab_ms);
        CHECK(create_error(lab, new_topic("new", 3)) == Error::none);
        lab.remove("old");
        for (int life = 0; life < 2; life++) {
            for (int32_t i = 0; i < 3; i++) CHECK(lab.write("new", i, "x") == life);
            CHECK_FALSE(lab.shard(0).metadata().topic("old"));
            lab.restart(how);
        }
    }
}

TEST_CASE(
    "on a nearly full disk records and topics are refused, all else goes on, and writing resumes by itself") {
    BrokerConfig config = Lab::small();
    config.disk_reserve_bytes = 4 << 20;
    Lab lab{33, 2, config};
    lab.create("t", 2);
    for (int i = 0; i < 20; i++) CHECK(write_size(lab, "t", 100'000) == Error::none);
    lab.world.run_for(2'000 * lab_ms);
    DiskOptions& disk = lab.node.disk().options();
    const uint64_t capacity =
        std::exchange(disk.capacity_bytes, lab.node.disk().used_bytes() + config.disk_reserve_bytes - 1);
    Error error = Error::none;
    for (int i = 0; i < 20 && error == Error::none; i++) error = write_size(lab, "t", 10'000);
    CHECK(error == Error::kafka_storage_error);
    CHECK(lab.world.has_line("the disk is nearly full"));
    CHECK(create_error(lab, new_topic("new", 1)) == Error::kafka_storage_error);
    CHECK_FALSE(lab.shard(0).metadata().topic("new"));
    CHECK(lab.list_offset("t", 0, -1).error_code == Error::none);
    lab.world.run_for(10'000 * lab_ms);
    size_t said = 0, again = 0;
    for (const SimLine& line : lab.world.lines()) {
        said += line.text.find("nearly full") != std::string::npos;
        again += line.text.find("has room again") != std::string::npos;
    }
    CHECK(said >= 1);
    CHECK(said <= 2);  // Each shard once.
    CHECK(again == 0);
    disk.capacity_bytes = capacity;
    lab.world.run_for(2'500 * lab_ms);
    CHECK(write_size(lab, "t", 10'000) == Error::none);
    CHECK(create_error(lab, new_topic("new", 1)) == Error::none);
}

TEST_CASE(
    "after a restart the leader epoch is a later one, and an epoch that left no record ends where it began") {
    Lab lab{35, 2};
    lab.create("t", 1, {{"durability", "memory"}});
    CHECK(lab.write("t", 0, "a") == 0);
    lab.world.run_for(200 * lab_ms);
    const Epoch first = lab.shard(0).metadata().topic("t")->partitions[0].leader_epoch;
    lab.restart(Crash::kill);
    const Epoch second = lab.shard(0).metadata().topic("t")->partitions[0].leader_epoch;
    CHECK(second > first);
    for (uint16_t i = 0; i < 2; i++)
        CHECK(lab.shard(i).metadata().topic("t")->partitions[0].leader_epoch == second);
    CHECK(lab.write("t", 0, "b") == 1);
    CHECK(lab.write("t", 0, "c") == 2);
    lab.restart(Crash::kill);  // At once: these two are lost.
    const PartitionInfo& partition = lab.shard(0).metadata().topic("t")->partitions[0];
    Partition& hosted = *lab.shard(lab.shard(0).home(partition.slot).value).hosted(partition.slot)->partition;
    CHECK(hosted.leader_epoch() > second);
    CHECK(hosted.leader_epoch() == partition.leader_epoch);
    CHECK(hosted.end() == Offset{1});
    const EpochEnd lost = hosted.epoch_end(second);
    CHECK(lost.epoch == first);
    CHECK(lost.end == Offset{1});
    CHECK(lab.write("t", 0, "d") == 1);
    CHECK(hosted.epoch_end(second).end == Offset{1});
    CHECK(hosted.epoch_end(hosted.leader_epoch()).end == Offset{2});
}

TEST_CASE("a topic grows, never shrinks, and keeps what its partitions hold") {
    Lab lab{5, 3};
    lab.create("t", 2);
    lab.write("t", 1, "kept");
    CHECK(grow(lab, "t", 5) == Error::none);
    CHECK(grow(lab, "t", 5) == Error::invalid_partitions);
    CHECK(grow(lab, "t", 3) == Error::invalid_partitions);
    CHECK(grow(lab, "none", 3) == Error::unknown_topic_or_partition);
    for (int32_t i = 0; i < 5; i++) CHECK(lab.write("t", i, "x") == (i == 1 ? 1 : 0));
}

TEST_CASE("a deleted topic is gone at once on every shard, and its name begins anew") {
    Lab lab{6, 3};
    const Uuid first = lab.create("t", 6);
    for (int32_t i = 0; i < 6; i++) lab.write("t", i, "old");
    lab.remove("t");
    for (uint16_t i = 0; i < 3; i++) {
        CHECK(lab.produce({.topic = "t", .shard = i}, one_record("x", 1)).error_code ==
              Error::unknown_topic_or_partition);
        CHECK(lab.produce({.version = 13, .shard = i, .topic_id = first}, one_record("x", 1)).error_code ==
              Error::unknown_topic_id);
    }
    CHECK(lab.create("t", 6) != first);
    for (int32_t i = 0; i < 6; i++) CHECK(lab.write("t", i, "new") == 0);
    lab.restart(Crash::power_cut);
    for (int32_t i = 0; i < 6; i++) CHECK(lab.list_offset("t", i, -1).offset == 1);
}

TEST_CASE("a changed setting is shown, and holds from then on") {
    Lab lab{7};
    lab.create("t", 1);
    CHECK(describe(lab, "t", "max.message.bytes") == "1048588");
    CHECK(alter(lab, "t", "max.message.bytes", "100") == Error::none);
    CHECK(describe(lab, "t", "max.message.bytes") == "100");
    CHECK(
        lab.produce({.topic = "t"}, one_record(std::string(200, 'x'), lab.node.io().wall_ms())).error_code ==
        Error::message_too_large);
    CHECK(alter(lab, "t", "max.message.bytes", "many") == Error::invalid_config);
    CHECK(alter(lab, "t", "no.such.key", "1") == Error::invalid_config);
    CHECK(alter(lab, "none", "retention.ms", "1") == Error::unknown_topic_or_partition);
    CHECK(describe(lab, "none", "retention.ms") == "UNKNOWN_TOPIC_OR_PARTITION");
    lab.restart(Crash::kill);
    CHECK(describe(lab, "t", "max.message.bytes") == "100");
}

TEST_CASE(
    "a broker's dynamic settings hold at once for topics without their own, the broker's before the "
    "cluster's") {
    Lab lab{21, 2, with_settings({{"message.max.bytes", "100000"}})};
    lab.create("t", 1);
    lab.create("own", 1, {{"max.message.bytes", "200000"}});
    CHECK(write_size(lab, "t", 50'000) == Error::none);
    CHECK(write_size(lab, "t", 100'000) == Error::message_too_large);
    CHECK(alter_broker(lab, "", "message.max.bytes", "1000") == Error::none);
    CHECK(write_size(lab, "t", 2'000) == Error::message_too_large);
    CHECK(alter_broker(lab, "1", "message.max.bytes", "3000") == Error::none);
    CHECK(write_size(lab, "t", 2'000) == Error::none);
    CHECK(write_size(lab, "t", 4'000) == Error::message_too_large);
    CHECK(write_size(lab, "own", 150'000) == Error::none);
    const std::string below =
        " message.max.bytes=3000@2 message.max.bytes=1000@3 message.max.bytes=100000@4 "
        "message.max.bytes=1048588@5";
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        CHECK(sources_of(lab, broker_type, "1", "message.max.bytes") == "3000 from 2" + below);
        CHECK(sources_of(lab, topic_type, "t", "max.message.bytes") == "3000 from 2" + below);
        CHECK(sources_of(lab, topic_type, "own", "max.message.bytes") ==
              "200000 from 1 max.message.bytes=200000@1" + below);
        CHECK(sources_of(lab, broker_type, "", "message.max.bytes") ==
              "1000 from 3 message.max.bytes=1000@3");
        lab.restart(how);
        CHECK(write_size(lab, "t", 2'000) == Error::none);
        CHECK(write_size(lab, "t", 4'000) == Error::message_too_large);
    }
    CHECK(alter_broker(lab, "1", "message.max.bytes", std::nullopt) == Error::none);
    CHECK(write_size(lab, "t", 2'000) == Error::message_too_large);
    CHECK(alter_broker(lab, "", "message.max.bytes", std::nullopt) == Error::none);
    CHECK(write_size(lab, "t", 50'000) == Error::none);
    CHECK(sources_of(lab, topic_type, "t", "max.message.bytes") ==
          "100000 from 4 message.max.bytes=100000@4 message.max.bytes=1048588@5");
}

TEST_CASE("every dynamic default of topics reaches their partitions, and is there after a crash") {
    Lab lab{22, 2};
    lab.create("t", 1);
    for (const auto& [name, value] : Lab::Configs{{"log.retention.ms", "12345"},
                                                  {"log.retention.bytes", "1000000"},
                                                  {"log.segment.bytes", "2000000"},
                                                  {"log.roll.ms", "60000"},
                                                  {"log.roll.jitter.ms", "10"},
                                                  {"log.index.interval.bytes", "512"},
                                                  {"log.index.size.max.bytes", "4096"},
                                                  {"log.cleanup.policy", "compact"},
                                                  {"log.message.timestamp.type", "LogAppendTime"},
                                                  {"log.message.timestamp.before.max.ms", "7000"},
                                                  {"log.message.timestamp.after.max.ms", "8000"},
                                                  {"compression.type", "zstd"},
                                                  {"compression.zstd.level", "5"},
                                                  {"min.insync.replicas", "2"},
                                                  {"producer.id.expiration.ms", "9000"}})
        CHECK(alter_broker(lab, "", name, value) == Error::none);
    for (int life = 0; life < 2; life++) {
        const TopicConfig topic = settings_on_home(lab, "t");
        CHECK(topic.retention_ms == 12'345);
        CHECK(topic.retention_bytes == 1'000'000);
        CHECK(topic.segment_bytes == 2'000'000);
        CHECK(topic.segment_ms == 60'000);
        CHECK(topic.segment_jitter_ms == 10);
        CHECK(topic.index_interval_bytes == 512);
        CHECK(topic.segment_index_bytes == 4'096);
        CHECK(topic.cleanup_compact);
        CHECK_FALSE(topic.cleanup_delete);
        CHECK(topic.timestamp_type == TimestampType::log_append_time);
        CHECK(topic.timestamp_before_max_ms == 7'000);
        CHECK(topic.timestamp_after_max_ms == 8'000);
        CHECK(topic.compression == Compression::zstd);
        CHECK(topic.zstd_level == 5);
        CHECK(topic.min_insync_replicas == 2);
        const Slot slot = lab.shard(0).metadata().topic("t")->partitions[0].slot;
        const LogConfig& log =
            lab.shard(lab.shard(0).home(slot).value).hosted(slot)->partition->spec().config;
        CHECK(log.retention_ms == 12'345);
        CHECK(log.segment_bytes == 2'000'000);
        CHECK(log.producer_id_expiration_ms == 9'000);
        CHECK(lab.produce({.topic = "t"}, one_record("x", lab.node.io().wall_ms())).error_code ==
              Error::not_enough_replicas);
        lab.restart(Crash::power_cut);
    }
}

TEST_CASE("settings that are read at the start are refused, in Kafka's words, and so are bad values") {
    Lab lab{23};
    const auto refused = alter_resource(lab, broker_type, "1", "num.partitions", "3");
    CHECK(refused.error == Error::invalid_request);
    CHECK(refused.message == "Cannot update these configs dynamically: [num.partitions]");
    CHECK(alter_broker(lab, "", "log.dirs", "/x") == Error::invalid_request);
    CHECK(alter_broker(lab, "", "message.max.bytes", "-1") == Error::invalid_request);
    CHECK(alter_broker(lab, "2", "message.max.bytes", "1") == Error::broker_id_not_registered);
    CHECK(sources_of(lab, broker_type, "1", "num.partitions") == "1 from 5 num.partitions=1@5");
}

TEST_CASE("limits of connections change while the broker runs, on every shard") {
    Lab lab{24, 2};
    int told = 0;
    for (uint16_t i = 0; i < 2; i++) lab.shard(i).on_config_changed([&told] { told++; });
    CHECK(alter_broker(lab, "1", "max.connections", "10") == Error::none);
    CHECK(alter_broker(lab, "", "max.connections.per.ip", "4") == Error::none);
    CHECK(told == 4);
    for (int life = 0; life < 2; life++) {
        for (uint16_t i = 0; i < 2; i++) {
            CHECK(lab.shard(i).config().max_connections == 10);
            CHECK(lab.shard(i).config().max_connections_per_ip == 4);
            CHECK(lab.shard(i).config().offsets_topic_partitions == 4);  // As it was.
        }
        lab.restart(Crash::kill);
    }
}

TEST_CASE("the special timestamps give the first offset, the last, and the newest record's") {
    Lab lab{8};
    lab.create("t", 1);
    const int64_t now = lab.node.io().wall_ms();
    CHECK(lab.list_offset("t", 0, -1).offset == 0);
    CHECK(lab.list_offset("t", 0, -2).offset == 0);
    CHECK(lab.list_offset("t", 0, -3).offset == -1);
    for (const int64_t time : {100, 300, 200})
        CHECK(lab.produce({.topic = "t"}, one_record("x", now + time)).error_code == Error::none);
    CHECK(lab.list_offset("t", 0, -1).offset == 3);
    CHECK(lab.list_offset("t", 0, -3).offset == 1);
    CHECK(lab.list_offset("t", 0, -3).timestamp == now + 300);
    CHECK(lab.list_offset("t", 0, now).offset == 0);
    CHECK(lab.list_offset("t", 0, now + 101).offset == 1);
    CHECK(lab.list_offset("t", 0, now + 301).offset == -1);
    CHECK(lab.list_offset("t", 0, -4).error_code == Error::unsupported_version);  // Version 8 on.
    CHECK(lab.list_offset("t", 0, -99).error_code == Error::unsupported_version);
    CHECK(lab.list_offset("none", 0, -1).error_code == Error::unknown_topic_or_partition);
    CHECK(lab.list_offset("t", 1, -1).error_code == Error::unknown_topic_or_partition);
}

TEST_CASE("deleted records are below the log's start, for good") {
    Lab lab{9};
    lab.create("t", 1);
    for (int i = 0; i < 10; i++) lab.write("t", 0, "x");
    CHECK(delete_records(lab, "t", 4).low_watermark == 4);
    CHECK(delete_records(lab, "t", 2).low_watermark == 4);
    CHECK(delete_records(lab, "t", 11).error == Error::offset_out_of_range);
    CHECK(lab.list_offset("t", 0, -2).offset == 4);
    lab.restart(Crash::power_cut);
    CHECK(lab.list_offset("t", 0, -2).offset == 4);
    CHECK(delete_records(lab, "t", -1).low_watermark == 10);  // All there is.
    CHECK(lab.list_offset("t", 0, -2).offset == 10);
    CHECK(lab.write("t", 0, "x") == 10);
    CHECK(delete_records(lab, "none", 0).error == Error::unknown_topic_or_partition);
}

TEST_CASE("the end of the current epoch is the log's, and an epoch to come has none") {
    Lab lab{10};
    lab.create("t", 1);
    for (int i = 0; i < 3; i++) lab.write("t", 0, "x");
    const int32_t epoch = lab.shard(0).metadata().topic("t")->partitions[0].leader_epoch.value;
    const auto ask = [&](int32_t current, int32_t asked_epoch) {
        wire::OffsetForLeaderEpochRequest::Partition asked{
            .partition = 0, .current_leader_epoch = current, .leader_epoch = asked_epoch};
        wire::OffsetForLeaderEpochRequest::Topic topic{.topic = "t", .partitions = {&asked, 1}};
        const auto answer = lab.call<wire::OffsetForLeaderEpochResponse>(
            wire::OffsetForLeaderEpochRequest{.replica_id = -1, .topics = {&topic, 1}}, 4);
        return answer->topics[0].partitions[0];
    };
    CHECK(ask(-1, epoch).end_offset == 3);
    CHECK(ask(-1, epoch).leader_epoch == epoch);
    CHECK(ask(-1, epoch + 1).end_offset == -1);
    CHECK(ask(epoch + 1, epoch).error_code == Error::unknown_leader_epoch);
}

TEST_CASE("an unknown version of ApiVersions is answered in version 0, others end the connection") {
    Lab lab{11};
    wire::Writer writer;
    wire::encode_request(writer, wire::ApiVersionsRequest{}, 3, 7, wire::String{"lab"});
    auto frame = writer.copy();
    store_big<int16_t>(frame.data() + 6, 99);
    auto asked = lab.send_frame(frame, 18, 0, 0);
    lab.wait(*asked);
    const auto answer = Lab::decode<wire::ApiVersionsResponse>(*asked);
    CHECK(answer->error_code == Error::unsupported_version);
    CHECK(!answer->api_keys.empty());
    wire::Writer other;
    wire::encode_request(other, wire::MetadataRequest{}, 12, 7, wire::String{"lab"});
    for (const int16_t version : {int16_t{99}, int16_t{-1}}) {
        auto bytes = other.copy();
        store_big<int16_t>(bytes.data() + 6, version);
        auto refused = lab.send_frame(bytes, 3, 12, 1);
        lab.wait(*refused);
        CHECK(refused->kind == Reply::Kind::close);
    }
    auto cut = other.copy();
    cut.resize(cut.size() - 2);
    auto malformed = lab.send_frame(cut, 3, 12, 0);
    lab.wait(*malformed);
    CHECK(malformed->kind == Reply::Kind::close);
    CHECK(lab.world.has_line("malformed request"));
}

}  // namespace millrace
