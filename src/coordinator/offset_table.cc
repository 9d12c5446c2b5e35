// Committed offsets of one group.
#include "offset_table.h"

namespace millrace::coordinator {

StoredOffset StoredOffset::from_record(const wire::OffsetCommitValue& value) {
    return {.offset = value.offset,
            .leader_epoch = value.leader_epoch,
            .metadata = std::string(value.metadata),
            .commit_ms = value.commit_timestamp,
            .expire_ms = value.expire_timestamp,
            .topic_id = value.topic_id};
}

bool StoredOffset::is_expired(int64_t base_ms, int64_t wall_ms, int64_t retention_ms) const {
    if (expire_ms >= 0) return wall_ms >= expire_ms;
    return wall_ms - base_ms >= retention_ms;
}

bool OffsetTable::set(std::string_view topic, int32_t partition, StoredOffset offset) {
    auto at = topics_.find(topic);
    if (at == topics_.end()) at = topics_.emplace(topic, Partitions{}).first;
    return at->second.insert_or_assign(partition, std::move(offset)).second;
}

bool OffsetTable::remove(std::string_view topic, int32_t partition) {
    const auto at = topics_.find(topic);
    if (at == topics_.end() || at->second.erase(partition) == 0) return false;
    if (at->second.empty()) topics_.erase(at);
    return true;
}

const StoredOffset* OffsetTable::find(std::string_view topic, int32_t partition) const {
    const Partitions* all = partitions(topic);
    if (!all) return nullptr;
    const auto at = all->find(partition);
    return at == all->end() ? nullptr : &at->second;
}

const OffsetTable::Partitions* OffsetTable::partitions(std::string_view topic) const {
    const auto at = topics_.find(topic);
    return at == topics_.end() ? nullptr : &at->second;
}

}  // namespace millrace::coordinator
