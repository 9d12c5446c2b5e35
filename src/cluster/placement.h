// Which brokers get a new partition, and which of them leads it. Pure functions of the image.
#pragma once
#include <variant>

#include "millrace/cluster.h"

namespace millrace {

struct Placed {
    std::vector<int32_t> replicas;
    std::vector<int32_t> isr;  // The unfenced ones; the first leads.
};

// `count` partitions, spread over the unfenced brokers. Partitions that follow each other start at brokers
// that follow each other; `start` says where the first one does.
std::variant<std::vector<Placed>, AdminOutcome> place(const MetadataState& state, uint32_t start,
                                                      int32_t count, int16_t replication_factor);

// What an administrator chose for one partition; `replication_factor` is that of its siblings, 0 if unknown.
std::variant<Placed, AdminOutcome> place_by_hand(const MetadataState& state, int32_t partition,
                                                 std::span<const NodeId> brokers, size_t replication_factor);

}  // namespace millrace
