// DescribeShareGroupOffsets (key 90): start offsets of share groups (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeShareGroupOffsetsRequest {
    static constexpr Api api{.key = 90, .name = "DescribeShareGroupOffsets", .versions = {0, 1}};

    struct Topic {
        String topic_name;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("partitions", self.partitions);
        }
    };

    struct Group {
        String group_id;
        Nullable<List<Topic>> topics = List<Topic>{};

        static void fields(auto& self, auto& v) {
            v("group_id", self.group_id);
            v("topics", self.topics);
        }
    };

    List<Group> groups;

    static void fields(auto& self, auto& v) { v("groups", self.groups); }
};

struct DescribeShareGroupOffsetsResponse {
    static constexpr Api api = DescribeShareGroupOffsetsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        int64_t start_offset = 0;
        int32_t leader_epoch = 0;
        int64_t lag = -1;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("start_offset", self.start_offset);
            v("leader_epoch", self.leader_epoch);
            v("lag", self.lag, since(1));
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

    struct Group {
        String group_id;
        List<Topic> topics;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("group_id", self.group_id);
            v("topics", self.topics);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Group> groups;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("groups", self.groups);
    }
};

}  // namespace millrace::wire
