// A broker on a simulated node: see the header.
#include "broker_program.h"

namespace millrace::sim {

namespace {

constexpr uint64_t grace_ns = 5'000'000'000;

}  // namespace

BrokerProgram::BrokerProgram(SimNode& node, BrokerProgramOptions options)
    : sim_node_(node),
      node_(std::move(options.config), options.shards, std::move(options.storage)),
      fronts_(options.shards) {
    for (uint16_t shard = 0; shard < options.shards; shard++)
        owned_.push_back(std::make_unique<Front>(node.io(shard), node_, fronts_));
    node.spawn(open());
}

BrokerProgram::~BrokerProgram() = default;

// Replies hold memory of other shards' storage.
void BrokerProgram::let_go() {
    for (auto& front : owned_) front->drop_replies();
}

bool BrokerProgram::is_offline() const {
    return state_ == State::open && std::ranges::any_of(owned_, [](const auto& front) {
               return front->shard().storage().failure() != Error::none;
           });
}

void BrokerProgram::move_some_partition(uint64_t dice) {
    if (state_ != State::open || fronts_.size() == 1) return;
    Shard& zero = fronts_[0]->shard();
    std::vector<Slot> slots;
    for (const auto& [name, topic] : zero.metadata().topics())
        for (const PartitionInfo& partition : topic.partitions)
            if (name != offsets_topic_name) slots.push_back(partition.slot);
    if (slots.empty()) return;
    const ShardId to{static_cast<uint16_t>(dice / slots.size() % fronts_.size())};
    sim_node_.spawn(move(zero, slots[dice % slots.size()], to));
}

// How it ends is seen by the clients.
Task<> BrokerProgram::move(Shard& zero, Slot slot, ShardId to) {
    auto moving = zero.move_partition(slot, to);
    const auto moved = co_await moving;
    if (!moved) zero.io().log().info("sim", "not moved", {{"slot", slot}, {"error", moved.error()}});
}

void BrokerProgram::close() {
    ASSERT(state_ == State::open);
    state_ = State::closing;
    sim_node_.spawn(close_all());
}

Task<> BrokerProgram::open() {
    auto opening = fronts_[0]->open();
    const auto opened = co_await opening;
    state_ = opened ? State::open : State::failed;
}

Task<> BrokerProgram::close_all() {
    co_await fronts_[0]->close(grace_ns);
    state_ = State::closed;
}

}  // namespace millrace::sim
