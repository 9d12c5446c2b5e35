// OffsetCommit (key 8): stores the positions of a group.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct OffsetCommitRequest {
    static constexpr Api api{.key = 8, .name = "OffsetCommit", .versions = {2, 10}, .flexible_since = 8};

    struct Partition {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;
        int32_t committed_leader_epoch = -1;
        Nullable<String> committed_metadata = "";

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("committed_offset", self.committed_offset);
            v("committed_leader_epoch", self.committed_leader_epoch, since(6));
            v("committed_metadata", self.committed_metadata);
        }
    };

    struct Topic {
        String name;
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name, until(9));
            v("topic_id", self.topic_id, since(10));
            v("partitions", self.partitions);
        }
    };

    String group_id;
    int32_t generation_id_or_member_epoch = -1;
    String member_id;
    Nullable<String> group_instance_id;
    int64_t retention_time_ms = -1;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("generation_id_or_member_epoch", self.generation_id_or_member_epoch);
        v("member_id", self.member_id);
        v("group_instance_id", self.group_instance_id, since(7));
        v("retention_time_ms", self.retention_time_ms, until(4));
        v("topics", self.topics);
    }
};

struct OffsetCommitResponse {
    static constexpr Api api = OffsetCommitRequest::api;

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
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name, until(9));
            v("topic_id", self.topic_id, since(10));
            v("partitions", self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(3));
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
