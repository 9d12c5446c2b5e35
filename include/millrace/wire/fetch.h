// Fetch (key 1): reads record batches from partitions, for consumers and for replicas.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct FetchRequest {
    static constexpr Api api{.key = 1, .name = "Fetch", .versions = {4, 18}, .flexible_since = 12};

    struct ReplicaState {
        int32_t replica_id = -1;
        int64_t replica_epoch = -1;

        bool operator==(const ReplicaState&) const = default;
        static void fields(auto& self, auto& v) {
            v("replica_id", self.replica_id);
            v("replica_epoch", self.replica_epoch);
        }
    };

    struct Partition {
        int32_t partition = 0;
        int32_t current_leader_epoch = -1;
        int64_t fetch_offset = 0;
        int32_t last_fetched_epoch = -1;
        int64_t log_start_offset = -1;
        int32_t partition_max_bytes = 0;
        Uuid replica_directory_id;
        int64_t high_watermark = INT64_MAX;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("current_leader_epoch", self.current_leader_epoch, since(9));
            v("fetch_offset", self.fetch_offset);
            v("last_fetched_epoch", self.last_fetched_epoch, since(12));
            v("log_start_offset", self.log_start_offset, since(5));
            v("partition_max_bytes", self.partition_max_bytes);
            v("replica_directory_id", self.replica_directory_id, tag(0, since(17)));
            v("high_watermark", self.high_watermark, tag(1, since(18), INT64_MAX));
        }
    };

    struct Topic {
        String topic;
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic, until(12));
            v("topic_id", self.topic_id, since(13));
            v("partitions", self.partitions);
        }
    };

    struct ForgottenTopic {
        String topic;
        Uuid topic_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic, until(12));
            v("topic_id", self.topic_id, since(13));
            v("partitions", self.partitions);
        }
    };

    Nullable<String> cluster_id;
    int32_t replica_id = -1;
    ReplicaState replica_state;
    int32_t max_wait_ms = 0;
    int32_t min_bytes = 0;
    int32_t max_bytes = INT32_MAX;
    int8_t isolation_level = 0;
    int32_t session_id = 0;
    int32_t session_epoch = -1;
    List<Topic> topics;
    List<ForgottenTopic> forgotten_topics_data;
    String rack_id;

    static void fields(auto& self, auto& v) {
        v("replica_id", self.replica_id, until(14));
        v("max_wait_ms", self.max_wait_ms);
        v("min_bytes", self.min_bytes);
        v("max_bytes", self.max_bytes);
        v("isolation_level", self.isolation_level);
        v("session_id", self.session_id, since(7));
        v("session_epoch", self.session_epoch, since(7));
        v("topics", self.topics);
        v("forgotten_topics_data", self.forgotten_topics_data, since(7));
        v("rack_id", self.rack_id, since(11));
        v("cluster_id", self.cluster_id, tag(0, since(12)));
        v("replica_state", self.replica_state, tag(1, since(15)));
    }
};

struct FetchResponse {
    static constexpr Api api = FetchRequest::api;

    struct EpochEndOffset {
        int32_t epoch = -1;
        int64_t end_offset = -1;

        bool operator==(const EpochEndOffset&) const = default;
        static void fields(auto& self, auto& v) {
            v("epoch", self.epoch);
            v("end_offset", self.end_offset);
        }
    };

    struct LeaderIdAndEpoch {
        int32_t leader_id = -1;
        int32_t leader_epoch = -1;

        bool operator==(const LeaderIdAndEpoch&) const = default;
        static void fields(auto& self, auto& v) {
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
        }
    };

    struct SnapshotId {
        int64_t end_offset = -1;
        int32_t epoch = -1;

        bool operator==(const SnapshotId&) const = default;
        static void fields(auto& self, auto& v) {
            v("end_offset", self.end_offset);
            v("epoch", self.epoch);
        }
    };

    struct AbortedTransaction {
        int64_t producer_id = 0;
        int64_t first_offset = 0;

        static void fields(auto& self, auto& v) {
            v("producer_id", self.producer_id);
            v("first_offset", self.first_offset);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        int64_t high_watermark = 0;
        int64_t last_stable_offset = -1;
        int64_t log_start_offset = -1;
        EpochEndOffset diverging_epoch;
        LeaderIdAndEpoch current_leader;
        SnapshotId snapshot_id;
        Nullable<List<AbortedTransaction>> aborted_transactions = List<AbortedTransaction>{};
        int32_t preferred_read_replica = -1;
        Nullable<Records> records = Records{};

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("high_watermark", self.high_watermark);
            v("last_stable_offset", self.last_stable_offset);
            v("log_start_offset", self.log_start_offset, since(5));
            v("aborted_transactions", self.aborted_transactions);
            v("preferred_read_replica", self.preferred_read_replica, since(11));
            v("records", self.records);
            v("diverging_epoch", self.diverging_epoch, tag(0, since(12)));
            v("current_leader", self.current_leader, tag(1, since(12)));
            v("snapshot_id", self.snapshot_id, tag(2, since(12)));
        }
    };

    struct Topic {
        String topic;
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic, until(12));
            v("topic_id", self.topic_id, since(13));
            v("partitions", self.partitions);
        }
    };

    struct NodeEndpoint {
        int32_t node_id = 0;
        String host;
        int32_t port = 0;
        Nullable<String> rack;

        static void fields(auto& self, auto& v) {
            v("node_id", self.node_id);
            v("host", self.host);
            v("port", self.port);
            v("rack", self.rack);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    int32_t session_id = 0;
    List<Topic> responses;
    List<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code, since(7));
        v("session_id", self.session_id, since(7));
        v("responses", self.responses);
        v("node_endpoints", self.node_endpoints, tag(0, since(16)));
    }
};

}  // namespace millrace::wire
