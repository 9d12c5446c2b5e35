// Configuration: the tables against what Kafka 4.3 has, values, loading by precedence, DescribeConfigs
// against what a real broker answered, and changes.
#include "millrace/config.h"

#include <fstream>

#include <doctest/doctest.h>

using namespace millrace;

namespace {

using Row = std::vector<std::string>;

std::vector<Row> golden(const std::string& name) {
    std::ifstream file(std::string(TEST_DATA) + "/base/golden/" + name);
    REQUIRE(file.is_open());
    std::vector<Row> rows;
    for (std::string line; std::getline(file, line);) {
        Row row(1);
        for (char c : line) c == '\t' ? row.emplace_back() : (row.back() += c, row.back());
        rows.push_back(row);
    }
    return rows;
}

const char* type_name(ConfigType type) {
    const char* names[] = {"",     "BOOLEAN", "STRING", "INT",   "SHORT",
                           "LONG", "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
    return names[static_cast<size_t>(type)];
}

const char* source_name(ConfigSource source) {
    const char* names[] = {"UNKNOWN",
                           "DYNAMIC_TOPIC_CONFIG",
                           "DYNAMIC_BROKER_CONFIG",
                           "DYNAMIC_DEFAULT_BROKER_CONFIG",
                           "STATIC_BROKER_CONFIG",
                           "DEFAULT_CONFIG"};
    return names[static_cast<size_t>(source)];
}

Row as_row(const std::string& resource, const ConfigEntry& entry) {
    std::string synonyms;
    for (const ConfigSynonym& synonym : entry.synonyms)
        synonyms += (synonyms.empty() ? "" : "|") + synonym.name + "=" + synonym.value.value_or("null") +
                    "@" + source_name(synonym.source);
    const auto word = [](bool x) { return std::string(x ? "true" : "false"); };
    return {resource,
            entry.name,
            entry.value.value_or("\\N"),
            source_name(entry.source),
            type_name(entry.type),
            word(entry.sensitive),
            word(entry.read_only),
            synonyms};
}

// Every captured row of the resource has its equal here; returns how many there were.
size_t check_entries(const std::string& resource, const std::vector<ConfigEntry>& entries) {
    size_t seen = 0;
    for (const Row& row : golden("describe-configs.tsv")) {
        if (row[0] != resource || row[1] == "log.dir") continue;  // Our default directory is our own.
        seen++;
        const auto found = std::ranges::find(entries, row[1], &ConfigEntry::name);
        CAPTURE(row[1]);
        REQUIRE(found != entries.end());
        CHECK(as_row(resource, *found) == row);
    }
    return seen;
}

// The static settings of the broker whose answers were captured.
const char* captured_properties =
    "offsets.topic.num.partitions=3\n"
    "share.coordinator.state.topic.replication.factor=1\n"
    "share.coordinator.state.topic.min.isr=1\n"
    "transaction.state.log.num.partitions=3\n"
    "node.id=1\n"
    "controller.listener.names=CONTROLLER\n"
    "log.dirs=/var/lib/kafka\n"
    "controller.quorum.voters=1@127.0.0.1:49393\n"
    "transaction.state.log.replication.factor=1\n"
    "offsets.topic.replication.factor=1\n"
    "transaction.state.log.min.isr=1\n"
    "listeners=PLAINTEXT://127.0.0.1:49392,CONTROLLER://127.0.0.1:49393\n"
    "group.initial.rebalance.delay.ms=0\n"
    "process.roles=broker,controller\n"
    "advertised.listeners=PLAINTEXT://127.0.0.1:49392\n";

LoadedConfig load_file(const std::string& text) {
    return load_broker_config({.file_name = "server.properties", .file_text = text});
}

BrokerConfig loaded(const std::string& text) {
    LoadedConfig result = load_file(text);
    for (const std::string& error : result.errors) MESSAGE(error);
    REQUIRE(result.ok());
    return result.config;
}

const ConfigMap nothing;

std::string topic_refusal(ConfigMap overrides) {
    const auto refusal = check_topic_config(overrides);
    if (!refusal) return "ok";
    CHECK(refusal->error == Error::invalid_config);
    return refusal->message;
}

bool has_part(const std::vector<std::string>& lines, const std::string& part) {
    return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(part) != line.npos; });
}

}  // namespace

