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
