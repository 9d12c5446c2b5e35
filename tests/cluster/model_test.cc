// The controller against a model a few lines long, over random requests, failing logs and restarts.
#include "cluster_fixture.h"

namespace millrace {
namespace {

using Next = MemoryLog::Next;

struct ModelTopic {
    Uuid id;
    std::vector<uint32_t> slots;
    ConfigMap configs;
    bool operator==(const ModelTopic&) const = default;
};
struct Model {
    std::map<std::string, ModelTopic> topics;
    uint32_t next_slot = 1;
    int64_t next_producer_id = 0;
    bool operator==(const Model&) const = default;
};

Model seen(const MetadataState& state) {
    Model model{.next_slot = state.next_slot(), .next_producer_id = state.next_producer_id()};
    for (const auto& [name, topic] : state.topics()) {
        ModelTopic& copy = model.topics[name];
        copy.id = topic.id, copy.configs = topic.configs;
        for (const PartitionInfo& partition : topic.partitions) copy.slots.push_back(partition.slot.value);
    }
    return model;
}

class Random {
 public:
    explicit Random(uint64_t seed) : io_(seed * 7919) {}
    uint64_t below(uint64_t limit) { return io_.random() % limit; }
    std::string name() { return std::string(1, static_cast<char>('a' + below(8))); }

 private:
    StillIo io_;
};

// One history: a log, the lives over it, what must be there, and what a failed append may have left behind.
class History {
 public:
    explicit History(uint64_t seed) : random_(seed), seed_(seed) { start(); }

    void step() {
        if (random_.below(10) == 0) log_.next = Next{static_cast<uint8_t>(1 + random_.below(3))};
        const Next plan = log_.next;
        const int appends = log_.appends;
        expected_ = model_;
        const Error error = act();
        const bool appended = log_.appends > appends;
        if (error == Error::none) model_ = expected_;
        if (appended && plan == Next::die_with) model_ = expected_;
        if (appended) CHECK((error == Error::none) == (plan == Next::succeed));
        log_.next = Next::succeed;
        if (appended && (plan == Next::die_with || plan == Next::die_without)) start();
        if (random_.below(20) == 0) start();
        CHECK(seen(life_->state) == model_);
        check_slots();
    }

 private:
    void start() {
        const uint64_t before = life_ ? life_->state.fingerprint() : 0;
        const Offset next = life_ ? life_->state.next_offset() : Offset{0};
        life_ = std::make_unique<Life>(log_, ControllerOptions{}, seed_ * 1000 + ++lives_);
        if (life_->state.next_offset() == next && before) CHECK(life_->state.fingerprint() == before);
        if (!life_->state.broker(NodeId{1}))
            REQUIRE(run(life_->controller.register_broker(registration(1))).ok());
    }

    // Makes one request and says what must follow from it in expected_.
    Error act() {
        switch (random_.below(5)) {
            case 0: return create();
            case 1: return grow();
            case 2: return remove();
            case 3: return configure();
            default: return allocate();
        }
    }

    Error create() {
        const std::string name = random_.name();
        const auto count = static_cast<int32_t>(1 + random_.below(4));
        const TopicOutcome made =
            run(life_->controller.create_topics({new_topic(name, count)}, Effect::commit))[0];
        CHECK((made.error == Error::topic_already_exists) == model_.topics.contains(name));
        if (model_.topics.contains(name)) return made.error;
        add_slots(expected_.topics[name], count);
        // What a dead log may keep has an id that only the log knows.
        expected_.topics[name].id = made.ok() ? made.id : id_in_log();
        return made.error;
    }
    Error grow() {
        const std::string name = random_.name();
        const auto count = static_cast<int32_t>(1 + random_.below(8));
        const Error error =
            run(life_->controller.create_partitions({{name, count, {}}}, Effect::commit))[0].error;
        const auto found = expected_.topics.find(name);
        CHECK((error == Error::unknown_topic_or_partition) == (found == expected_.topics.end()));
        if (found == expected_.topics.end()) return error;
        const auto now = static_cast<int32_t>(found->second.slots.size());
        CHECK((error == Error::invalid_partitions) == (count <= now));
        if (count > now) add_slots(found->second, count - now);
        return error;
    }
    Error remove() {
        const std::string name = random_.name();
        const auto found = expected_.topics.find(name);
        TopicToDelete item{name, {}};
        if (found != expected_.topics.end() && random_.below(2)) item = {{}, found->second.id};
        const Error error = run(life_->controller.delete_topics({item}))[0].error;
        CHECK((error == Error::unknown_topic_or_partition) == (found == expected_.topics.end()));
        expected_.topics.erase(name);
        return error;
    }
    Error configure() {
        const std::string name = random_.name(), value = std::to_string(random_.below(3));
        const bool reset = random_.below(3) == 0;
        ConfigChange change{AlterOperation::set, "retention.ms", value};
        if (reset) change = {AlterOperation::remove, "retention.ms", {}};
        const Error error =
            run(life_->controller.alter_configs({{ConfigKind::topic, name, {change}}}, Effect::commit))[0]
                .error;
        const auto found = expected_.topics.find(name);
        if (found == expected_.topics.end()) return error;
        if (reset)
            found->second.configs.erase("retention.ms");
        else
            found->second.configs["retention.ms"] = value;
        return error;
    }
    Error allocate() {
        const auto block = run(life_->controller.allocate_producer_ids(NodeId{1}));
        if (block) CHECK(block->first == model_.next_producer_id);
        expected_.next_producer_id += Controller::producer_ids_per_block;
        return block.error();
    }

    void add_slots(ModelTopic& topic, int32_t count) {
        for (int32_t i = 0; i < count; i++) topic.slots.push_back(expected_.next_slot++);
    }
    Uuid id_in_log() {
        Life reader{log_};
        for (const auto& [name, topic] : reader.state.topics())
            if (!model_.topics.contains(name)) return topic.id;
        return {};
    }
    void check_slots() {
        for (const auto& [name, topic] : life_->state.topics())
            for (int32_t i = 0; i < topic.partition_count(); i++) {
                const auto found = life_->state.partition(topic.partitions[i].slot);
                REQUIRE(found);
                CHECK(found->topic == &topic);
                CHECK(found->index == i);
            }
    }

    Random random_;
    uint64_t seed_;
    uint64_t lives_ = 0;
    MemoryLog log_;
    std::unique_ptr<Life> life_;
    Model model_, expected_;
};

TEST_CASE("random requests over failing logs and restarts leave what the model says") {
    for (uint64_t seed = 1; seed <= 60; seed++) {
        CAPTURE(seed);
        History history{seed};
        for (int i = 0; i < 150; i++) history.step();
    }
}

}  // namespace
}  // namespace millrace
