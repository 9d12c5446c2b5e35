// AssignReplicasToDirs (key 73): tells the controller the data directories of replicas.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AssignReplicasToDirsRequest {
    static constexpr Api api{.key = 73, .name = "AssignReplicasToDirs", .versions = {0, 0}};

    struct Partition {
        int32_t partition_index = 0;

        static void fields(auto& self, auto& v) { v("partition_index", self.partition_index); }
    };

    struct Topic {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    struct Directory {
        Uuid id;
        List<Topic> topics;

        static void fields(auto& self, auto& v) {
            v("id", self.id);
            v("topics", self.topics);
        }
    };

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;
    List<Directory> directories;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
        v("directories", self.directories);
    }
};

struct AssignReplicasToDirsResponse {
    static constexpr Api api = AssignReplicasToDirsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
        }
    };

    struct Topic {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    struct Directory {
        Uuid id;
        List<Topic> topics;

        static void fields(auto& self, auto& v) {
            v("id", self.id);
            v("topics", self.topics);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Directory> directories;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("directories", self.directories);
    }
};

}  // namespace millrace::wire
