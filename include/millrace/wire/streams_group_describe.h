// StreamsGroupDescribe (key 89): state and members of streams groups (KIP-1071).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct StreamsGroupDescribeRequest {
    static constexpr Api api{.key = 89, .name = "StreamsGroupDescribe", .versions = {0, 0}};

    List<String> group_ids;
    bool include_authorized_operations = false;

    static void fields(auto& self, auto& v) {
        v("group_ids", self.group_ids);
        v("include_authorized_operations", self.include_authorized_operations);
    }
};

struct StreamsGroupDescribeResponse {
    static constexpr Api api = StreamsGroupDescribeRequest::api;

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

    struct Subtopology {
        String subtopology_id;
        List<String> source_topics;
        List<String> repartition_sink_topics;
        List<TopicInfo> state_changelog_topics;
        List<TopicInfo> repartition_source_topics;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("source_topics", self.source_topics);
            v("repartition_sink_topics", self.repartition_sink_topics);
            v("state_changelog_topics", self.state_changelog_topics);
            v("repartition_source_topics", self.repartition_source_topics);
        }
    };

    struct Topology {
        int32_t epoch = 0;
        Nullable<List<Subtopology>> subtopologies;

        static void fields(auto& self, auto& v) {
            v("epoch", self.epoch);
            v("subtopologies", self.subtopologies);
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

    struct TaskIds {
        String subtopology_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("subtopology_id", self.subtopology_id);
            v("partitions", self.partitions);
        }
    };

    struct Assignment {
        List<TaskIds> active_tasks;
        List<TaskIds> standby_tasks;
        List<TaskIds> warmup_tasks;

        static void fields(auto& self, auto& v) {
            v("active_tasks", self.active_tasks);
            v("standby_tasks", self.standby_tasks);
            v("warmup_tasks", self.warmup_tasks);
        }
    };

    struct Member {
        String member_id;
        int32_t member_epoch = 0;
        Nullable<String> instance_id;
        Nullable<String> rack_id;
        String client_id;
        String client_host;
        int32_t topology_epoch = 0;
        String process_id;
        Nullable<Endpoint> user_endpoint;
        List<KeyValue> client_tags;
        List<TaskOffset> task_offsets;
        List<TaskOffset> task_end_offsets;
        Assignment assignment;
        Assignment target_assignment;
        bool is_classic = false;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("member_epoch", self.member_epoch);
            v("instance_id", self.instance_id);
            v("rack_id", self.rack_id);
            v("client_id", self.client_id);
            v("client_host", self.client_host);
            v("topology_epoch", self.topology_epoch);
            v("process_id", self.process_id);
            v("user_endpoint", self.user_endpoint);
            v("client_tags", self.client_tags);
            v("task_offsets", self.task_offsets);
            v("task_end_offsets", self.task_end_offsets);
            v("assignment", self.assignment);
            v("target_assignment", self.target_assignment);
            v("is_classic", self.is_classic);
        }
    };

    struct Group {
        Error error_code = Error::none;
        Nullable<String> error_message;
        String group_id;
        String group_state;
        int32_t group_epoch = 0;
        int32_t assignment_epoch = 0;
        Nullable<Topology> topology;
        List<Member> members;
        int32_t authorized_operations = INT32_MIN;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("group_id", self.group_id);
            v("group_state", self.group_state);
            v("group_epoch", self.group_epoch);
            v("assignment_epoch", self.assignment_epoch);
            v("topology", self.topology);
            v("members", self.members);
            v("authorized_operations", self.authorized_operations);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Group> groups;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("groups", self.groups);
    }
};

}  // namespace millrace::wire
