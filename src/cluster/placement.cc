// Which brokers get a new partition. Texts are Kafka's.
#include "placement.h"

#include <fmt/format.h>

namespace millrace {
namespace {

AdminOutcome refused_assignment(std::string message) {
    return {Error::invalid_replica_assignment, std::move(message)};
}

bool is_active(const MetadataState& state, NodeId id) {
    const BrokerInfo* broker = state.broker(id);
    return broker && !broker->fenced;
}

std::vector<NodeId> active_brokers(const MetadataState& state) {
    std::vector<NodeId> active;
    for (const auto& [id, broker] : state.brokers())
        if (!broker.fenced) active.push_back(id);
    return active;
}

std::string why_not_enough(size_t active, int16_t replication_factor) {
    const std::string why =
        active == 0 ? "All brokers are currently fenced or have all their log directories cordoned."
                    : fmt::format(
                          "The target replication factor of {} cannot be reached because only {} broker(s) "
                          "are registered or some brokers have all their log directories cordoned.",
                          replication_factor, active);
    return fmt::format("Unable to replicate the partition {} time(s): {}", replication_factor, why);
}

}  // namespace

std::variant<std::vector<Placed>, AdminOutcome> place(const MetadataState& state, uint32_t start,
                                                      int32_t count, int16_t replication_factor) {
    ASSERT(count > 0 && replication_factor > 0);
    const std::vector<NodeId> active = active_brokers(state);
    if (active.size() < static_cast<size_t>(replication_factor))
        return AdminOutcome{Error::invalid_replication_factor,
                            why_not_enough(active.size(), replication_factor)};
    std::vector<Placed> placed(count);
    for (int32_t i = 0; i < count; i++) {
        for (int16_t r = 0; r < replication_factor; r++)
            placed[i].replicas.push_back(active[(start + i + r) % active.size()].value);
        placed[i].isr = placed[i].replicas;
    }
    return placed;
}

std::variant<Placed, AdminOutcome> place_by_hand(const MetadataState& state, int32_t partition,
                                                 std::span<const NodeId> brokers, size_t replication_factor) {
    if (brokers.empty())
        return refused_assignment("The manual partition assignment includes an empty replica list.");
    std::vector<NodeId> sorted{brokers.begin(), brokers.end()};
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size(); i++) {
        const int32_t id = sorted[i].value;
        if (!state.broker(sorted[i]))
            return refused_assignment(fmt::format(
                "The manual partition assignment includes broker {}, but no such broker is registered.", id));
        if (i > 0 && sorted[i - 1] == sorted[i])
            return refused_assignment(
                fmt::format("The manual partition assignment includes the broker {} more than once.", id));
    }
    if (replication_factor && brokers.size() != replication_factor)
        return refused_assignment(
            fmt::format("The manual partition assignment includes a partition with {} replica(s), but this "
                        "is not consistent "
                        "with previous partitions, which have {} replica(s).",
                        brokers.size(), replication_factor));
    Placed placed;
    for (const NodeId id : brokers) {
        placed.replicas.push_back(id.value);
        if (is_active(state, id)) placed.isr.push_back(id.value);
    }
    if (placed.isr.empty())
        return refused_assignment(fmt::format(
            "All brokers specified in the manual partition assignment for partition {} are fenced or in "
            "controlled shutdown.",
            partition));
    return placed;
}

}  // namespace millrace
