// DescribeTopicPartitions (key 75): partitions of topics, page by page (KIP-966).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeTopicPartitionsRequest {
    static constexpr Api api{.key = 75, .name = "DescribeTopicPartitions", .versions = {0, 0}};

    struct Topic {
        String name;

        static void fields(auto& self, auto& v) { v("name", self.name); }
    };

    struct Cursor {
        String topic_name;
        int32_t partition_index = 0;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("partition_index", self.partition_index);
        }
    };

    List<Topic> topics;
    int32_t response_partition_limit = 2000;
    Nullable<Cursor> cursor;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics);
        v("response_partition_limit", self.response_partition_limit);
        v("cursor", self.cursor);
    }
};

struct DescribeTopicPartitionsResponse {
    static constexpr Api api = DescribeTopicPartitionsRequest::api;

    struct Partition {
        Error error_code = Error::none;
        int32_t partition_index = 0;
        int32_t leader_id = 0;
        int32_t leader_epoch = -1;
        List<int32_t> replica_nodes;
        List<int32_t> isr_nodes;
        Nullable<List<int32_t>> eligible_leader_replicas;
        Nullable<List<int32_t>> last_known_elr;
        List<int32_t> offline_replicas;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("partition_index", self.partition_index);
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
            v("replica_nodes", self.replica_nodes);
            v("isr_nodes", self.isr_nodes);
            v("eligible_leader_replicas", self.eligible_leader_replicas);
            v("last_known_elr", self.last_known_elr);
            v("offline_replicas", self.offline_replicas);
        }
    };

    struct Topic {
        Error error_code = Error::none;
        Nullable<String> name = "";
        Uuid topic_id;
        bool is_internal = false;
        List<Partition> partitions;
        int32_t topic_authorized_operations = INT32_MIN;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("name", self.name);
            v("topic_id", self.topic_id);
            v("is_internal", self.is_internal);
            v("partitions", self.partitions);
            v("topic_authorized_operations", self.topic_authorized_operations);
        }
    };

    struct Cursor {
        String topic_name;
        int32_t partition_index = 0;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("partition_index", self.partition_index);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> topics;
    Nullable<Cursor> next_cursor;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
        v("next_cursor", self.next_cursor);
    }
};

}  // namespace millrace::wire
