// __consumer_offsets: consumer groups of KIP-848 (types 3 to 8, and 16).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ConsumerGroupMetadataKey {
    static constexpr Api api{
        .key = 3, .name = "ConsumerGroupMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct ConsumerGroupMetadataValue {
    static constexpr Api api{.key = 3, .name = "ConsumerGroupMetadataValue", .versions = {0, 0}};

    int32_t epoch = 0;
    int64_t metadata_hash = 0;

    static void fields(auto& self, auto& v) {
        v("epoch", self.epoch);
        v("metadata_hash", self.metadata_hash, tag(0, since(0)));
    }
};

struct ConsumerGroupPartitionMetadataKey {
    static constexpr Api api{
        .key = 4, .name = "ConsumerGroupPartitionMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct ConsumerGroupPartitionMetadataValue {
    static constexpr Api api{.key = 4, .name = "ConsumerGroupPartitionMetadataValue", .versions = {0, 0}};

    struct PartitionMetadata {
        int32_t partition = 0;
        List<String> racks;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("racks", self.racks);
        }
    };

    struct TopicMetadata {
        Uuid topic_id;
        String topic_name;
        int32_t num_partitions = 0;
        List<PartitionMetadata> partition_metadata;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("topic_name", self.topic_name);
            v("num_partitions", self.num_partitions);
            v("partition_metadata", self.partition_metadata);
        }
    };

    List<TopicMetadata> topics;

    static void fields(auto& self, auto& v) { v("topics", self.topics); }
};

struct ConsumerGroupMemberMetadataKey {
    static constexpr Api api{
        .key = 5, .name = "ConsumerGroupMemberMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

// What a member of the classic protocol in a consumer group has said. Outside the value that holds it, since
// that one begins with an empty one of these: null differs from empty.
struct ClassicMemberMetadata {
    struct ClassicProtocol {
        String name;
        Bytes metadata;

        bool operator==(const ClassicProtocol& other) const {
            return name == other.name && std::ranges::equal(metadata, other.metadata);
        }
        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("metadata", self.metadata);
        }
    };

    int32_t session_timeout_ms = 0;
    List<ClassicProtocol> supported_protocols;

    bool operator==(const ClassicMemberMetadata& other) const {
        return session_timeout_ms == other.session_timeout_ms &&
               std::ranges::equal(supported_protocols, other.supported_protocols);
    }
    static void fields(auto& self, auto& v) {
        v("session_timeout_ms", self.session_timeout_ms);
        v("supported_protocols", self.supported_protocols);
    }
};

struct ConsumerGroupMemberMetadataValue {
    static constexpr Api api{.key = 5, .name = "ConsumerGroupMemberMetadataValue", .versions = {0, 0}};

    Nullable<String> instance_id = "";
    Nullable<String> rack_id = "";
    String client_id;
    String client_host;
    List<String> subscribed_topic_names;
    Nullable<String> subscribed_topic_regex = "";
    int32_t rebalance_timeout_ms = -1;
    Nullable<String> server_assignor = "";
    Nullable<ClassicMemberMetadata> classic_member_metadata = ClassicMemberMetadata{};

    static void fields(auto& self, auto& v) {
        v("instance_id", self.instance_id);
        v("rack_id", self.rack_id);
        v("client_id", self.client_id);
        v("client_host", self.client_host);
        v("subscribed_topic_names", self.subscribed_topic_names);
        v("subscribed_topic_regex", self.subscribed_topic_regex);
        v("rebalance_timeout_ms", self.rebalance_timeout_ms);
        v("server_assignor", self.server_assignor);
        v("classic_member_metadata", self.classic_member_metadata, tag_with_null(0, since(0)));
    }
};

struct ConsumerGroupTargetAssignmentMetadataKey {
    static constexpr Api api{.key = 6,
                             .name = "ConsumerGroupTargetAssignmentMetadataKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct ConsumerGroupTargetAssignmentMetadataValue {
    static constexpr Api api{
        .key = 6, .name = "ConsumerGroupTargetAssignmentMetadataValue", .versions = {0, 0}};

    int32_t assignment_epoch = 0;
    int64_t assignment_timestamp = 0;

    static void fields(auto& self, auto& v) {
        v("assignment_epoch", self.assignment_epoch);
        v("assignment_timestamp", self.assignment_timestamp, tag(0, since(0)));
    }
};

struct ConsumerGroupTargetAssignmentMemberKey {
    static constexpr Api api{.key = 7,
                             .name = "ConsumerGroupTargetAssignmentMemberKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct ConsumerGroupTargetAssignmentMemberValue {
    static constexpr Api api{
        .key = 7, .name = "ConsumerGroupTargetAssignmentMemberValue", .versions = {0, 0}};

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

struct ConsumerGroupCurrentMemberAssignmentKey {
    static constexpr Api api{.key = 8,
                             .name = "ConsumerGroupCurrentMemberAssignmentKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct ConsumerGroupCurrentMemberAssignmentValue {
    static constexpr Api api{
        .key = 8, .name = "ConsumerGroupCurrentMemberAssignmentValue", .versions = {0, 0}};

    struct TopicPartitions {
        Uuid topic_id;
        List<int32_t> partitions;
        Nullable<List<int32_t>> assignment_epochs = List<int32_t>{};

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
            v("assignment_epochs", self.assignment_epochs, tag_with_null(0, since(0)));
        }
    };

    int32_t member_epoch = 0;
    int32_t previous_member_epoch = 0;
    int8_t state = 0;
    List<TopicPartitions> assigned_partitions;
    List<TopicPartitions> partitions_pending_revocation;

    static void fields(auto& self, auto& v) {
        v("member_epoch", self.member_epoch);
        v("previous_member_epoch", self.previous_member_epoch);
        v("state", self.state);
        v("assigned_partitions", self.assigned_partitions);
        v("partitions_pending_revocation", self.partitions_pending_revocation);
    }
};

struct ConsumerGroupRegularExpressionKey {
    static constexpr Api api{
        .key = 16, .name = "ConsumerGroupRegularExpressionKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;
    String regular_expression;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("regular_expression", self.regular_expression);
    }
};

struct ConsumerGroupRegularExpressionValue {
    static constexpr Api api{.key = 16, .name = "ConsumerGroupRegularExpressionValue", .versions = {0, 0}};

    List<String> topics;
    int64_t version = 0;
    int64_t timestamp = 0;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics);
        v("version", self.version);
        v("timestamp", self.timestamp);
    }
};

}  // namespace millrace::wire
