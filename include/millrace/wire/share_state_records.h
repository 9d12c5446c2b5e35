// __share_group_state: where share partitions are (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ShareSnapshotKey {
    static constexpr Api api{
        .key = 0, .name = "ShareSnapshotKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;
    Uuid topic_id;
    int32_t partition = 0;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("topic_id", self.topic_id);
        v("partition", self.partition);
    }
};

struct ShareSnapshotValue {
    static constexpr Api api{.key = 0, .name = "ShareSnapshotValue", .versions = {0, 0}};

    struct StateBatch {
        int64_t first_offset = 0;
        int64_t last_offset = 0;
        int8_t delivery_state = 0;
        int16_t delivery_count = 0;

        static void fields(auto& self, auto& v) {
            v("first_offset", self.first_offset);
            v("last_offset", self.last_offset);
            v("delivery_state", self.delivery_state);
            v("delivery_count", self.delivery_count);
        }
    };

    int32_t snapshot_epoch = 0;
    int32_t state_epoch = 0;
    int32_t leader_epoch = 0;
    int64_t start_offset = 0;
    int32_t delivery_complete_count = -1;
    int64_t create_timestamp = 0;
    int64_t write_timestamp = 0;
    List<StateBatch> state_batches;

    static void fields(auto& self, auto& v) {
        v("snapshot_epoch", self.snapshot_epoch);
        v("state_epoch", self.state_epoch);
        v("leader_epoch", self.leader_epoch);
        v("start_offset", self.start_offset);
        v("create_timestamp", self.create_timestamp);
        v("write_timestamp", self.write_timestamp);
        v("state_batches", self.state_batches);
        v("delivery_complete_count", self.delivery_complete_count, tag(0, since(0), -1));
    }
};

struct ShareUpdateKey {
    static constexpr Api api{.key = 1, .name = "ShareUpdateKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;
    Uuid topic_id;
    int32_t partition = 0;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("topic_id", self.topic_id);
        v("partition", self.partition);
    }
};

struct ShareUpdateValue {
    static constexpr Api api{.key = 1, .name = "ShareUpdateValue", .versions = {0, 0}};

    struct StateBatch {
        int64_t first_offset = 0;
        int64_t last_offset = 0;
        int8_t delivery_state = 0;
        int16_t delivery_count = 0;

        static void fields(auto& self, auto& v) {
            v("first_offset", self.first_offset);
            v("last_offset", self.last_offset);
            v("delivery_state", self.delivery_state);
            v("delivery_count", self.delivery_count);
        }
    };

    int32_t snapshot_epoch = 0;
    int32_t leader_epoch = 0;
    int64_t start_offset = 0;
    int32_t delivery_complete_count = -1;
    List<StateBatch> state_batches;

    static void fields(auto& self, auto& v) {
        v("snapshot_epoch", self.snapshot_epoch);
        v("leader_epoch", self.leader_epoch);
        v("start_offset", self.start_offset);
        v("state_batches", self.state_batches);
        v("delivery_complete_count", self.delivery_complete_count, tag(0, since(0), -1));
    }
};

}  // namespace millrace::wire
