// Which shard of a node each partition lives on: slot mod shards, but for those that were moved.
//
// The file `homes` of the data directory holds it. Each shard has a copy of its own; shard 0 writes the file.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "millrace/io.h"

namespace millrace {

struct Homes {
    // The newest move. Until the journal of `to` names the slot, that of `from` says where its log ends.
    struct Move {
        Slot slot;
        ShardId from, to;
    };

    uint16_t shards = 1;      // The number of shards that `moved` and `newest` are about.
    uint64_t generation = 0;  // Rises with every move.
    std::map<Slot, ShardId> moved = {};
    std::optional<Move> newest = {};
    bool is_lost = false;  // The file cannot be read: any journal may hold any slot.

    ShardId of(Slot slot) const {
        const auto found = moved.empty() ? moved.end() : moved.find(slot);
        if (found != moved.end()) return found->second;
        return ShardId{static_cast<uint16_t>(slot.value % shards)};
    }
    void set(Slot slot, ShardId home) {
        moved.erase(slot);
        if (of(slot) != home) moved.emplace(slot, home);
    }
};

// Those of a node with so many shards: what was moved in a life with another number counts no more. Without a
// file nothing was moved; one that is damaged is lost. kafka_storage_error: the directory cannot be read.
Task<Result<Homes>> read_homes(Io& io, std::string directory, uint16_t shards);
// Whole or not at all, durable when it returns. kafka_storage_error, also when the disk is full: then the old
// ones stay.
Task<Result<>> write_homes(Io& io, std::string directory, Homes homes);

}  // namespace millrace
