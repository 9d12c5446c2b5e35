// What one group has committed, by topic and partition.
#pragma once
#include <map>
#include <string>

#include "millrace/base.h"
#include "millrace/wire/offset_records.h"

namespace millrace::coordinator {

struct StoredOffset {
    int64_t offset = 0;
    int32_t leader_epoch = -1;
    std::string metadata;
    int64_t commit_ms = 0;   // Wall clock.
    int64_t expire_ms = -1;  // Said by a commit of version 2-4; -1: retention decides.
    Uuid topic_id;

    static StoredOffset from_record(const wire::OffsetCommitValue& value);
    // A zero id on either side fits everything.
    bool is_of(const Uuid& id) const { return topic_id.is_zero() || id.is_zero() || topic_id == id; }
    // `base_ms` is when the retention began to count.
    bool is_expired(int64_t base_ms, int64_t wall_ms, int64_t retention_ms) const;

    bool operator==(const StoredOffset&) const = default;
};

class OffsetTable {
 public:
    using Partitions = std::map<int32_t, StoredOffset>;
    using Topics = std::map<std::string, Partitions, std::less<>>;

    // Whether it is a new entry.
    bool set(std::string_view topic, int32_t partition, StoredOffset offset);
    // Whether there was one.
    bool remove(std::string_view topic, int32_t partition);
    const StoredOffset* find(std::string_view topic, int32_t partition) const;
    const Topics& topics() const { return topics_; }  // None is empty.
    const Partitions* partitions(std::string_view topic) const;
    bool is_empty() const { return topics_.empty(); }

 private:
    Topics topics_;
};

}  // namespace millrace::coordinator
