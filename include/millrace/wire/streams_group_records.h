// __consumer_offsets: streams groups of KIP-1071 (types 17, and 19 to 23).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct StreamsGroupMetadataKey {
    static constexpr Api api{
        .key = 17, .name = "StreamsGroupMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct StreamsGroupMetadataValue {
    static constexpr Api api{.key = 17, .name = "StreamsGroupMetadataValue", .versions = {0, 0}};

    struct LastAssignmentConfig {
        String key;
        String value;

        static void fields(auto& self, auto& v) {
            v("key", self.key);
            v("value", self.value);
        }
    };

    int32_t epoch = 0;
    int64_t metadata_hash = 0;
    int32_t validated_topology_epoch = -1;
    Nullable<List<LastAssignmentConfig>> last_assignment_configs = List<LastAssignmentConfig>{};

    static void fields(auto& self, auto& v) {
        v("epoch", self.epoch);
        v("metadata_hash", self.metadata_hash);
        v("validated_topology_epoch", self.validated_topology_epoch, tag(0, since(0), -1));
        v("last_assignment_configs", self.last_assignment_configs, tag_with_null(1, since(0)));
    }
};

struct StreamsGroupMemberMetadataKey {
    static constexpr Api api{
        .key = 19, .name = "StreamsGroupMemberMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct StreamsGroupMemberMetadataValue {
    static constexpr Api api{.key = 19, .name = "StreamsGroupMemberMetadataValue", .versions = {0, 0}};

    struct Endpoint {
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("host", self.host);
            v("port", self.port);
        }
    };

    struct KeyValue {
        String key;
        String value;

        static void fields(auto& self, auto& v) {
            v("key", self.key);
            v("value", self.value);
        }
    };

    Nullable<String> instance_id = "";
    Nullable<String> rack_id = "";
    String client_id;
    String client_host;
    int32_t rebalance_timeout_ms = -1;
    int32_t topology_epoch = 0;
    String process_id;
    Nullable<Endpoint> user_endpoint;
    List<KeyValue> client_tags;

    static void fields(auto& self, auto& v) {
        v("instance_id", self.instance_id);
        v("rack_id", self.rack_id);
        v("client_id", self.client_id);
        v("client_host", self.client_host);
        v("rebalance_timeout_ms", self.rebalance_timeout_ms);
        v("topology_epoch", self.topology_epoch);
        v("process_id", self.process_id);
        v("user_endpoint", self.user_endpoint);
        v("client_tags", self.client_tags);
    }
};

struct StreamsGroupTargetAssignmentMetadataKey {
    static constexpr Api api{.key = 20,
                             .name = "StreamsGroupTargetAssignmentMetadataKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct StreamsGroupTargetAssignmentMetadataValue {
    static constexpr Api api{
        .key = 20, .name = "StreamsGroupTargetAssignmentMetadataValue", .versions = {0, 0}};

    int32_t assignment_epoch = 0;
    int64_t assignment_timestamp = 0;

    static void fields(auto& self, auto& v) {
        v("assignment_epoch", self.assignment_epoch);
        v("assignment_timestamp", self.assignment_timestamp, tag(0, since(0)));
    }
};

struct StreamsGroupTargetAssignmentMemberKey {
    static constexpr Api api{.key = 21,
                             .name = "StreamsGroupTargetAssignmentMemberKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct StreamsGroupTargetAssignmentMemberValue {
    static constexpr Api api{
        .key = 21, .name = "StreamsGroupTargetAssignmentMemberValue", .versions = {0, 0}};

    struct TaskIds {
        String subtopology_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("partitions", self.partitions);
        }
    };

    List<TaskIds> active_tasks;
    List<TaskIds> standby_tasks;
    List<TaskIds> warmup_tasks;

