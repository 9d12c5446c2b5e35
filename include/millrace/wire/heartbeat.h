// Heartbeat (key 12): a member of a classic group is alive.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct HeartbeatRequest {
    static constexpr Api api{.key = 12, .name = "Heartbeat", .versions = {0, 4}, .flexible_since = 4};

    String group_id;
    int32_t generation_id = 0;
    String member_id;
    Nullable<String> group_instance_id;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("generation_id", self.generation_id);
        v("member_id", self.member_id);
        v("group_instance_id", self.group_instance_id, since(3));
    }
};

struct HeartbeatResponse {
    static constexpr Api api = HeartbeatRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("error_code", self.error_code);
    }
};

}  // namespace millrace::wire
