// leader-epoch-checkpoint, Kafka's text, and beside it a copy of ours that has a checksum:
// leader-epoch-checkpoint.copy. A flipped bit in either is found, and the other one is right.
#pragma once
#include "epochs.h"
#include "files.h"

namespace millrace {

struct Checkpoint {
    std::string text;              // What Kafka's file holds now.
    std::optional<Epochs> epochs;  // None: neither of the two says.
    bool is_damaged = false;
};

// kafka_storage_error when they cannot be read.
Task<Result<Checkpoint>> read_checkpoint(Io& io, std::string directory);
// Both; the copy first. The directory is synced by the caller.
Task<Result<>> write_checkpoint(Io& io, std::string directory, std::string text);

}  // namespace millrace
