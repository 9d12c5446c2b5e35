// BrokerHeartbeat (key 63): a broker keeps its registration alive.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct BrokerHeartbeatRequest {
    static constexpr Api api{.key = 63, .name = "BrokerHeartbeat", .versions = {0, 2}};

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;
    int64_t current_metadata_offset = 0;
    bool want_fence = false;
    bool want_shut_down = false;
    List<Uuid> offline_log_dirs;
    Nullable<List<Uuid>> cordoned_log_dirs;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
        v("current_metadata_offset", self.current_metadata_offset);
        v("want_fence", self.want_fence);
        v("want_shut_down", self.want_shut_down);
        v("offline_log_dirs", self.offline_log_dirs, tag(0, since(1)));
        v("cordoned_log_dirs", self.cordoned_log_dirs, tag(1, since(2)));
    }
};

struct BrokerHeartbeatResponse {
    static constexpr Api api = BrokerHeartbeatRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    bool is_caught_up = false;
    bool is_fenced = true;
    bool should_shut_down = false;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("is_caught_up", self.is_caught_up);
        v("is_fenced", self.is_fenced);
        v("should_shut_down", self.should_shut_down);
    }
};

}  // namespace millrace::wire
