// ListOffsets (key 2): the first, the last, or the first offset at or after a time, per partition.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ListOffsetsRequest {
    static constexpr Api api{.key = 2, .name = "ListOffsets", .versions = {1, 11}, .flexible_since = 6};

    struct Partition {
        int32_t partition_index = 0;
        int32_t current_leader_epoch = -1;
        int64_t timestamp = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("current_leader_epoch", self.current_leader_epoch, since(4));
            v("timestamp", self.timestamp);
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

    int32_t replica_id = 0;
    int8_t isolation_level = 0;
    List<Topic> topics;
    int32_t timeout_ms = 0;

    static void fields(auto& self, auto& v) {
        v("replica_id", self.replica_id);
        v("isolation_level", self.isolation_level, since(2));
        v("topics", self.topics);
        v("timeout_ms", self.timeout_ms, since(10));
    }
};

struct ListOffsetsResponse {
    static constexpr Api api = ListOffsetsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        int64_t timestamp = -1;
        int64_t offset = -1;
        int32_t leader_epoch = -1;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("timestamp", self.timestamp);
            v("offset", self.offset);
            v("leader_epoch", self.leader_epoch, since(4));
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

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(2));
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
