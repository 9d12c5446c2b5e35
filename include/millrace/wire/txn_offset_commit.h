// TxnOffsetCommit (key 28): stores the positions of a group when the transaction commits.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct TxnOffsetCommitRequest {
    static constexpr Api api{.key = 28, .name = "TxnOffsetCommit", .versions = {0, 5}, .flexible_since = 3};

    struct Partition {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;
        int32_t committed_leader_epoch = -1;
        Nullable<String> committed_metadata = "";

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("committed_offset", self.committed_offset);
            v("committed_leader_epoch", self.committed_leader_epoch, since(2));
            v("committed_metadata", self.committed_metadata);
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

    String transactional_id;
    String group_id;
    int64_t producer_id = 0;
    int16_t producer_epoch = 0;
    int32_t generation_id = -1;
    String member_id;
    Nullable<String> group_instance_id;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("transactional_id", self.transactional_id);
        v("group_id", self.group_id);
        v("producer_id", self.producer_id);
        v("producer_epoch", self.producer_epoch);
        v("generation_id", self.generation_id, since(3));
        v("member_id", self.member_id, since(3));
        v("group_instance_id", self.group_instance_id, since(3));
        v("topics", self.topics);
    }
};

struct TxnOffsetCommitResponse {
    static constexpr Api api = TxnOffsetCommitRequest::api;

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

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
