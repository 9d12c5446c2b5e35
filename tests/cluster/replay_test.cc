// The metadata image: what each record type does to it, and which bytes it refuses.
#include "cluster_fixture.h"
#include "millrace/batch.h"
#include "millrace/wire.h"
#include "millrace/wire/broker_records.h"
#include "millrace/wire/cluster_records.h"
#include "millrace/wire/security_records.h"
#include "millrace/wire/topic_records.h"

namespace millrace {
namespace {

constexpr Uuid id_a{{0xa}}, id_b{{0xb}};
constexpr int8_t topic_kind = 2, broker_kind = 4;

// Records of any kind, applied as one batch after what the state has.
struct Script {
    template <class Record> Script& add(const Record& record, int16_t version = Record::api.versions.last) {
        wire::Writer writer;
        wire::encode_metadata_record(writer, record, version);
        records.add(writer.copy());
        return *this;
    }
    Script& topic(std::string_view name, const Uuid& id) {
        return add(wire::TopicRecord{.name = name, .topic_id = id});
    }
    Script& partition(const Uuid& topic, int32_t index) {
        return add(wire::PartitionRecord{.partition_id = index,
                                         .topic_id = topic,
                                         .replicas = nodes,
                                         .isr = nodes,
                                         .leader = 1,
                                         .leader_epoch = 0,
                                         .partition_epoch = 0});
    }
    Script& remove(const Uuid& topic) { return add(wire::RemoveTopicRecord{.topic_id = topic}); }
    Script& config(int8_t kind, std::string_view name, std::string_view key,
                   wire::Nullable<wire::String> value) {
        return add(wire::ConfigRecord{kind, name, key, value});
    }
    std::vector<uint8_t> batch_for(const MetadataState& state) {
        return records.to_batch(state.next_offset(), Epoch{0}, 1'000);
    }
    Error apply_to(MetadataState& state, MetadataObserver* observer = nullptr) {
        return state.apply(batch_for(state), observer).error();
    }

    MetadataRecords records;
    std::vector<int32_t> nodes{1, 2};
};

class Notes final : public MetadataObserver {
 public:
    void partition_added(const TopicInfo& topic, int32_t index) override {
        note("added", topic.name, index);
        configs_at_add = topic.configs;
    }
    void partition_changed(const TopicInfo& topic, int32_t index) override {
        note("changed", topic.name, index);
    }
    void topic_removed(const TopicInfo& topic) override {
        note("removed", topic.name, topic.partition_count());
    }
    void configs_changed(ConfigKind kind, std::string_view name) override {
        note("configs", std::string{name}, static_cast<int32_t>(kind));
    }
    void brokers_changed() override { note("brokers", "", 0); }

    std::vector<std::string> notes;
    ConfigMap configs_at_add;

