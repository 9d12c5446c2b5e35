// Metadata (key 3): brokers, topics and who leads each partition; may create topics.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct MetadataRequest {
    static constexpr Api api{.key = 3, .name = "Metadata", .versions = {0, 13}, .flexible_since = 9};

    struct Topic {
        Uuid topic_id;
        Nullable<String> name = "";

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id, since(10));
            v("name", self.name, since(0).null_since(10));
        }
    };

    Nullable<List<Topic>> topics = List<Topic>{};
    bool allow_auto_topic_creation = true;
    bool include_cluster_authorized_operations = false;
    bool include_topic_authorized_operations = false;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics, since(0).null_since(1));
        v("allow_auto_topic_creation", self.allow_auto_topic_creation, since(4));
        v("include_cluster_authorized_operations", self.include_cluster_authorized_operations,
          between(8, 10));
        v("include_topic_authorized_operations", self.include_topic_authorized_operations, since(8));
    }
};

struct MetadataResponse {
    static constexpr Api api = MetadataRequest::api;

    struct Broker {
        int32_t node_id = 0;
        String host;
        int32_t port = 0;
        Nullable<String> rack;

        static void fields(auto& self, auto& v) {
            v("node_id", self.node_id);
            v("host", self.host);
            v("port", self.port);
            v("rack", self.rack, since(1));
        }
    };

    struct Partition {
        Error error_code = Error::none;
        int32_t partition_index = 0;
        int32_t leader_id = 0;
        int32_t leader_epoch = -1;
        List<int32_t> replica_nodes;
        List<int32_t> isr_nodes;
        List<int32_t> offline_replicas;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("partition_index", self.partition_index);
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch, since(7));
            v("replica_nodes", self.replica_nodes);
            v("isr_nodes", self.isr_nodes);
            v("offline_replicas", self.offline_replicas, since(5));
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
            v("name", self.name, since(0).null_since(12));
            v("topic_id", self.topic_id, since(10));
            v("is_internal", self.is_internal, since(1));
            v("partitions", self.partitions);
            v("topic_authorized_operations", self.topic_authorized_operations, since(8));
        }
    };

    int32_t throttle_time_ms = 0;
    List<Broker> brokers;
    Nullable<String> cluster_id;
    int32_t controller_id = -1;
    List<Topic> topics;
    int32_t cluster_authorized_operations = INT32_MIN;
    Error error_code = Error::none;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(3));
        v("brokers", self.brokers);
        v("cluster_id", self.cluster_id, since(2));
        v("controller_id", self.controller_id, since(1));
        v("topics", self.topics);
        v("cluster_authorized_operations", self.cluster_authorized_operations, between(8, 10));
        v("error_code", self.error_code, since(13));
    }
};

}  // namespace millrace::wire
