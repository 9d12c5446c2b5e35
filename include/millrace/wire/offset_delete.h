// OffsetDelete (key 47): deletes positions of a group.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct OffsetDeleteRequest {
    static constexpr Api api{.key = 47, .name = "OffsetDelete", .versions = {0, 0}, .flexible_since = never};

    struct Partition {
        int32_t partition_index = 0;

        static void fields(auto& self, auto& v) { v("partition_index", self.partition_index); }
    };

    struct Topic {
        String name;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partitions", self.partitions);
        }
    };

    String group_id;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("topics", self.topics);
    }
};

struct OffsetDeleteResponse {
    static constexpr Api api = OffsetDeleteRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
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

    Error error_code = Error::none;
    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
