// Who works on which node, and how an actor lives.
#include "workload.h"

#include <fmt/core.h>

namespace millrace::sim {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;
constexpr uint64_t request_timeout_ms = 3000, connect_timeout_ms = 1000;

class ClientProgram final : public SimProgram {};

}  // namespace

Workload::Workload(uint64_t seed, std::string broker_address)
    : broker_address_(std::move(broker_address)),
      random_(seed),
      producers_{{"steady", -1, true, 20'000, 300},   {"steady", -1, true, 20'000, 30'000},
                 {"mixed", 1, false, 0, 300},         {"mixed", -1, false, 0, 3000},
                 {"rolling", -1, true, 20'000, 4000}, {"growing", -1, true, 2000, 300},
                 {"fleeting", -1, true, 2000, 3000},  {"fleeting", 1, false, 0, 300},
                 {"bounded", -1, true, 20'000, 300},  {"keyed", -1, true, 20'000, 900, 12}},
      read_topics_{"steady", "mixed", "rolling", "growing", "fleeting", "bounded", "keyed"} {
    progress_.push_back({"administrator"});
    for (const auto& plan : producers_)
        progress_.push_back(
            {fmt::format("producer of {}{}", plan.topic, plan.idempotent ? ", idempotent" : "")});
    for (const std::string& topic : read_topics_) progress_.push_back({"consumer of " + topic});
    for (size_t i = 0; i < members_; i++) progress_.push_back({fmt::format("member {}", i)});
}

std::unique_ptr<SimProgram> Workload::start(SimNode& node, size_t index, size_t nodes) {
    size_t place = 0;
    const auto start_next = [&](auto make) {
        if (place % nodes == index) node.spawn(make(place));
        place++;
    };
    start_next([&](size_t at) { return administrate(node.io(), at); });
    for (const auto& plan : producers_) start_next([&](size_t at) { return produce(node.io(), at, plan); });
    for (const auto& topic : read_topics_)
        start_next([&](size_t at) { return consume(node.io(), at, topic); });
    for (size_t i = 0; i < members_; i++)
        start_next([&](size_t at) { return take_part(node.io(), at, "steady"); });
    ASSERT(place == progress_.size());
    return std::make_unique<ClientProgram>();
}

bool Workload::all_stopped() const { return std::ranges::none_of(progress_, &Progress::alive); }

// ---- One actor ------------------------------------------------------------------------------------------

Workload::Actor::Actor(Workload& workload, Io& io, size_t place, uint64_t retry_ms)
    : io(io),
      client(io, {.seeds = {workload.broker_address_},
                  .connection = {.connect_timeout_ms = connect_timeout_ms,
                                 .request_timeout_ms = request_timeout_ms},
                  .retry_ms = retry_ms}),
      workload_(workload),
      place_(place) {
    progress().alive = true;
}

Workload::Actor::~Actor() { progress().alive = false; }

void Workload::Actor::saw(std::string_view what, Error error) {
    progress().last = fmt::format("{}: {}", what, error_name(error));
}

Task<> Workload::Actor::rest(uint64_t ms_max) {
    co_await sleep_for(io, (1 + workload_.below(ms_max)) * ns_per_ms);
}

}  // namespace millrace::sim
