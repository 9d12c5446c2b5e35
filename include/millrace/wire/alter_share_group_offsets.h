// AlterShareGroupOffsets (key 91): sets start offsets of a share group (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterShareGroupOffsetsRequest {
    static constexpr Api api{.key = 91, .name = "AlterShareGroupOffsets", .versions = {0, 0}};

    struct Partition {
        int32_t partition_index = 0;
        int64_t start_offset = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("start_offset", self.start_offset);
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

    String group_id;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("topics", self.topics);
    }
};

struct AlterShareGroupOffsetsResponse {
    static constexpr Api api = AlterShareGroupOffsetsRequest::api;

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
        String topic_name;
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    List<Topic> responses;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("responses", self.responses);
    }
};

}  // namespace millrace::wire
