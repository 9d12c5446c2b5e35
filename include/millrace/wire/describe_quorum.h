// DescribeQuorum (key 55): the KRaft voters and observers, and how far they are.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeQuorumRequest {
    static constexpr Api api{.key = 55, .name = "DescribeQuorum", .versions = {0, 2}};

    struct Partition {
        int32_t partition_index = 0;

        static void fields(auto& self, auto& v) { v("partition_index", self.partition_index); }
    };

    struct Topic {
        String topic_name;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("partitions", self.partitions);
        }
    };

    List<Topic> topics;

    static void fields(auto& self, auto& v) { v("topics", self.topics); }
};

struct DescribeQuorumResponse {
    static constexpr Api api = DescribeQuorumRequest::api;

    struct ReplicaState {
        int32_t replica_id = 0;
        Uuid replica_directory_id;
        int64_t log_end_offset = 0;
        int64_t last_fetch_timestamp = -1;
        int64_t last_caught_up_timestamp = -1;

        static void fields(auto& self, auto& v) {
            v("replica_id", self.replica_id);
            v("replica_directory_id", self.replica_directory_id, since(2));
            v("log_end_offset", self.log_end_offset);
            v("last_fetch_timestamp", self.last_fetch_timestamp, since(1));
            v("last_caught_up_timestamp", self.last_caught_up_timestamp, since(1));
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;
        int64_t high_watermark = 0;
        List<ReplicaState> current_voters;
        List<ReplicaState> observers;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("error_message", self.error_message, since(2));
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
            v("high_watermark", self.high_watermark);
            v("current_voters", self.current_voters);
            v("observers", self.observers);
        }
    };

    struct Topic {
        String topic_name;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("partitions", self.partitions);
        }
    };

    struct Listener {
        String name;
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
        }
    };

    struct Node {
        int32_t node_id = 0;
        List<Listener> listeners;

        static void fields(auto& self, auto& v) {
            v("node_id", self.node_id);
            v("listeners", self.listeners);
        }
    };

    Error error_code = Error::none;
    Nullable<String> error_message;
    List<Topic> topics;
    List<Node> nodes;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("error_message", self.error_message, since(2));
        v("topics", self.topics);
        v("nodes", self.nodes, since(2));
    }
};

}  // namespace millrace::wire
