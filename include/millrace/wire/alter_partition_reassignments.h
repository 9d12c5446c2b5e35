// AlterPartitionReassignments (key 45): moves partitions to other replicas, or cancels that.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterPartitionReassignmentsRequest {
    static constexpr Api api{.key = 45, .name = "AlterPartitionReassignments", .versions = {0, 1}};

    struct Partition {
        int32_t partition_index = 0;
        Nullable<List<int32_t>> replicas;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("replicas", self.replicas);
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

    int32_t timeout_ms = 60000;
    bool allow_replication_factor_change = true;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("timeout_ms", self.timeout_ms);
        v("allow_replication_factor_change", self.allow_replication_factor_change, since(1));
        v("topics", self.topics);
    }
};

struct AlterPartitionReassignmentsResponse {
    static constexpr Api api = AlterPartitionReassignmentsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
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
    bool allow_replication_factor_change = true;
    Error error_code = Error::none;
    Nullable<String> error_message;
    List<Topic> responses;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("allow_replication_factor_change", self.allow_replication_factor_change, since(1));
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("responses", self.responses);
    }
};

}  // namespace millrace::wire