TEST_CASE("every key of Kafka 4.3 is known with its type and default") {
    size_t seen = 0;
    for (const Row& row : golden("config-keys.tsv")) {
        const ConfigKey* key = row[0] == "broker" ? find_broker_key(row[1]) : find_topic_key(row[1]);
        CAPTURE(row[1]);
        REQUIRE(key != nullptr);
        CHECK(type_name(key->type) == row[2]);
        if (row[1] != "log.dir") CHECK(std::string(key->default_value.value_or("\\N")) == row[3]);
        CHECK((key->internal ? "true" : "false") == row[4]);
        seen++;
    }
    CHECK(seen == 394);
}

TEST_CASE("every key says what becomes of it, and its default fits its rule") {
    for (const auto keys : {broker_config_keys(), topic_config_keys(), group_config_keys()}) {
        for (const ConfigKey& key : keys) {
            CAPTURE(key.name);
            CHECK(key.documentation.size() > 10);
            CHECK(key.documentation.ends_with('.'));
            if (key.default_value) CHECK(check_config_value(key, *key.default_value) == "");
        }
    }
}

TEST_CASE("values that do not fit are refused in Kafka's words") {
    CHECK(topic_refusal({{"retention.ms", "-2"}}) ==
          "Invalid value -2 for configuration retention.ms: Value must be at least -1");
    CHECK(topic_refusal({{"no.such.config", "1"}}) == "Unknown topic config name: no.such.config");
    CHECK(topic_refusal({{"cleanup.policy", "foo"}}) ==
          "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete");
    CHECK(topic_refusal({{"min.insync.replicas", "0"}}) ==
          "Invalid value 0 for configuration min.insync.replicas: Value must be at least 1");
    CHECK(topic_refusal({{"compression.type", "zstd"}}) == "ok");
    CHECK(
        topic_refusal({{"compression.type", "bogus"}}) ==
        "Invalid value bogus for configuration compression.type: String must be one of: uncompressed, zstd, "
        "lz4, snappy, gzip, producer");
    CHECK(topic_refusal({{"segment.bytes", "13"}}) ==
          "Invalid value 13 for configuration segment.bytes: Value must be at least 1048576");
    CHECK(topic_refusal({{"retention.ms", "soon"}}) ==
          "Invalid value soon for configuration retention.ms: Not a number of type LONG");
    CHECK(topic_refusal({{"segment.bytes", "2147483648"}}) ==
          "Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT");
    CHECK(topic_refusal({{"preallocate", "yes"}}) ==
          "Invalid value yes for configuration preallocate: Expected value to be either true or false");
    CHECK(topic_refusal({{"min.cleanable.dirty.ratio", "1.5"}}) ==
          "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
    CHECK(topic_refusal({{"cleanup.policy", "delete,delete"}}) ==
          "Configuration 'cleanup.policy' values must not be duplicated.");
    CHECK(topic_refusal({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "5"}}) ==
          "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)");
    CHECK(
        topic_refusal({{"remote.storage.enable", "true"}}) ==
        "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log "
        "storage.");
}

TEST_CASE("durability is flush or memory, the node's or the topic's") {
    CHECK(topic_refusal({{"durability", "flush"}}) == "ok");
    CHECK(topic_refusal({{"durability", "memory"}}) == "ok");
    CHECK(topic_refusal({{"durability", "hope"}}) != "ok");
    const BrokerConfig broker = loaded("millrace.durability=memory\nlog.flush.interval.ms=50\n");
    const ConfigLayers layers{broker, nothing, nothing};
    CHECK(effective_topic_config(layers, {}).durability == Durability::memory);
    CHECK(effective_topic_config(layers, {}).flush_ms == 50);
    CHECK(effective_topic_config(layers, {{"durability", "flush"}}).durability == Durability::flush);
}

TEST_CASE("an empty cleanup policy keeps everything") {
    const BrokerConfig broker = loaded("");
    const ConfigLayers layers{broker, nothing, nothing};
    CHECK(topic_refusal({{"cleanup.policy", ""}}) == "ok");
    const TopicConfig config = effective_topic_config(layers, {{"cleanup.policy", ""}});
    CHECK_FALSE(config.cleanup_delete);
    CHECK_FALSE(config.cleanup_compact);
}

