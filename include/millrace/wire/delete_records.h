// DeleteRecords (key 21): moves the start of partitions forward.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DeleteRecordsRequest {
    static constexpr Api api{.key = 21, .name = "DeleteRecords", .versions = {0, 2}, .flexible_since = 2};

    struct Partition {
        int32_t partition_index = 0;
        int64_t offset = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("offset", self.offset);
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

    List<Topic> topics;
    int32_t timeout_ms = 0;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics);
        v("timeout_ms", self.timeout_ms);
    }
};

struct DeleteRecordsResponse {
    static constexpr Api api = DeleteRecordsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        int64_t low_watermark = 0;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("low_watermark", self.low_watermark);
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

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
