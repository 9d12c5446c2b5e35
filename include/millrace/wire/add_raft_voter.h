// AddRaftVoter (key 80): adds a voter to the KRaft quorum (KIP-853).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AddRaftVoterRequest {
    static constexpr Api api{.key = 80, .name = "AddRaftVoter", .versions = {0, 1}};

    struct Listener {
        String name;
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
        }
    };

    Nullable<String> cluster_id = "";
    int32_t timeout_ms = 0;
    int32_t voter_id = 0;
    Uuid voter_directory_id;
    List<Listener> listeners;
    bool ack_when_committed = true;

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id);
        v("timeout_ms", self.timeout_ms);
        v("voter_id", self.voter_id);
        v("voter_directory_id", self.voter_directory_id);
        v("listeners", self.listeners);
        v("ack_when_committed", self.ack_when_committed, since(1));
    }
};

struct AddRaftVoterResponse {
    static constexpr Api api = AddRaftVoterRequest::api;

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