TEST_CASE("topic, broker, cluster and group entries are those of a real broker") {
    const BrokerConfig broker = loaded(captured_properties);
    const ConfigMap cluster{{"min.insync.replicas", "1"}};
    const ConfigLayers layers{broker, nothing, cluster};
    const ConfigMap overrides{
        {"compression.type", "producer"}, {"cleanup.policy", "compact,delete"}, {"retention.ms", "123456"}};
    CHECK(check_entries("broker:1", describe_broker_config(layers)) == 339);
    CHECK(check_entries("group:g1", describe_group_config(layers)) == 17);
    CHECK(describe_topic_config(layers, overrides).size() == 34);  // Kafka's 33 and durability.

    const ConfigMap two{{"log.retention.ms", "777000"}, {"min.insync.replicas", "1"}};
    CHECK(check_entries("broker:<default>", describe_cluster_default(two)) == 2);
    CHECK(describe_cluster_default(two).size() == 2);
    CHECK(check_entries("topic:txn after cluster default log.retention.ms",
                        describe_topic_config({broker, nothing, two}, {})) == 1);
}

TEST_CASE("a topic's entries are those of a real broker") {
    const BrokerConfig broker = loaded(captured_properties);
    const ConfigMap cluster{{"min.insync.replicas", "1"}};
    ConfigMap overrides;
    for (const Row& row : golden("describe-configs.tsv"))
        if (row[0] == "topic:t1" && row[3] == "DYNAMIC_TOPIC_CONFIG") overrides[row[1]] = row[2];
    CHECK(overrides.size() >= 3);
    CHECK(check_entries("topic:t1", describe_topic_config({broker, nothing, cluster}, overrides)) == 33);
}

TEST_CASE("hours show no synonym of the milliseconds, though they decide the value") {
    const BrokerConfig broker = loaded("log.retention.hours=2\n");
    const auto entries = describe_topic_config({broker, nothing, nothing}, {});
    const auto retention = std::ranges::find(entries, "retention.ms", &ConfigEntry::name);
    CHECK(retention->value == "7200000");
    CHECK(retention->source == ConfigSource::default_value);
    CHECK(retention->synonyms.empty());
}

TEST_CASE("a sensitive value is never shown") {
    const ConfigMap dynamic{{"ssl.keystore.password", "secret"}};
    const auto entries = describe_cluster_default(dynamic);
    REQUIRE(entries.size() == 1);
    CHECK_FALSE(entries[0].value.has_value());
    CHECK_FALSE(entries[0].synonyms[0].value.has_value());
    CHECK(entries[0].sensitive);
}

TEST_CASE("flag goes before MILLRACE_, KAFKA_, file and default, and all of them are remembered") {
    ConfigInput input{.environment = {{"MILLRACE_NUM_PARTITIONS", "3"}, {"KAFKA_NUM_PARTITIONS", "4"}},
                      .file_name = "f",
                      .file_text = "\nnum.partitions=5\n"};
    CHECK(load_broker_config(input).config.num_partitions == 3);
    input.flags = {{"num.partitions", "1", "--set"}, {"num.partitions", "2", "--set"}};
    const LoadedConfig with_flags = load_broker_config(input);
    CHECK(with_flags.config.num_partitions == 2);
    const auto& settings = with_flags.config.settings.at("num.partitions");
    REQUIRE(settings.size() == 5);
    CHECK(settings[0].origin == ConfigOrigin::flag);
    CHECK(settings[2].where == "MILLRACE_NUM_PARTITIONS");
    CHECK(settings[3].origin == ConfigOrigin::kafka_environment);
    CHECK(settings[4].where == "f:2");
    input = {
        .environment = {{"KAFKA_NUM_PARTITIONS", "4"}}, .file_name = "f", .file_text = "num.partitions=5"};
    CHECK(load_broker_config(input).config.num_partitions == 4);
}

TEST_CASE("own keys are read from MILLRACE_ with and without their prefix") {
    CHECK(load_broker_config({.environment = {{"MILLRACE_SHARDS", "2"}}}).config.shards == 2);
    CHECK(load_broker_config({.environment = {{"MILLRACE_MILLRACE_SHARDS", "3"}}}).config.shards == 3);
}

