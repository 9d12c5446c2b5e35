// OffsetForLeaderEpoch (key 23): where a leader epoch ends in the log of a partition.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct OffsetForLeaderEpochRequest {
    static constexpr Api api{
        .key = 23, .name = "OffsetForLeaderEpoch", .versions = {2, 4}, .flexible_since = 4};

    struct Partition {
        int32_t partition = 0;
        int32_t current_leader_epoch = -1;
        int32_t leader_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("current_leader_epoch", self.current_leader_epoch);
            v("leader_epoch", self.leader_epoch);
        }
    };

    struct Topic {
        String topic;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    int32_t replica_id = -2;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("replica_id", self.replica_id, since(3));
        v("topics", self.topics);
    }
};

struct OffsetForLeaderEpochResponse {
    static constexpr Api api = OffsetForLeaderEpochRequest::api;

    struct Partition {
        Error error_code = Error::none;
        int32_t partition = 0;
        int32_t leader_epoch = -1;
        int64_t end_offset = -1;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("partition", self.partition);
            v("leader_epoch", self.leader_epoch);
            v("end_offset", self.end_offset);
        }
    };

    struct Topic {
        String topic;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