 private:
    void note(std::string what, const std::string& name, int32_t number) {
        notes.push_back(what + " " + name + " " + std::to_string(number));
    }
};

TEST_CASE("a topic is found by name, by id and by slot") {
    MetadataState state{"c"};
    REQUIRE(Script{}.topic("a", id_a).partition(id_a, 0).partition(id_a, 1).apply_to(state) == Error::none);
    REQUIRE(state.topic("a"));
    CHECK(state.topic(id_a) == state.topic("a"));
    CHECK(state.topic("b") == nullptr);
    CHECK(state.topic(id_b) == nullptr);
    const PartitionInfo* partition = state.partition("a", 1);
    REQUIRE(partition);
    CHECK(partition == state.partition(id_a, 1));
    CHECK(partition->slot == Slot{2});
    CHECK(partition->leader == NodeId{1});
    CHECK(partition->replicas.size() == 2);
    CHECK(partition->isr.data() == partition->replicas.data());  // Interned.
    CHECK(state.partition(Slot{2})->index == 1);
    CHECK(state.partition("a", 2) == nullptr);
    CHECK(state.partition("a", -1) == nullptr);
    CHECK(state.partition("b", 0) == nullptr);
    CHECK(state.next_offset() == Offset{3});
    static_assert(sizeof(PartitionInfo) == 48, "as REPLICATION budgets it");
}

TEST_CASE("slots follow the order of the partition records and are never given twice") {
    MetadataState state{"c"};
    Script{}.topic("a", id_a).partition(id_a, 0).partition(id_a, 1).apply_to(state);
    Script{}.topic("b", id_b).partition(id_b, 0).apply_to(state);
    Script{}.partition(id_a, 2).partition(id_a, 3).apply_to(state);
    CHECK(state.partition("b", 0)->slot == Slot{3});
    CHECK(state.partition("a", 2)->slot == Slot{4});
    CHECK(state.partition(Slot{5})->topic->name == "a");
    CHECK(state.partition(Slot{5})->index == 3);

    Script{}.remove(id_a).apply_to(state);
    CHECK(state.partition_count() == 1);
    for (const uint32_t slot : {0, 1, 2, 4, 5, 6}) CHECK_FALSE(state.partition(Slot{slot}));
    CHECK(state.partition(Slot{3})->topic->name == "b");

    Script{}.topic("a", id_a).partition(id_a, 0).apply_to(state);
    CHECK(state.partition("a", 0)->slot == Slot{6});
    CHECK(state.next_slot() == 7);
}

TEST_CASE("names that differ in dots and underscores only collide") {
    MetadataState state{"c"};
    Script{}.topic("a.b", id_a).topic("plain", id_b).apply_to(state);
    CHECK(state.colliding_topic("a_b") == "a.b");
    CHECK(state.colliding_topic("a.b").empty());
    CHECK(state.colliding_topic("plain").empty());
    Script{}.remove(id_a).apply_to(state);
    CHECK(state.colliding_topic("a_b").empty());
}

TEST_CASE("a partition change moves what it names and counts the epochs") {
    MetadataState state{"c"};
    Script{}.topic("a", id_a).partition(id_a, 0).apply_to(state);
    std::vector<int32_t> one{2};
    Script{}
        .add(wire::PartitionChangeRecord{.partition_id = 0, .topic_id = id_a, .isr = one})
        .apply_to(state);
    const PartitionInfo* partition = state.partition("a", 0);
    CHECK(partition->isr.size() == 1);
    CHECK(partition->replicas.size() == 2);
    CHECK(partition->leader == NodeId{1});
    CHECK(partition->leader_epoch == Epoch{0});
    CHECK(partition->partition_epoch == 1);
    Script{}
        .add(wire::PartitionChangeRecord{.partition_id = 0, .topic_id = id_a, .leader = 2})
        .apply_to(state);
    CHECK(partition->leader == NodeId{2});
    CHECK(partition->leader_epoch == Epoch{1});
    CHECK(partition->partition_epoch == 2);
}

TEST_CASE("configs are kept per resource, die with their topic and vanish when reset") {
    MetadataState state{"c"};
    Script{}
        .topic("a", id_a)
        .config(topic_kind, "a", "retention.ms", "5")
        .config(broker_kind, "", "x", "1")
        .apply_to(state);
    Script{}.config(broker_kind, "7", "y", "2").apply_to(state);
    CHECK(state.configs(ConfigKind::topic, "a").at("retention.ms") == "5");
    CHECK(state.configs(ConfigKind::broker, "").at("x") == "1");
    CHECK(state.configs(ConfigKind::broker, "8").empty());
    CHECK(state.all_configs(ConfigKind::broker).size() == 2);
    Script{}.config(broker_kind, "7", "y", {}).apply_to(state);
    CHECK(state.all_configs(ConfigKind::broker).size() == 1);
    Script{}.remove(id_a).topic("a", id_b).apply_to(state);
    CHECK(state.configs(ConfigKind::topic, "a").empty());
}

TEST_CASE("brokers register, are fenced, unfenced and unregistered under their epoch only") {
    MetadataState state{"c"};
    std::vector<wire::RegisterBrokerRecord::Endpoint> endpoints{{"PLAINTEXT", "h", 9092, 0}};
    Script{}
        .add(wire::RegisterBrokerRecord{.broker_id = 1, .broker_epoch = 5, .end_points = endpoints})
        .apply_to(state);
    REQUIRE(state.broker(NodeId{1}));
    CHECK(state.broker(NodeId{1})->fenced);
    CHECK(state.broker(NodeId{1})->endpoint("PLAINTEXT")->port == 9092);
    CHECK(state.broker(NodeId{1})->endpoint("SSL") == nullptr);
    CHECK(Script{}.add(wire::UnfenceBrokerRecord{.id = 1, .epoch = 5}).apply_to(state) == Error::none);
    CHECK_FALSE(state.broker(NodeId{1})->fenced);
    Script{}
        .add(wire::BrokerRegistrationChangeRecord{.broker_id = 1, .broker_epoch = 5, .fenced = 1})
        .apply_to(state);
    CHECK(state.broker(NodeId{1})->fenced);
    Script{}
        .add(wire::BrokerRegistrationChangeRecord{.broker_id = 1, .broker_epoch = 5, .fenced = -1})
        .apply_to(state);
    CHECK_FALSE(state.broker(NodeId{1})->fenced);
    Script{}.add(wire::FenceBrokerRecord{.id = 1, .epoch = 5}).apply_to(state);
    CHECK(state.broker(NodeId{1})->fenced);
    Script{}.add(wire::UnregisterBrokerRecord{.broker_id = 1, .broker_epoch = 5}).apply_to(state);
    CHECK(state.broker(NodeId{1}) == nullptr);
}

TEST_CASE("feature levels and producer ids follow their records") {
    MetadataState state{"c"};
    Script{}
        .add(wire::FeatureLevelRecord{.name = "group.version", .feature_level = 1})
        .add(wire::ProducerIdsRecord{.broker_id = 1, .next_producer_id = 1000})
        .add(wire::NoOpRecord{})
        .apply_to(state);
    CHECK(state.features().at("group.version") == 1);
    CHECK(state.next_producer_id() == 1000);
    Script{}.add(wire::FeatureLevelRecord{.name = "group.version", .feature_level = 0}).apply_to(state);
    CHECK(state.features().empty());
}

TEST_CASE("the observer hears of changes in order, with the topic's configs in place") {
    MetadataState state{"c"};
    Notes notes;
    Script{}
        .topic("a", id_a)
        .config(topic_kind, "a", "retention.ms", "5")
        .partition(id_a, 0)
        .partition(id_a, 1)
        .add(wire::PartitionChangeRecord{.partition_id = 1, .topic_id = id_a, .leader = 2})
        .remove(id_a)
        .add(wire::RegisterBrokerRecord{.broker_id = 1})
        .apply_to(state, &notes);
    const std::vector<std::string> expected{"configs a 2", "added a 0",   "added a 1",
                                            "changed a 1", "removed a 2", "brokers  0"};
    CHECK(notes.notes == expected);
    CHECK(notes.configs_at_add.at("retention.ms") == "5");
}

TEST_CASE("records that do not fit the state are refused as damage") {
    const auto refused = [](Script script) {
        MetadataState state{"c"};
        REQUIRE(Script{}.topic("a", id_a).partition(id_a, 0).apply_to(state) == Error::none);
        return script.apply_to(state) == Error::corrupt_message;
    };
    CHECK(refused(std::move(Script{}.topic("a", id_b))));
    CHECK(refused(std::move(Script{}.topic("b", id_a))));
    CHECK(refused(std::move(Script{}.partition(id_a, 0))));
    CHECK(refused(std::move(Script{}.partition(id_a, 2))));
    CHECK(refused(std::move(Script{}.partition(id_b, 0))));
    CHECK(refused(std::move(Script{}.remove(id_b))));
    CHECK(refused(std::move(Script{}.config(topic_kind, "b", "x", "y"))));
    CHECK(refused(std::move(Script{}.add(wire::PartitionChangeRecord{.partition_id = 1, .topic_id = id_a}))));
    CHECK(refused(std::move(Script{}.add(wire::FenceBrokerRecord{.id = 1, .epoch = 1}))));
    CHECK(refused(std::move(Script{}.add(wire::UnregisterBrokerRecord{.broker_id = 1, .broker_epoch = 1}))));
    CHECK(refused(std::move(Script{}.add(wire::ProducerIdsRecord{.next_producer_id = -1}))));
}

TEST_CASE("a record type or version of a later release is unsupported, not damage") {
    MetadataState state{"c"};
    CHECK(Script{}.add(wire::AccessControlEntryRecord{}).apply_to(state) == Error::unsupported_version);
    MetadataState other{"c"};
    Script later;
    later.records.add({1, 2, 9, 0});
    CHECK(later.apply_to(other) == Error::unsupported_version);
}

TEST_CASE("bytes that are no whole batch in its place are refused") {
    MetadataState state{"c"};
    const auto batch = Script{}.topic("a", id_a).batch_for(state);
    auto flipped = batch;
    flipped.back() ^= 1;
    CHECK(state.apply(flipped).error() == Error::corrupt_message);
    CHECK(state.apply(Bytes{batch}.first(batch.size() - 1)).error() == Error::corrupt_message);
    auto twice = batch;
    twice.insert(twice.end(), batch.begin(), batch.end());
    CHECK(state.apply(twice).error() == Error::corrupt_message);
    CHECK(state.apply({}).error() == Error::corrupt_message);
    auto later = batch;
    patch_placement(later, {.base_offset = Offset{1}, .leader_epoch = Epoch{0}});
    CHECK(state.apply(later).error() == Error::corrupt_message);
    Script cut;
    cut.records.add({1, 2});
    CHECK(cut.apply_to(state) == Error::corrupt_message);
    CHECK(state.next_offset() == Offset{0});
    CHECK(state.apply(batch).ok());
}

TEST_CASE("control batches take their place and change nothing else") {
    MetadataState state{"c"};
    BatchBuilder builder{{.base_offset = Offset{0}, .control = true}};
    builder.add({.timestamp = 1, .key = as_bytes("k"), .value = as_bytes("v")});
    CHECK(state.apply(builder.build()).ok());
    CHECK(state.next_offset() == Offset{1});
    CHECK(state.topics().empty());
}

TEST_CASE("the fingerprint tells different images apart") {
    const auto print = [](Script script) {
        MetadataState state{"c"};
        REQUIRE(script.apply_to(state) == Error::none);
        return state.fingerprint();
    };
    const uint64_t one = print(std::move(Script{}.topic("a", id_a).partition(id_a, 0)));
    CHECK(one == print(std::move(Script{}.topic("a", id_a).partition(id_a, 0))));
    CHECK(one != print(std::move(Script{}.topic("a", id_b).partition(id_b, 0))));
    CHECK(one != print(std::move(Script{}.topic("b", id_a).partition(id_a, 0))));
    CHECK(one != print(std::move(Script{}.topic("a", id_a).config(topic_kind, "a", "x", "y"))));
}

}  // namespace
}  // namespace millrace
