// Which leader epoch began at which offset; Kafka's leader-epoch-checkpoint.
//
// What always holds: epochs and start offsets both rise. Owned by its log.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/log.h"

namespace millrace {

struct EpochStart {
    Epoch epoch;
    Offset start;
    bool operator==(const EpochStart&) const = default;
};

class Epochs {
 public:
    // The epoch starts at `start`, unless it is known. False when it is below the last one. An epoch that
    // began at the same offset and got no record gives way.
    bool assign(Epoch epoch, Offset start);
    // Offsets below `start` are gone: the epoch in force there begins at `start`.
    void cut_front(Offset start);

    // Offsets from `end` on are gone; an epoch that would begin there may stay.
    void cut_back(Offset end);

    Epoch last() const { return entries_.empty() ? Epoch{-1} : entries_.back().epoch; }
    Epoch at(Offset offset) const;
    // KIP-101/279, given the log's end.
    EpochEnd end_of(Epoch epoch, Offset log_end) const;
    std::span<const EpochStart> entries() const { return entries_; }

    // "0\n<count>\n<epoch> <start>\n..."
    std::string to_text() const;
    static std::optional<Epochs> from_text(std::string_view text);

 private:
    std::vector<EpochStart> entries_;
};

}  // namespace millrace
