// __remote_log_metadata: segments in tiered storage.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct RemoteLogSegmentMetadataRecord {
    static constexpr Api api{.key = 0, .name = "RemoteLogSegmentMetadataRecord", .versions = {0, 0}};

    struct TopicPartition {
        String name;
        Uuid id;
        int32_t partition = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("id", self.id);
            v("partition", self.partition);
        }
    };

    struct SegmentId {
        TopicPartition topic_id_partition;
        Uuid id;

        static void fields(auto& self, auto& v) {
            v("topic_id_partition", self.topic_id_partition);
            v("id", self.id);
        }
    };

    struct LeaderEpoch {
        int32_t leader_epoch = 0;
        int64_t offset = 0;

        static void fields(auto& self, auto& v) {
            v("leader_epoch", self.leader_epoch);
            v("offset", self.offset);
        }
    };

    SegmentId remote_log_segment_id;
    int64_t start_offset = 0;
    int64_t end_offset = 0;
    int32_t broker_id = 0;
    int64_t max_timestamp_ms = 0;
    int64_t event_timestamp_ms = 0;
    List<LeaderEpoch> segment_leader_epochs;
    int32_t segment_size_in_bytes = 0;
    Nullable<Bytes> custom_metadata;
    int8_t remote_log_segment_state = 0;
    bool txn_index_empty = false;

    static void fields(auto& self, auto& v) {
        v("remote_log_segment_id", self.remote_log_segment_id);
        v("start_offset", self.start_offset);
        v("end_offset", self.end_offset);
        v("broker_id", self.broker_id);
        v("max_timestamp_ms", self.max_timestamp_ms);
        v("event_timestamp_ms", self.event_timestamp_ms);
        v("segment_leader_epochs", self.segment_leader_epochs);
        v("segment_size_in_bytes", self.segment_size_in_bytes);
        v("custom_metadata", self.custom_metadata);
        v("remote_log_segment_state", self.remote_log_segment_state);
        v("txn_index_empty", self.txn_index_empty, tag(0, since(0)));
    }
};

struct RemoteLogSegmentMetadataUpdateRecord {
    static constexpr Api api{.key = 1, .name = "RemoteLogSegmentMetadataUpdateRecord", .versions = {0, 0}};

    struct TopicPartition {
        String name;
        Uuid id;
        int32_t partition = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("id", self.id);
            v("partition", self.partition);
        }
    };

    struct SegmentId {
        TopicPartition topic_id_partition;
        Uuid id;

        static void fields(auto& self, auto& v) {
            v("topic_id_partition", self.topic_id_partition);
            v("id", self.id);
        }
    };

    SegmentId remote_log_segment_id;
    int32_t broker_id = 0;
    int64_t event_timestamp_ms = 0;
    Nullable<Bytes> custom_metadata;
    int8_t remote_log_segment_state = 0;

    static void fields(auto& self, auto& v) {
        v("remote_log_segment_id", self.remote_log_segment_id);
        v("broker_id", self.broker_id);
        v("event_timestamp_ms", self.event_timestamp_ms);
        v("custom_metadata", self.custom_metadata);
        v("remote_log_segment_state", self.remote_log_segment_state);
    }
};

struct RemotePartitionDeleteMetadataRecord {
    static constexpr Api api{.key = 2, .name = "RemotePartitionDeleteMetadataRecord", .versions = {0, 0}};

    struct TopicPartition {
        String name;
        Uuid id;
        int32_t partition = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("id", self.id);
            v("partition", self.partition);
        }
    };

    TopicPartition topic_id_partition;
    int32_t broker_id = 0;
    int64_t event_timestamp_ms = 0;
    int8_t remote_partition_delete_state = 0;

    static void fields(auto& self, auto& v) {
        v("topic_id_partition", self.topic_id_partition);
        v("broker_id", self.broker_id);
        v("event_timestamp_ms", self.event_timestamp_ms);
        v("remote_partition_delete_state", self.remote_partition_delete_state);
    }
};

struct RemoteLogSegmentMetadataSnapshotRecord {
    static constexpr Api api{.key = 3, .name = "RemoteLogSegmentMetadataSnapshotRecord", .versions = {0, 0}};

    struct LeaderEpoch {
        int32_t leader_epoch = 0;
        int64_t offset = 0;

        static void fields(auto& self, auto& v) {
            v("leader_epoch", self.leader_epoch);
            v("offset", self.offset);
        }
    };

    Uuid segment_id;
    int64_t start_offset = 0;
    int64_t end_offset = 0;
    int32_t broker_id = 0;
    int64_t max_timestamp_ms = 0;
    int64_t event_timestamp_ms = 0;
    List<LeaderEpoch> segment_leader_epochs;
    int32_t segment_size_in_bytes = 0;
    Nullable<Bytes> custom_metadata;
    int8_t remote_log_segment_state = 0;
    bool txn_index_empty = false;

    static void fields(auto& self, auto& v) {
        v("segment_id", self.segment_id);
        v("start_offset", self.start_offset);
        v("end_offset", self.end_offset);
        v("broker_id", self.broker_id);
        v("max_timestamp_ms", self.max_timestamp_ms);
        v("event_timestamp_ms", self.event_timestamp_ms);
        v("segment_leader_epochs", self.segment_leader_epochs);
        v("segment_size_in_bytes", self.segment_size_in_bytes);
        v("custom_metadata", self.custom_metadata);
        v("remote_log_segment_state", self.remote_log_segment_state);
        v("txn_index_empty", self.txn_index_empty, tag(0, since(0)));
    }
};

}  // namespace millrace::wire
