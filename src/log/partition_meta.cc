// partition.meta and partition.metadata.
#include "partition_meta.h"

#include <fmt/format.h>

namespace millrace {

namespace {

struct Stored {
    uint64_t magic = 0x6174656d74726170;  // "partmeta"
    uint32_t format = 1;
    uint32_t slot = 0;
    std::array<uint8_t, 16> topic_id{};
    int32_t partition = 0;
    uint32_t reserved = 0;
    uint64_t hash = 0;  // Of all before it.
};
static_assert(sizeof(Stored) == 48);

uint64_t hash_of(const Stored& stored) {
    return hash64({reinterpret_cast<const uint8_t*>(&stored), offsetof(Stored, hash)});
}

}  // namespace

std::vector<uint8_t> encode_partition_meta(const PartitionMeta& meta) {
    Stored stored{.slot = meta.slot.value, .topic_id = meta.topic_id.bytes, .partition = meta.partition};
    stored.hash = hash_of(stored);
    std::vector<uint8_t> bytes(sizeof stored);
    std::memcpy(bytes.data(), &stored, sizeof stored);
    return bytes;
}

std::optional<PartitionMeta> decode_partition_meta(Bytes bytes) {
    Stored stored;
    if (bytes.size() != sizeof stored) return {};
    std::memcpy(&stored, bytes.data(), sizeof stored);
    if (stored.magic != Stored{}.magic || stored.format != 1 || stored.hash != hash_of(stored)) return {};
    return PartitionMeta{
        .slot = Slot{stored.slot}, .topic_id = Uuid{stored.topic_id}, .partition = stored.partition};
}

std::string kafka_metadata_text(const Uuid& topic_id) {
    return fmt::format("version: 0\ntopic_id: {}", topic_id.to_text());
}

std::optional<Uuid> topic_id_of_kafka_metadata(std::string_view text) {
    constexpr std::string_view key = "topic_id: ";
    const size_t at = text.find(key);
    if (!text.starts_with("version: 0\n") || at == std::string_view::npos) return {};
    std::string_view id = text.substr(at + key.size());
    return Uuid::from_text(id.substr(0, id.find('\n')));
}

}  // namespace millrace
