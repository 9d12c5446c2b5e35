// DeleteShareGroupOffsets (key 92): deletes start offsets of a share group (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DeleteShareGroupOffsetsRequest {
    static constexpr Api api{.key = 92, .name = "DeleteShareGroupOffsets", .versions = {0, 0}};

    struct Topic {
        String topic_name;

        static void fields(auto& self, auto& v) { v("topic_name", self.topic_name); }
    };

    String group_id;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("topics", self.topics);
    }
};

struct DeleteShareGroupOffsetsResponse {
    static constexpr Api api = DeleteShareGroupOffsetsRequest::api;

    struct Topic {
        String topic_name;
        Uuid topic_id;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("topic_name", self.topic_name);
            v("topic_id", self.topic_id);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
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
