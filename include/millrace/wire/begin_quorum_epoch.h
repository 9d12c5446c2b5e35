// BeginQuorumEpoch (key 53): a KRaft leader tells the voters of its election.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct BeginQuorumEpochRequest {
    static constexpr Api api{.key = 53, .name = "BeginQuorumEpoch", .versions = {0, 1}, .flexible_since = 1};

    struct Partition {
        int32_t partition_index = 0;
        Uuid voter_directory_id;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("voter_directory_id", self.voter_directory_id, since(1));
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
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

    struct LeaderEndpoint {
        String name;
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
        }
    };

    Nullable<String> cluster_id;
    int32_t voter_id = -1;
    List<Topic> topics;
    List<LeaderEndpoint> leader_endpoints;

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id);
        v("voter_id", self.voter_id, since(1));
        v("topics", self.topics);
        v("leader_endpoints", self.leader_endpoints, since(1));
    }
};

struct BeginQuorumEpochResponse {
    static constexpr Api api = BeginQuorumEpochRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
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

    struct NodeEndpoint {
        int32_t node_id = 0;
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("node_id", self.node_id);
            v("host", self.host);
            v("port", self.port);
        }
    };

    Error error_code = Error::none;
    List<Topic> topics;
    List<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("topics", self.topics);
        v("node_endpoints", self.node_endpoints, tag(0, since(1)));
    }
};

}  // namespace millrace::wire
