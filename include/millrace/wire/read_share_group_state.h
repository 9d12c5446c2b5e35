// ReadShareGroupState (key 84): the state of share partitions (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ReadShareGroupStateRequest {
    static constexpr Api api{.key = 84, .name = "ReadShareGroupState", .versions = {0, 0}};

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

struct ReadShareGroupStateResponse {
    static constexpr Api api = ReadShareGroupStateRequest::api;

    struct StateBatch {
        int64_t first_offset = 0;
        int64_t last_offset = 0;
        int8_t delivery_state = 0;
        int16_t delivery_count = 0;

        static void fields(auto& self, auto& v) {
            v("first_offset", self.first_offset);
            v("last_offset", self.last_offset);
            v("delivery_state", self.delivery_state);
            v("delivery_count", self.delivery_count);
        }
    };

    struct Partition {
        int32_t partition = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;
        int32_t state_epoch = 0;
        int64_t start_offset = 0;
        List<StateBatch> state_batches;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("state_epoch", self.state_epoch);
            v("start_offset", self.start_offset);
            v("state_batches", self.state_batches);
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
