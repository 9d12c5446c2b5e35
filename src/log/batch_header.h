// The 61 bytes that every record batch v2 begins with, by value: a batch in memory may lie across two chunks,
// so its header cannot always be viewed in place.
#pragma once
#include <optional>

#include "millrace/base.h"
#include "millrace/batch.h"

namespace millrace {

struct BatchHeader {
    Offset base;
    uint32_t size = 0;  // The whole batch.
    Epoch leader_epoch;
    uint32_t crc = 0;
    uint16_t attributes = 0;
    int32_t last_delta = 0;
    int64_t max_timestamp = -1;
    ProducerId producer_id{-1};
    int16_t producer_epoch = -1;
    int32_t base_sequence = -1;
    int32_t record_count = 1;  // 0: cleaning has left it empty.

    Offset last() const { return base + last_delta; }
    Offset next() const { return base + last_delta + 1; }
    bool is_control() const { return attributes & 0x20; }

    // Nothing when these 61 bytes cannot be a batch's.
    static std::optional<BatchHeader> parse(const uint8_t* p) {
        const auto length = load_big<int32_t>(p + batch_length_offset - 4);
        BatchHeader h;
        h.base = Offset{load_big<int64_t>(p)};
        h.leader_epoch = Epoch{load_big<int32_t>(p + 12)};
        h.crc = load_big<uint32_t>(p + 17);
        h.attributes = load_big<uint16_t>(p + 21);
        h.last_delta = load_big<int32_t>(p + 23);
        h.max_timestamp = load_big<int64_t>(p + 35);
        h.producer_id = ProducerId{load_big<int64_t>(p + 43)};
        h.producer_epoch = load_big<int16_t>(p + 51);
        h.base_sequence = load_big<int32_t>(p + 53);
        h.record_count = load_big<int32_t>(p + 57);
        constexpr int32_t length_min = batch_header_size - batch_length_offset;
        if (length < length_min || p[16] != 2 || h.last_delta < 0 || h.base.value < 0) return {};
        h.size = static_cast<uint32_t>(length) + batch_length_offset;
        return h;
    }
};

}  // namespace millrace