TEST_CASE("a misspelt key is an error with a suggestion, wherever it stands") {
    const LoadedConfig file = load_file("# comment\nnum.partition=3\n");
    REQUIRE(file.errors.size() == 1);
    CHECK(file.errors[0] == "server.properties:2: unknown key 'num.partition'; did you mean num.partitions?");
    CHECK(has_part(load_broker_config({.flags = {{"listner", "x", "--set"}}}).errors,
                   "did you mean listeners?"));
    CHECK(has_part(load_broker_config({.environment = {{"MILLRACE_NUM_PARTITION", "1"}}}).errors,
                   "num.partitions?"));
}

TEST_CASE("variables of others are passed over with a notice") {
    const LoadedConfig result = load_broker_config(
        {.environment = {
             {"KAFKA_SERVICE_HOST", "10.0.0.1"}, {"KAFKA_HEAP_OPTS", "-Xmx1g"}, {"HOME", "/root"}}});
    CHECK(result.ok());
    CHECK(result.notices.size() == 1);
    CHECK(has_part(result.notices, "KAFKA_SERVICE_HOST"));
}

TEST_CASE("the sample file that Kafka ships works as it is") {
    const LoadedConfig result = load_file(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=localhost:9093\n"
        "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ninter.broker.listener.name=PLAINTEXT\n"
        "advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n"
        "controller.listener.names=CONTROLLER\n"
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,"
        "SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n"
        "num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n"
        "socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\nlog.dirs=/tmp/"
        "kraft-combined-logs\n"
        "num.partitions=1\nnum.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n"
        "share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n"
        "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
        "log.retention.hours=168\nlog.segment.bytes=1073741824\nlog.retention.check.interval.ms=300000\n");
    for (const std::string& error : result.errors) MESSAGE(error);
    REQUIRE(result.ok());
    REQUIRE(result.config.listeners.size() == 1);
    CHECK(result.config.listeners[0].address() == "0.0.0.0:9092");
    CHECK(result.config.listeners[0].advertised_host == "localhost");
    CHECK(result.config.listeners[0].advertised_port == 9092);
    CHECK(result.config.data_dir == "/tmp/kraft-combined-logs");
    CHECK(has_part(result.notices, "num.io.threads, num.network.threads"));
}

TEST_CASE("what would be unsafe to leave out is refused with the reason") {
    CHECK(has_part(load_file("authorizer.class.name=org.example.Authorizer").errors, "Access control"));
    CHECK(has_part(load_file("ssl.keystore.location=/tls.pem").errors, "TLS is not part"));
    CHECK(load_file("ssl.client.auth=none").ok());  // The default asks for nothing.
    CHECK(has_part(load_file("listeners=SSL://:9093").errors, "speaks SSL"));
    CHECK(has_part(load_file("process.roles=controller").errors, "always a broker"));
    CHECK(has_part(load_file("log.dirs=/a,/b").errors, "one directory"));
}

TEST_CASE("listeners are parsed or refused") {
    CHECK(loaded("").listeners.at(0).address() == "0.0.0.0:9092");
    CHECK(loaded("listeners=PLAINTEXT://[::1]:1234").listeners.at(0).address() == "[::1]:1234");
    CHECK(loaded("listeners=PLAINTEXT://localhost:0").listeners.at(0).address() == "127.0.0.1:0");
    CHECK_FALSE(load_file("listeners=PLAINTEXT://host").ok());
    CHECK_FALSE(load_file("listeners=PLAINTEXT://host:99999").ok());
    CHECK_FALSE(load_file("listeners=:9092").ok());
    CHECK_FALSE(load_file("listeners=PLAINTEXT://:1,PLAINTEXT://:2").ok());
    CHECK_FALSE(load_file("listeners=INSIDE://:1").ok());
    CHECK(load_file("listeners=INSIDE://:1\nlistener.security.protocol.map=INSIDE:PLAINTEXT").ok());
    CHECK(has_part(load_file("advertised.listeners=PLAINTEXT://0.0.0.0:9092").errors, "cannot connect"));
    CHECK(has_part(load_file("advertised.listeners=OTHER://h:1").errors, "not among listeners"));
}

TEST_CASE("node.id and broker.id are one number") {
    CHECK(loaded("").node_id == 1);
    CHECK(loaded("broker.id=7").node_id == 7);
    CHECK(loaded("node.id=8").settings.at("broker.id").front().value == "8");
    CHECK(has_part(load_file("node.id=1\nbroker.id=2").errors, "node.id"));
}

