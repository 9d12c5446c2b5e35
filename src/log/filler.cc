// Batches that hold nothing.
#include "filler.h"

#include <optional>

namespace millrace {

namespace {

constexpr int16_t filler_type = 0x7d00;  // Kafka: "UNKNOWN", skipped.
constexpr size_t key_size = 4, prefix_max = 5;
constexpr size_t body_min =
    9;  // Attributes, two deltas, the key's length, the key, no headers; no value yet.

size_t varint_size(uint64_t x) {
    size_t bytes = 1;
    for (uint64_t zigzag = x << 1; zigzag >= 0x80; zigzag >>= 7) bytes++;
    return bytes;
}

// With so many bytes, which may be more than it needs: readers take them all the same.
void put_varint(std::vector<uint8_t>& to, uint64_t x, size_t bytes) {
    uint64_t zigzag = x << 1;
    for (size_t i = 0; i + 1 < bytes; i++, zigzag >>= 7) to.push_back(static_cast<uint8_t>(zigzag | 0x80));
    to.push_back(static_cast<uint8_t>(zigzag));
}

// Into a length and as many bytes of content as that says, `size` bytes in all.
struct Split {
    size_t length_bytes = 0, content = 0;
};
std::optional<Split> split(uint64_t size) {
    for (size_t bytes = 1; bytes <= prefix_max && bytes <= size; bytes++)
        if (varint_size(size - bytes) <= bytes) return Split{bytes, size - bytes};
    return {};
}

struct Sizes {
    Split record, value;
};
std::optional<Sizes> sizes_of(uint64_t size) {
    if (size < batch_header_size) return {};
    const auto record = split(size - batch_header_size);
    if (!record || record->content < body_min) return {};
    const auto value = split(record->content - body_min);
    if (!value) return {};
    return Sizes{*record, *value};
}

}  // namespace

bool can_make_filler(uint64_t size, int64_t offsets) {
    return size <= INT32_MAX && offsets > 0 && offsets <= INT32_MAX && sizes_of(size).has_value();
}

std::vector<uint8_t> make_filler(const Filler& filler) {
    const auto sizes = sizes_of(filler.size);
    ASSERT(sizes && filler.last >= filler.first);
    BatchBuilder builder{{.base_offset = filler.first, .leader_epoch = filler.epoch, .control = true}};
    builder.add({.timestamp = 0});
    std::vector<uint8_t> bytes = builder.build();
    bytes.resize(batch_header_size);  // Its header; the record is made here, to measure.
    put_varint(bytes, sizes->record.content, sizes->record.length_bytes);
    bytes.insert(bytes.end(), {0, 0, 0, key_size << 1, 0, 0, filler_type >> 8, filler_type & 0xff});
    put_varint(bytes, sizes->value.content, sizes->value.length_bytes);
    bytes.resize(filler.size);  // The value, and no headers.
    constexpr size_t length_at = 8, last_delta_at = 23;
    store_big<int32_t>(bytes.data() + length_at, static_cast<int32_t>(filler.size - batch_length_offset));
    store_big<int32_t>(bytes.data() + last_delta_at, static_cast<int32_t>(filler.last - filler.first));
    patch_crc(bytes);
    return bytes;
}

}  // namespace millrace
