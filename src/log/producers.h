// What a partition knows of its idempotent producers: epoch and last five batches of each.
//
// What always holds: it is a function of the log's bytes below its end, and of the clock for expiry; at most
// `producers_max` are known. Owned by its log.
#pragma once
#include <array>
#include <unordered_map>
#include <vector>

#include "batch_header.h"
#include "millrace/log.h"

namespace millrace {

class Producers {
 public:
    static constexpr size_t batches_max = 5;  // As many as a client keeps in flight.

    struct Batch {
        int32_t last_sequence = -1;
        Offset last;
        int32_t delta = 0;  // last - delta is the first.
        int64_t timestamp = -1;
        int32_t first_sequence() const;
    };

    // Nothing: append it. A batch: it is there already. Else an error; see PROTOCOL.md's rules of
    // idempotence.
    Result<std::optional<Batch>> check(const BatchHeader& batch) const;
    // The batch is in the log. `now_ms` is when this producer was heard last.
    void record(const BatchHeader& batch, int64_t now_ms, size_t producers_max);
    // Forgets who was silent for longer.
    void expire(int64_t now_ms, int64_t silence_max_ms);

    // Whether the batch that ends there is the last one known of that producer.
    bool is_last(ProducerId id, Offset last) const;

    size_t size() const { return producers_.size(); }
    void clear() { producers_.clear(); }
    ProducerId largest_id() const;  // -1: none is known.

    // Kafka's ProducerSnapshot v1. A producer has an entry for each of its batches, oldest first: Kafka's own
    // reader keeps the last one, ours the whole window.
    std::vector<uint8_t> to_snapshot() const;
    // False, and nothing known, when the bytes are damaged.
    bool from_snapshot(Bytes bytes, int64_t now_ms);

 private:
    struct Producer {
        int16_t epoch = -1;
        int32_t coordinator_epoch = -1;
        int64_t transaction_first = -1;  // First offset of the open transaction; -1: none.
        int64_t heard_ms = 0;
        uint8_t count = 0;
        std::array<Batch, batches_max> batches;  // Oldest first.

        void add(const Batch& batch);
        const Batch* find(int32_t first_sequence, int32_t last_sequence) const;
    };
    void forget_silent_one();

    std::unordered_map<ProducerId, Producer> producers_;
};

}  // namespace millrace