TEST_CASE("sizes, shards and retention are checked") {
    CHECK(loaded("millrace.memory=512M").memory_bytes == 512ull << 20);
    CHECK_FALSE(load_file("millrace.memory=lots").ok());
    CHECK_FALSE(load_file("millrace.shards=0").ok());
    CHECK_FALSE(load_file("log.retention.hours=0").ok());
    CHECK_FALSE(load_file("num.partitions=0").ok());
    CHECK(loaded("millrace.admin.listen=none").admin_listen.empty());
    CHECK(loaded("millrace.admin.listen=").admin_listen.empty());
    CHECK_FALSE(load_file("millrace.admin.listen=9644").ok());
}

TEST_CASE("dynamic layers change the typed settings, the strongest winning") {
    const BrokerConfig broker =
        loaded("max.connections=1000\nmessage.max.bytes=1000\nlog.retention.minutes=1\n");
    const ConfigMap own{{"max.connections", "3000"}, {"message.max.bytes", "3000"}},
        cluster{{"max.connections", "2000"}, {"message.max.bytes", "2000"}, {"log.retention.ms", "5"}};
    CHECK(effective_broker_config({broker, nothing, nothing}).max_connections == 1000);
    CHECK(effective_broker_config({broker, nothing, cluster}).max_connections == 2000);
    CHECK(effective_broker_config({broker, own, cluster}).max_connections == 3000);
    CHECK(effective_topic_config({broker, nothing, nothing}, {}).retention_ms == 60000);
    CHECK(effective_topic_config({broker, own, cluster}, {}).retention_ms == 5);
    CHECK(effective_topic_config({broker, nothing, nothing}, {}).max_message_bytes == 1000);
    CHECK(effective_topic_config({broker, nothing, cluster}, {}).max_message_bytes == 2000);
    CHECK(effective_topic_config({broker, own, cluster}, {}).max_message_bytes == 3000);
    CHECK(effective_topic_config({broker, own, cluster}, {{"max.message.bytes", "7"}}).max_message_bytes ==
          7);
}

TEST_CASE("what no dynamic layer sets stays as it was given, however that was") {
    BrokerConfig broker = loaded("");
    broker.max_connections = 7, broker.offsets_topic_partitions = 4;
    const ConfigMap own{{"max.connections.per.ip", "3"}};
    const BrokerConfig effective = effective_broker_config({broker, own, nothing});
    CHECK(effective.max_connections == 7);
    CHECK(effective.max_connections_per_ip == 3);
    CHECK(effective.offsets_topic_partitions == 4);
}

TEST_CASE("keys without effect are named in one notice, with the reasons") {
    const LoadedConfig result = load_file(
        "num.io.threads=4\nunclean.leader.election.enable=true\nlog.flush.interval.ms=5\n"
        "transaction.max.timeout.ms=1\nlog.cleaner.threads=2\nmax.connections=5\n");
    CHECK(result.ok());
    REQUIRE(result.notices.size() == 1);
    for (const char* name : {"without effect: ", "num.io.threads", "unclean.leader.election.enable",
                             "transaction.max.timeout.ms", "log.cleaner.threads"})
        CHECK(has_part(result.notices, name));
    CHECK_FALSE(has_part(result.notices, "max.connections"));
}

TEST_CASE("without settings a topic has Kafka's defaults") {
    const BrokerConfig broker = loaded("");
    const TopicConfig config = effective_topic_config({broker, nothing, nothing}, {});
    CHECK(config.retention_ms == 604800000);
    CHECK(config.segment_ms == 604800000);
    CHECK(config.segment_bytes == 1073741824);
    CHECK(config.flush_ms == INT64_MAX);
    CHECK(config.timestamp_after_max_ms == 3600000);
    CHECK(config.compression == Compression::producer);
    CHECK(config.cleanup_delete);
    CHECK(effective_topic_config({broker, nothing, nothing}, {{"internal.segment.bytes", "4096"}})
              .segment_bytes == 4096);
}

