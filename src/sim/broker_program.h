// A broker on a simulated node: the same parts, started and ended in the same order, as the process of
// `millrace serve` has on real rings (src/cli/broker_process.cc).
//
// Made at every start of the node and destroyed at every crash; one Front per shard.
#pragma once
#include <memory>
#include <vector>

#include "millrace/front.h"
#include "millrace/sim.h"

namespace millrace::sim {

struct BrokerProgramOptions {
    BrokerConfig config;
    StorageConfig storage;
    uint16_t shards = 1;
};

class BrokerProgram final : public SimProgram {
 public:
    enum class State : uint8_t { opening, open, failed, closing, closed };

    BrokerProgram(SimNode& node, BrokerProgramOptions options);
    ~BrokerProgram() override;
    void let_go() override;

    State state() const { return state_; }
    bool is_open() const { return state_ == State::open; }
    // Whether a shard's disk has failed: only a new start brings it back.
    bool is_offline() const;
    uint64_t moves() const { return fronts_[0] ? fronts_[0]->shard().moves() : 0; }
    // Begins to give a partition another home, both by the dice; nothing with one shard.
    void move_some_partition(uint64_t dice);
    // Begins the orderly end.
    void close();

 private:
    Task<> open();
    Task<> close_all();
    static Task<> move(Shard& zero, Slot slot, ShardId to);

    SimNode& sim_node_;
    millrace::Node node_;
    std::vector<Front*> fronts_;
    std::vector<std::unique_ptr<Front>> owned_;
    State state_ = State::opening;
};

}  // namespace millrace::sim
