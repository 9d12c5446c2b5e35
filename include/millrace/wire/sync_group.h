// SyncGroup (key 14): the leader of a classic group hands out assignments; members fetch theirs.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct SyncGroupRequest {
    static constexpr Api api{.key = 14, .name = "SyncGroup", .versions = {0, 5}, .flexible_since = 4};

    struct Assignment {
        String member_id;
        Bytes assignment;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("assignment", self.assignment);
        }
    };

    String group_id;
    int32_t generation_id = 0;
    String member_id;
    Nullable<String> group_instance_id;
    Nullable<String> protocol_type;
    Nullable<String> protocol_name;
    List<Assignment> assignments;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("generation_id", self.generation_id);
        v("member_id", self.member_id);
        v("group_instance_id", self.group_instance_id, since(3));
        v("protocol_type", self.protocol_type, since(5));
        v("protocol_name", self.protocol_name, since(5));
        v("assignments", self.assignments);
    }
};

struct SyncGroupResponse {
    static constexpr Api api = SyncGroupRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> protocol_type;
    Nullable<String> protocol_name;
    Bytes assignment;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("error_code", self.error_code);
        v("protocol_type", self.protocol_type, since(5));
        v("protocol_name", self.protocol_name, since(5));
        v("assignment", self.assignment);
    }
};

}  // namespace millrace::wire