TEST_CASE("alterations set, remove, append and subtract") {
    ConfigMap config;
    const auto alter = [&](AlterOperation operation, const char* name,
                           std::optional<std::string_view> value) {
        return alter_config(ConfigScope::topic, config, {operation, name, value});
    };
    CHECK_FALSE(alter(AlterOperation::append, "cleanup.policy", "compact"));
    CHECK(config["cleanup.policy"] == "delete,compact");  // The default is where it starts.
    CHECK_FALSE(alter(AlterOperation::append, "cleanup.policy", "compact"));
    CHECK(config["cleanup.policy"] == "delete,compact");
    CHECK_FALSE(alter(AlterOperation::subtract, "cleanup.policy", "delete,absent"));
    CHECK(config["cleanup.policy"] == "compact");
    CHECK_FALSE(alter(AlterOperation::set, "retention.ms", "5"));
    CHECK_FALSE(alter(AlterOperation::remove, "retention.ms", std::nullopt));
    CHECK_FALSE(alter(AlterOperation::remove, "retention.ms", std::nullopt));
    CHECK(config.size() == 1);
    CHECK(alter(AlterOperation::set, "retention.ms", std::nullopt)->error == Error::invalid_request);
    CHECK(alter(AlterOperation::append, "retention.ms", "5")->message ==
          "Can't APPEND to key retention.ms because its type is not LIST.");
}

TEST_CASE("only what may change while the broker runs may be altered dynamically") {
    CHECK_FALSE(check_dynamic_config({{"log.retention.ms", "5"}}, "broker"));
    CHECK_FALSE(check_dynamic_config({{"num.io.threads", "5"}}, "broker"));
    const auto fixed = check_dynamic_config({{"num.partitions", "2"}, {"node.id", "5"}}, "broker");
    REQUIRE(fixed);
    CHECK(fixed->error == Error::invalid_request);
    CHECK(fixed->message == "Cannot update these configs dynamically: [node.id, num.partitions]");
    CHECK(check_dynamic_config({{"listeners", "PLAINTEXT://:1"}}, "broker")->message ==
          "Cannot update these configs dynamically: [listeners]");
    CHECK(check_dynamic_config({{"log.retention.ms", "0"}}, "broker"));
    CHECK_FALSE(check_dynamic_config({{"log.retention.bytes", "0"}}, "broker"));
    CHECK(check_dynamic_config({{"max.connections.per.ip", "0"}}, "broker"));
    CHECK(check_dynamic_config({{"ssl.keystore.location", "x"}}, "broker"));
    CHECK(check_dynamic_config({{"message.max.bytes", "x"}}, "broker"));
    CHECK(check_dynamic_config({{"nonsense", "x"}}, "broker"));
}

TEST_CASE("properties are read as Java reads them") {
    const auto properties = parse_properties(
        "# comment\n! another \\\n  a = b \n\nc:d\r\ne f g\nlong=one,\\\n    two\nkey\\ "
        "with\\=x=\\t\\u00e4\\\\\nlonely\n"
        "odd=\\\\\\\nnext");
    REQUIRE(properties.size() == 7);
    CHECK(properties[0].name == "a");
    CHECK(properties[0].value == "b ");
    CHECK(properties[0].line == 3);
    CHECK(properties[1].value == "d");
    CHECK(properties[2].name == "e");
    CHECK(properties[2].value == "f g");
    CHECK(properties[3].value == "one,two");
    CHECK(properties[4].name == "key with=x");
    CHECK(properties[4].value == "\t\xc3\xa4\\");
    CHECK(properties[5].name == "lonely");
    CHECK(properties[5].value.empty());
    CHECK(properties[6].value == "\\next");
}

TEST_CASE("a suggestion is made only when it is near") {
    CHECK(nearest_broker_key("log.dri") == "log.dir");
    CHECK(nearest_topic_key("retention.mss") == "retention.ms");
    CHECK_FALSE(nearest_broker_key("quite.something.else.altogether"));
    CHECK_FALSE(nearest_broker_key(std::string(1000, 'x')));
}

TEST_CASE("topic names are judged in Kafka's words") {
    CHECK(check_topic_name("a.b_c-D9") == "");
    CHECK(
        check_topic_name("bad name!") ==
        "Topic name is invalid: 'bad name!' contains one or more characters other than ASCII alphanumerics, "
        "'.', '_' and '-'");
    CHECK(check_topic_name(".") == "Topic name is invalid: '.' is not allowed");
    CHECK(check_topic_name(std::string(249, 'x')) == "");
    CHECK(check_topic_name(std::string(250, 'x')).ends_with("is longer than the max allowed length 249"));
}
