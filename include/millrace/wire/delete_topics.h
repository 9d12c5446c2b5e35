// DeleteTopics (key 20): deletes topics, by name or by id.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DeleteTopicsRequest {
    static constexpr Api api{.key = 20, .name = "DeleteTopics", .versions = {1, 6}, .flexible_since = 4};

    struct Topic {
        Nullable<String> name;
        Uuid topic_id;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("topic_id", self.topic_id);
        }
    };

    List<Topic> topics;
    List<String> topic_names;
    int32_t timeout_ms = 0;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics, since(6));
        v("topic_names", self.topic_names, until(5));
        v("timeout_ms", self.timeout_ms);
    }
};

struct DeleteTopicsResponse {
    static constexpr Api api = DeleteTopicsRequest::api;

    struct Topic {
        Nullable<String> name = "";
        Uuid topic_id;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("name", self.name, since(1).null_since(6));
            v("topic_id", self.topic_id, since(6));
            v("error_code", self.error_code);
            v("error_message", self.error_message, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> responses;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("responses", self.responses);
    }
};

}  // namespace millrace::wire
