// A shard 0 without a node around it: an Io that never sleeps, a log in memory that fails on demand, and a
// controller on top. What is awaited ends when the test lets the log flush.
#pragma once
#include <deque>

#include <doctest/doctest.h>

#include "millrace/cluster.h"

namespace millrace {

class SilentSink final : public LogSink {
 public:
    int64_t wall_ms() const override { return 0; }
    void write(Level, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

class StillIo final : public Io {
 public:
    explicit StillIo(uint64_t seed = 1) : random_(seed) {}
    void submit(Op&) override { FAIL("nothing here does I/O"); }
    void cancel(Op&) override {}
    void give_back(ReceiveBuffer) override {}
    void post(ShardId, Letter&) override {}
    uint64_t now_ns() const override { return 0; }
    int64_t wall_ms() const override { return 1'700'000'000'000; }
    uint64_t random() override {  // splitmix64
        uint64_t x = random_ += 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
    ShardId shard() const override { return ShardId{0}; }
    uint16_t shard_count() const override { return 1; }
    std::string local_address(int) const override { return {}; }
    std::string peer_address(int) const override { return {}; }
    Logger& log() override { return log_; }
    SilentSink sink;

 private:
    uint64_t random_;
    Logger log_{sink, "0"};
};

// Appends wait until flush(); with `at_once` they are awaited all the same, and end without waiting.
class MemoryLog final : public MetadataStore {
 public:
    enum class Next : uint8_t { succeed, refuse, die_without, die_with };

    Task<Result<void>> append(Bytes batch) override {
        appends++;
        if (!at_once) co_await signal;
        const Next now = std::exchange(next, Next::succeed);
        if (now == Next::refuse) co_return Error::record_list_too_large;
        if (now != Next::die_without) batches.emplace_back(batch.begin(), batch.end());
        if (now != Next::succeed) co_return Error::kafka_storage_error;
        co_return Result<void>{};
    }
    Task<Result<std::vector<uint8_t>>> read(Offset from) override {
        if (read_error != Error::none) co_return read_error;
        std::vector<uint8_t> found;
        size_t left = batches_per_read;
        for (const auto& batch : batches) {
            if (load_big<int64_t>(batch.data()) < from.value || left == 0) continue;
            found.insert(found.end(), batch.begin(), batch.end());
            left--;
        }
        co_return found;
    }
    void flush() { signal.notify_all(); }

    bool at_once = true;
    Next next = Next::succeed;
    size_t batches_per_read = 3;
    Error read_error = Error::none;
    int appends = 0;
    std::vector<std::vector<uint8_t>> batches;
    Signal signal;
};

class Applier final : public CommitListener {
 public:
    explicit Applier(MetadataState& state) : state_(state) {}
    void on_committed(Bytes batch) override {
        const auto applied = state_.apply(batch, observer);
        REQUIRE(applied.ok());
    }
    MetadataObserver* observer = nullptr;

 private:
    MetadataState& state_;
};

// Runs a task that ends without waiting for anything but what the test does meanwhile.
template <class T> Task<> keep(Task<T> task, std::optional<T>& result) { result.emplace(co_await task); }
template <class T> T run(Task<T> task) {
    std::optional<T> result;
    keep(std::move(task), result).detach();
    REQUIRE(result.has_value());
    return std::move(*result);
}

inline BrokerRegistration registration(int32_t id) {
    return {.id = NodeId{id},
            .incarnation = Uuid{{1, static_cast<uint8_t>(id)}},
            .endpoints = {{"PLAINTEXT", "host", static_cast<uint16_t>(9092 + id), 0}},
            .rack = {}};
}

// One life of shard 0 over a log that outlives it.
struct Life {
    Life(MemoryLog& log, ControllerOptions options = {}, uint64_t seed = 1)
        : io(seed), records(io, log, applier), controller(io, state, records, options) {
        REQUIRE(run(records.replay()).ok());
    }
    StillIo io;
    MetadataState state{"cluster-of-the-tests-0"};
    Applier applier{state};
    SingleMetadataLog records;
    Controller controller;
};

inline NewTopic new_topic(std::string name, int32_t partitions = 1, int16_t replication_factor = 1) {
    NewTopic topic;
    topic.name = std::move(name), topic.partitions = partitions,
    topic.replication_factor = replication_factor;
    return topic;
}

struct Cluster {
    explicit Cluster(ControllerOptions options = {}, int brokers = 1) : life(log, options) {
        for (int32_t id = 1; id <= brokers; id++)
            REQUIRE(run(life.controller.register_broker(registration(id))).ok());
    }
    TopicOutcome create(const NewTopic& topic, Effect effect = Effect::commit) {
        auto outcomes = run(life.controller.create_topics({topic}, effect));
        REQUIRE(outcomes.size() == 1);
        return outcomes[0];
    }
    AdminOutcome alter(const ResourceChange& change) {
        auto outcomes = run(life.controller.alter_configs({change}, Effect::commit));
        REQUIRE(outcomes.size() == 1);
        return outcomes[0];
    }
    const MetadataState& state() const { return life.state; }

    MemoryLog log;
    Life life;
};

}  // namespace millrace
