// FetchSnapshot (key 59): reads a part of a snapshot of the metadata log.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct FetchSnapshotRequest {
    static constexpr Api api{.key = 59, .name = "FetchSnapshot", .versions = {0, 1}};

    struct SnapshotId {
        int64_t end_offset = 0;
        int32_t epoch = 0;

        static void fields(auto& self, auto& v) {
            v("end_offset", self.end_offset);
            v("epoch", self.epoch);
        }
    };

    struct Partition {
        int32_t partition = 0;
        int32_t current_leader_epoch = 0;
        SnapshotId snapshot_id;
        int64_t position = 0;
        Uuid replica_directory_id;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("current_leader_epoch", self.current_leader_epoch);
            v("snapshot_id", self.snapshot_id);
            v("position", self.position);
            v("replica_directory_id", self.replica_directory_id, tag(0, since(1)));
        }
    };

    struct Topic {
        String name;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partitions", self.partitions);
        }
    };

    Nullable<String> cluster_id;
    int32_t replica_id = -1;
    int32_t max_bytes = INT32_MAX;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("replica_id", self.replica_id);
        v("max_bytes", self.max_bytes);
        v("topics", self.topics);
        v("cluster_id", self.cluster_id, tag(0, since(0)));
    }
};

struct FetchSnapshotResponse {
    static constexpr Api api = FetchSnapshotRequest::api;

    struct SnapshotId {
        int64_t end_offset = 0;
        int32_t epoch = 0;

        static void fields(auto& self, auto& v) {
            v("end_offset", self.end_offset);
            v("epoch", self.epoch);
        }
    };

    struct LeaderIdAndEpoch {
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;

        bool operator==(const LeaderIdAndEpoch&) const = default;
        static void fields(auto& self, auto& v) {
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
        }
    };

    struct Partition {
        int32_t index = 0;
        Error error_code = Error::none;
        SnapshotId snapshot_id;
        LeaderIdAndEpoch current_leader;
        int64_t size = 0;
        int64_t position = 0;
        Records unaligned_records;

        static void fields(auto& self, auto& v) {
            v("index", self.index);
            v("error_code", self.error_code);
            v("snapshot_id", self.snapshot_id);
            v("size", self.size);
            v("position", self.position);
            v("unaligned_records", self.unaligned_records);
            v("current_leader", self.current_leader, tag(0, since(0)));
        }
    };

    struct Topic {
        String name;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
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

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Topic> topics;
    List<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("topics", self.topics);
        v("node_endpoints", self.node_endpoints, tag(0, since(1)));
    }
};

}  // namespace millrace::wire
