// AlterReplicaLogDirs (key 34): moves replicas between the data directories of a broker.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterReplicaLogDirsRequest {
    static constexpr Api api{
        .key = 34, .name = "AlterReplicaLogDirs", .versions = {1, 2}, .flexible_since = 2};

    struct Topic {
        String name;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partitions", self.partitions);
        }
    };

    struct Dir {
        String path;
        List<Topic> topics;

        static void fields(auto& self, auto& v) {
            v("path", self.path);
            v("topics", self.topics);
        }
    };

    List<Dir> dirs;

    static void fields(auto& self, auto& v) { v("dirs", self.dirs); }
};

struct AlterReplicaLogDirsResponse {
    static constexpr Api api = AlterReplicaLogDirsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
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

    int32_t throttle_time_ms = 0;
    List<Topic> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("results", self.results);
    }
};

}  // namespace millrace::wire
