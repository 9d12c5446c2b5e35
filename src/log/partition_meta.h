// The two small files that say which partition a directory is: ours (partition.meta, checksummed) and Kafka's
// (partition.metadata, text).
#pragma once
#include <optional>

#include "millrace/log.h"

namespace millrace {

struct PartitionMeta {
    Slot slot;
    Uuid topic_id;
    int32_t partition = 0;
    bool operator==(const PartitionMeta&) const = default;
};

std::vector<uint8_t> encode_partition_meta(const PartitionMeta& meta);
std::optional<PartitionMeta> decode_partition_meta(Bytes bytes);

std::string kafka_metadata_text(const Uuid& topic_id);
std::optional<Uuid> topic_id_of_kafka_metadata(std::string_view text);

}  // namespace millrace
