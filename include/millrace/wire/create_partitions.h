// CreatePartitions (key 37): gives topics more partitions.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct CreatePartitionsRequest {
    static constexpr Api api{.key = 37, .name = "CreatePartitions", .versions = {0, 3}, .flexible_since = 2};

    struct Assignment {
        List<int32_t> broker_ids;

        static void fields(auto& self, auto& v) { v("broker_ids", self.broker_ids); }
    };

    struct Topic {
        String name;
        int32_t count = 0;
        Nullable<List<Assignment>> assignments = List<Assignment>{};

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("count", self.count);
            v("assignments", self.assignments);
        }
    };

    List<Topic> topics;
    int32_t timeout_ms = 0;
    bool validate_only = false;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics);
        v("timeout_ms", self.timeout_ms);
        v("validate_only", self.validate_only);
    }
};

struct CreatePartitionsResponse {
    static constexpr Api api = CreatePartitionsRequest::api;

    struct Topic {
        String name;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("results", self.results);
    }
};

}  // namespace millrace::wire