    static void fields(auto& self, auto& v) {
        v("active_tasks", self.active_tasks);
        v("standby_tasks", self.standby_tasks);
        v("warmup_tasks", self.warmup_tasks);
    }
};

struct StreamsGroupCurrentMemberAssignmentKey {
    static constexpr Api api{.key = 22,
                             .name = "StreamsGroupCurrentMemberAssignmentKey",
                             .versions = {0, 0},
                             .flexible_since = never};

    String group_id;
    String member_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
    }
};

struct StreamsGroupCurrentMemberAssignmentValue {
    static constexpr Api api{
        .key = 22, .name = "StreamsGroupCurrentMemberAssignmentValue", .versions = {0, 0}};

    struct TaskIds {
        String subtopology_id;
        List<int32_t> partitions;
        Nullable<List<int32_t>> assignment_epochs = List<int32_t>{};

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("partitions", self.partitions);
            v("assignment_epochs", self.assignment_epochs, tag_with_null(0, since(0)));
        }
    };

    int32_t member_epoch = 0;
    int32_t previous_member_epoch = 0;
    int8_t state = 0;
    List<TaskIds> active_tasks;
    List<TaskIds> standby_tasks;
    List<TaskIds> warmup_tasks;
    List<TaskIds> active_tasks_pending_revocation;
    List<TaskIds> standby_tasks_pending_revocation;
    List<TaskIds> warmup_tasks_pending_revocation;

    static void fields(auto& self, auto& v) {
        v("member_epoch", self.member_epoch);
        v("previous_member_epoch", self.previous_member_epoch);
        v("state", self.state);
        v("active_tasks", self.active_tasks);
        v("standby_tasks", self.standby_tasks);
        v("warmup_tasks", self.warmup_tasks);
        v("active_tasks_pending_revocation", self.active_tasks_pending_revocation);
        v("standby_tasks_pending_revocation", self.standby_tasks_pending_revocation);
        v("warmup_tasks_pending_revocation", self.warmup_tasks_pending_revocation);
    }
};

struct StreamsGroupTopologyKey {
    static constexpr Api api{
        .key = 23, .name = "StreamsGroupTopologyKey", .versions = {0, 0}, .flexible_since = never};

    String group_id;

    static void fields(auto& self, auto& v) { v("group_id", self.group_id); }
};

struct StreamsGroupTopologyValue {
    static constexpr Api api{.key = 23, .name = "StreamsGroupTopologyValue", .versions = {0, 0}};

    struct TopicConfig {
        String key;
        String value;

        static void fields(auto& self, auto& v) {
            v("key", self.key);
            v("value", self.value);
        }
    };

    struct TopicInfo {
        String name;
        int32_t partitions = 0;
        int16_t replication_factor = 0;
        List<TopicConfig> topic_configs;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partitions", self.partitions);
            v("replication_factor", self.replication_factor);
            v("topic_configs", self.topic_configs);
        }
    };

    struct CopartitionGroup {
        List<int16_t> source_topics;
        List<int16_t> source_topic_regex;
        List<int16_t> repartition_source_topics;

        static void fields(auto& self, auto& v) {
            v("source_topics", self.source_topics);
            v("source_topic_regex", self.source_topic_regex);
            v("repartition_source_topics", self.repartition_source_topics);
        }
    };

    struct Subtopology {
        String subtopology_id;
        List<String> source_topics;
        List<String> source_topic_regex;
        List<TopicInfo> state_changelog_topics;
        List<String> repartition_sink_topics;
        List<TopicInfo> repartition_source_topics;
        List<CopartitionGroup> copartition_groups;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("source_topics", self.source_topics);
            v("source_topic_regex", self.source_topic_regex);
            v("state_changelog_topics", self.state_changelog_topics);
            v("repartition_sink_topics", self.repartition_sink_topics);
            v("repartition_source_topics", self.repartition_source_topics);
            v("copartition_groups", self.copartition_groups);
        }
    };

    int32_t epoch = 0;
    List<Subtopology> subtopologies;

    static void fields(auto& self, auto& v) {
        v("epoch", self.epoch);
        v("subtopologies", self.subtopologies);
    }
};

}  // namespace millrace::wire
