// When a shard has much more to do than another one, and which of its partitions makes that better elsewhere.
//
// Plain arithmetic: shard 0 looks every few seconds, and moves what is chosen.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "millrace/base.h"

namespace millrace {

class Balance {
 public:
    static constexpr uint32_t busy_percent_high = 70;  // Below, nobody needs relief.
    static constexpr uint32_t gap_percent = 30;        // Between the busiest and the idlest.
    static constexpr uint32_t gain_percent = 2;  // What a move takes from the busier of the two at least.
    static constexpr uint32_t looks_before = 3, looks_after = 6;

    struct Pair {
        ShardId busiest, idlest;
        bool operator==(const Pair&) const = default;
    };
    // One look at the shards' busy shares. Two shards once the one has been much busier for some looks in a
    // row: its partitions' work since then is worth knowing.
    struct Look {
        std::optional<Pair> pair;  // Since this look, or an earlier one.
        bool is_due = false;       // Long enough.
    };
    Look look(std::span<const uint32_t> busy_percent);
    // A partition was moved: some looks of rest, in which its work arrives.
    void moved();

    // Work of one partition in some time, in any unit.
    struct Load {
        Slot slot;
        uint64_t work = 0;
    };
    // The partition of the busiest shard whose move makes the busier of the two the least busy; nothing when
    // that is hardly better, as with a single hot partition, which would only take the heat along.
    static std::optional<Slot> choose(uint32_t busiest_percent, uint32_t idlest_percent,
                                      std::span<const Load> loads);

 private:
    std::optional<ShardId> hot_;
    uint32_t looks_ = 0, rest_ = 0;
};

}  // namespace millrace
