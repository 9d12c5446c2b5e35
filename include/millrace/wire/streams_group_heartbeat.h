// StreamsGroupHeartbeat (key 88): the one call of members of a streams group (KIP-1071).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct StreamsGroupHeartbeatRequest {
    static constexpr Api api{.key = 88, .name = "StreamsGroupHeartbeat", .versions = {0, 0}};

    struct KeyValue {
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
        List<KeyValue> topic_configs;

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

    struct Topology {
        int32_t epoch = 0;
        List<Subtopology> subtopologies;

        static void fields(auto& self, auto& v) {
            v("epoch", self.epoch);
            v("subtopologies", self.subtopologies);
        }
    };

    struct TaskIds {
        String subtopology_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("partitions", self.partitions);
        }
    };

    struct Endpoint {
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("host", self.host);
            v("port", self.port);
        }
    };

    struct TaskOffset {
        String subtopology_id;
        int32_t partition = 0;
        int64_t offset = 0;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("partition", self.partition);
            v("offset", self.offset);
        }
    };

    String group_id;
    String member_id;
    int32_t member_epoch = 0;
    int32_t endpoint_information_epoch = 0;
    Nullable<String> instance_id;
    Nullable<String> rack_id;
    int32_t rebalance_timeout_ms = -1;
    Nullable<Topology> topology;
    Nullable<List<TaskIds>> active_tasks;
    Nullable<List<TaskIds>> standby_tasks;
    Nullable<List<TaskIds>> warmup_tasks;
    Nullable<String> process_id;
    Nullable<Endpoint> user_endpoint;
    Nullable<List<KeyValue>> client_tags;
    Nullable<List<TaskOffset>> task_offsets;
    Nullable<List<TaskOffset>> task_end_offsets;
    bool shutdown_application = false;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
        v("member_epoch", self.member_epoch);
        v("endpoint_information_epoch", self.endpoint_information_epoch);
        v("instance_id", self.instance_id);
        v("rack_id", self.rack_id);
        v("rebalance_timeout_ms", self.rebalance_timeout_ms);
        v("topology", self.topology);
        v("active_tasks", self.active_tasks);
        v("standby_tasks", self.standby_tasks);
        v("warmup_tasks", self.warmup_tasks);
        v("process_id", self.process_id);
        v("user_endpoint", self.user_endpoint);
        v("client_tags", self.client_tags);
        v("task_offsets", self.task_offsets);
        v("task_end_offsets", self.task_end_offsets);
        v("shutdown_application", self.shutdown_application);
    }
};

struct StreamsGroupHeartbeatResponse {
    static constexpr Api api = StreamsGroupHeartbeatRequest::api;

    struct Status {
        int8_t status_code = 0;
        String status_detail;

        static void fields(auto& self, auto& v) {
            v("status_code", self.status_code);
            v("status_detail", self.status_detail);
        }
    };

    struct TaskIds {
        String subtopology_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("partitions", self.partitions);
        }
    };

    struct Endpoint {
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("host", self.host);
            v("port", self.port);
        }
    };

    struct TopicPartition {
        String topic;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    struct UserEndpoint {
        Endpoint user_endpoint;
        List<TopicPartition> active_partitions;
        List<TopicPartition> standby_partitions;

        static void fields(auto& self, auto& v) {
            v("user_endpoint", self.user_endpoint);
            v("active_partitions", self.active_partitions);
            v("standby_partitions", self.standby_partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    String member_id;
    int32_t member_epoch = 0;
    int32_t heartbeat_interval_ms = 0;
    int32_t acceptable_recovery_lag = 0;
    int32_t task_offset_interval_ms = 0;
    Nullable<List<Status>> status = List<Status>{};
    Nullable<List<TaskIds>> active_tasks;
    Nullable<List<TaskIds>> standby_tasks;
    Nullable<List<TaskIds>> warmup_tasks;
    int32_t endpoint_information_epoch = 0;
    Nullable<List<UserEndpoint>> partitions_by_user_endpoint;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("member_id", self.member_id);
        v("member_epoch", self.member_epoch);
        v("heartbeat_interval_ms", self.heartbeat_interval_ms);
        v("acceptable_recovery_lag", self.acceptable_recovery_lag);
        v("task_offset_interval_ms", self.task_offset_interval_ms);
        v("status", self.status);
        v("active_tasks", self.active_tasks);
        v("standby_tasks", self.standby_tasks);
        v("warmup_tasks", self.warmup_tasks);
        v("endpoint_information_epoch", self.endpoint_information_epoch);
        v("partitions_by_user_endpoint", self.partitions_by_user_endpoint);
    }
};

}  // namespace millrace::wire
