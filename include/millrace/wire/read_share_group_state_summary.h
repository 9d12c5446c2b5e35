// ReadShareGroupStateSummary (key 87): where share partitions start (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ReadShareGroupStateSummaryRequest {
    static constexpr Api api{.key = 87, .name = "ReadShareGroupStateSummary", .versions = {0, 1}};

    struct Partition {
        int32_t partition = 0;
        int32_t leader_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("leader_epoch", self.leader_epoch);
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

    String group_id;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("topics", self.topics);
    }
};

struct ReadShareGroupStateSummaryResponse {
    static constexpr Api api = ReadShareGroupStateSummaryRequest::api;

    struct Partition {
        int32_t partition = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;
        int32_t state_epoch = 0;
        int32_t leader_epoch = 0;
        int64_t start_offset = 0;
        int32_t delivery_complete_count = -1;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("state_epoch", self.state_epoch);
            v("leader_epoch", self.leader_epoch);
            v("start_offset", self.start_offset);
            v("delivery_complete_count", self.delivery_complete_count, since(1));
        }
    };

    struct Result {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    List<Result> results;

    static void fields(auto& self, auto& v) { v("results", self.results); }
};

}  // namespace millrace::wire
