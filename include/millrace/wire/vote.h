// Vote (key 52): a KRaft candidate asks for a vote.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct VoteRequest {
    static constexpr Api api{.key = 52, .name = "Vote", .versions = {0, 2}};

    struct Partition {
        int32_t partition_index = 0;
        int32_t replica_epoch = 0;
        int32_t replica_id = 0;
        Uuid replica_directory_id;
        Uuid voter_directory_id;
        int32_t last_offset_epoch = 0;
        int64_t last_offset = 0;
        bool pre_vote = false;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("replica_epoch", self.replica_epoch);
            v("replica_id", self.replica_id);
            v("replica_directory_id", self.replica_directory_id, since(1));
            v("voter_directory_id", self.voter_directory_id, since(1));
            v("last_offset_epoch", self.last_offset_epoch);
            v("last_offset", self.last_offset);
            v("pre_vote", self.pre_vote, since(2));
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

    Nullable<String> cluster_id;
    int32_t voter_id = -1;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id);
        v("voter_id", self.voter_id, since(1));
        v("topics", self.topics);
    }
};

struct VoteResponse {
    static constexpr Api api = VoteRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;
        bool vote_granted = false;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
            v("vote_granted", self.vote_granted);
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
