// __consumer_offsets: committed positions (types 0 and 1).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct LegacyOffsetCommitKey {
    static constexpr Api api{
        .key = 0, .name = "LegacyOffsetCommitKey", .versions = {0, 0}, .flexible_since = never};

    String group;
    String topic;
    int32_t partition = 0;

    static void fields(auto& self, auto& v) {
        v("group", self.group);
        v("topic", self.topic);
        v("partition", self.partition);
    }
};

struct LegacyOffsetCommitValue {
    static constexpr Api api{
        .key = 0, .name = "LegacyOffsetCommitValue", .versions = {0, 0}, .flexible_since = never};

    int64_t offset = 0;
    String metadata;
    int64_t commit_timestamp = 0;

    static void fields(auto& self, auto& v) {
        v("offset", self.offset);
        v("metadata", self.metadata);
        v("commit_timestamp", self.commit_timestamp);
    }
};

struct OffsetCommitKey {
    static constexpr Api api{
        .key = 1, .name = "OffsetCommitKey", .versions = {0, 0}, .flexible_since = never};

    String group;
    String topic;
    int32_t partition = 0;

    static void fields(auto& self, auto& v) {
        v("group", self.group);
        v("topic", self.topic);
        v("partition", self.partition);
    }
};

struct OffsetCommitValue {
    static constexpr Api api{.key = 1, .name = "OffsetCommitValue", .versions = {0, 4}, .flexible_since = 4};

    int64_t offset = 0;
    int32_t leader_epoch = -1;
    String metadata;
    int64_t commit_timestamp = 0;
    int64_t expire_timestamp = -1;
    Uuid topic_id;

    static void fields(auto& self, auto& v) {
        v("offset", self.offset);
        v("leader_epoch", self.leader_epoch, since(3));
        v("metadata", self.metadata);
        v("commit_timestamp", self.commit_timestamp);
        v("expire_timestamp", self.expire_timestamp, between(1, 1));
        v("topic_id", self.topic_id, tag(0, since(4)));
    }
};

}  // namespace millrace::wire
