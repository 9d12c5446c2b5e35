// DeleteShareGroupState (key 86): deletes the state of share partitions (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DeleteShareGroupStateRequest {
    static constexpr Api api{.key = 86, .name = "DeleteShareGroupState", .versions = {0, 0}};

    struct Partition {
        int32_t partition = 0;

        static void fields(auto& self, auto& v) { v("partition", self.partition); }
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

struct DeleteShareGroupStateResponse {
    static constexpr Api api = DeleteShareGroupStateRequest::api;

    struct Partition {
        int32_t partition = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("partition", self.partition);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
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
