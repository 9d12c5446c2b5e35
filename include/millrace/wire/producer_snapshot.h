// The .snapshot file of a partition: producer ids, epochs and sequences.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ProducerSnapshot {
    static constexpr Api api{
        .key = -1, .name = "ProducerSnapshot", .versions = {1, 1}, .flexible_since = never};

    struct Producer {
        int64_t producer_id = 0;
        int16_t epoch = 0;
        int32_t last_sequence = 0;
        int64_t last_offset = 0;
        int32_t offset_delta = 0;
        int64_t timestamp = 0;
        int32_t coordinator_epoch = 0;
        int64_t current_txn_first_offset = 0;

        static void fields(auto& self, auto& v) {
            v("producer_id", self.producer_id);
            v("epoch", self.epoch);
            v("last_sequence", self.last_sequence);
            v("last_offset", self.last_offset);
            v("offset_delta", self.offset_delta);
            v("timestamp", self.timestamp);
            v("coordinator_epoch", self.coordinator_epoch);
            v("current_txn_first_offset", self.current_txn_first_offset);
        }
    };

    uint32_t crc = 0;
    List<Producer> producer_entries;

    static void fields(auto& self, auto& v) {
        v("crc", self.crc);
        v("producer_entries", self.producer_entries);
    }
};

}  // namespace millrace::wire
