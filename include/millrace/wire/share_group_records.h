// __consumer_offsets: share groups of KIP-932 (types 10 to 15).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ShareGroupMemberMetadataKey {
    static constexpr Api api{
        .key = 10, .name = "ShareGroupMemberMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct ShareGroupMemberMetadataValue {
    static constexpr Api api{.key = 10, .name = "ShareGroupMemberMetadataValue", .versions = {0, 0}};

    Nullable<String> rack_id = "";
    String client_id;
    String client_host;
    List<String> subscribed_topic_names;

    static void fields(auto& self, auto& v) {
        v("rack_id", self.rack_id);
        v("client_id", self.client_id);
        v("client_host", self.client_host);
        v("subscribed_topic_names", self.subscribed_topic_names);
    }
};

struct ShareGroupMetadataKey {
    static constexpr Api api{
        .key = 11, .name = "ShareGroupMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct ShareGroupMetadataValue {
    static constexpr Api api{.key = 11, .name = "ShareGroupMetadataValue", .versions = {0, 0}};

    int32_t epoch = 0;
    int64_t metadata_hash = 0;

    static void fields(auto& self, auto& v) {
        v("epoch", self.epoch);
        v("metadata_hash", self.metadata_hash);
    }
};

struct ShareGroupTargetAssignmentMetadataKey {
    static constexpr Api api{.key = 12,
                             .name = "ShareGroupTargetAssignmentMetadataKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct ShareGroupTargetAssignmentMetadataValue {
    static constexpr Api api{
        .key = 12, .name = "ShareGroupTargetAssignmentMetadataValue", .versions = {0, 0}};

    int32_t assignment_epoch = 0;
    int64_t assignment_timestamp = 0;

    static void fields(auto& self, auto& v) {
        v("assignment_epoch", self.assignment_epoch);
        v("assignment_timestamp", self.assignment_timestamp, tag(0, since(0)));
    }
};

struct ShareGroupTargetAssignmentMemberKey {
    static constexpr Api api{.key = 13,
                             .name = "ShareGroupTargetAssignmentMemberKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct ShareGroupTargetAssignmentMemberValue {
    static constexpr Api api{.key = 13, .name = "ShareGroupTargetAssignmentMemberValue", .versions = {0, 0}};

    struct TopicPartition {
        Uuid topic_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    List<TopicPartition> topic_partitions;

    static void fields(auto& self, auto& v) { v("topic_partitions", self.topic_partitions); }
};

struct ShareGroupCurrentMemberAssignmentKey {
    static constexpr Api api{.key = 14,
                             .name = "ShareGroupCurrentMemberAssignmentKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct ShareGroupCurrentMemberAssignmentValue {
    static constexpr Api api{.key = 14, .name = "ShareGroupCurrentMemberAssignmentValue", .versions = {0, 0}};

    struct TopicPartitions {
        Uuid topic_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    int32_t member_epoch = 0;
    int32_t previous_member_epoch = 0;
    int8_t state = 0;
    List<TopicPartitions> assigned_partitions;

    static void fields(auto& self, auto& v) {
        v("member_epoch", self.member_epoch);
        v("previous_member_epoch", self.previous_member_epoch);
        v("state", self.state);
        v("assigned_partitions", self.assigned_partitions);
    }
};

struct ShareGroupStatePartitionMetadataKey {
    static constexpr Api api{.key = 15,
                             .name = "ShareGroupStatePartitionMetadataKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct ShareGroupStatePartitionMetadataValue {
    static constexpr Api api{.key = 15, .name = "ShareGroupStatePartitionMetadataValue", .versions = {0, 0}};

    struct TopicPartitionsInfo {
        Uuid topic_id;
        String topic_name;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("topic_name", self.topic_name);
            v("partitions", self.partitions);
        }
    };

    struct TopicInfo {
        Uuid topic_id;
        String topic_name;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("topic_name", self.topic_name);
        }
    };

    List<TopicPartitionsInfo> initializing_topics;
    List<TopicPartitionsInfo> initialized_topics;
    List<TopicInfo> deleting_topics;

    static void fields(auto& self, auto& v) {
        v("initializing_topics", self.initializing_topics);
        v("initialized_topics", self.initialized_topics);
        v("deleting_topics", self.deleting_topics);
    }
};

}  // namespace millrace::wire
