// RemoveRaftVoter (key 81): removes a voter from the KRaft quorum (KIP-853).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct RemoveRaftVoterRequest {
    static constexpr Api api{.key = 81, .name = "RemoveRaftVoter", .versions = {0, 0}};

    Nullable<String> cluster_id = "";
    int32_t voter_id = 0;
    Uuid voter_directory_id;

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id);
        v("voter_id", self.voter_id);
        v("voter_directory_id", self.voter_directory_id);
    }
};

struct RemoveRaftVoterResponse {
    static constexpr Api api = RemoveRaftVoterRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
    }
};

}  // namespace millrace::wire
