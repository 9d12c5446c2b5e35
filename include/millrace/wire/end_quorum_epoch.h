// EndQuorumEpoch (key 54): a KRaft leader resigns.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct EndQuorumEpochRequest {
    static constexpr Api api{.key = 54, .name = "EndQuorumEpoch", .versions = {0, 1}, .flexible_since = 1};

    struct Candidate {
        int32_t candidate_id = 0;
        Uuid candidate_directory_id;

        static void fields(auto& self, auto& v) {
            v("candidate_id", self.candidate_id);
            v("candidate_directory_id", self.candidate_directory_id);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;
        List<int32_t> preferred_successors;
        List<Candidate> preferred_candidates;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
            v("preferred_successors", self.preferred_successors, until(0));
            v("preferred_candidates", self.preferred_candidates, since(1));
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
    List<Topic> topics;
    List<LeaderEndpoint> leader_endpoints;

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id);
        v("topics", self.topics);
        v("leader_endpoints", self.leader_endpoints, since(1));
    }
};

struct EndQuorumEpochResponse {
    static constexpr Api api = EndQuorumEpochRequest::api;

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
