// ListPartitionReassignments (key 46): moves of partitions that are under way.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ListPartitionReassignmentsRequest {
    static constexpr Api api{.key = 46, .name = "ListPartitionReassignments", .versions = {0, 0}};

    struct Topic {
        String name;
        List<int32_t> partition_indexes;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partition_indexes", self.partition_indexes);
        }
    };

    int32_t timeout_ms = 60000;
    Nullable<List<Topic>> topics;

    static void fields(auto& self, auto& v) {
        v("timeout_ms", self.timeout_ms);
        v("topics", self.topics);
    }
};

struct ListPartitionReassignmentsResponse {
    static constexpr Api api = ListPartitionReassignmentsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        List<int32_t> replicas;
        List<int32_t> adding_replicas;
        List<int32_t> removing_replicas;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("replicas", self.replicas);
            v("adding_replicas", self.adding_replicas);
            v("removing_replicas", self.removing_replicas);
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
    Error error_code = Error::none;
    Nullable<String> error_message;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
