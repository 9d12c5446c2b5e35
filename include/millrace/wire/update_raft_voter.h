// UpdateRaftVoter (key 82): a voter announces its endpoints (KIP-853).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct UpdateRaftVoterRequest {
    static constexpr Api api{.key = 82, .name = "UpdateRaftVoter", .versions = {0, 0}};

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

    struct KraftVersionFeature {
        int16_t min_supported_version = 0;
        int16_t max_supported_version = 0;

        static void fields(auto& self, auto& v) {
            v("min_supported_version", self.min_supported_version);
            v("max_supported_version", self.max_supported_version);
        }
    };

    Nullable<String> cluster_id = "";
    int32_t current_leader_epoch = 0;
    int32_t voter_id = 0;
    Uuid voter_directory_id;
    List<Listener> listeners;
    KraftVersionFeature kraft_version_feature;

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id);
        v("current_leader_epoch", self.current_leader_epoch);
        v("voter_id", self.voter_id);
        v("voter_directory_id", self.voter_directory_id);
        v("listeners", self.listeners);
        v("kraft_version_feature", self.kraft_version_feature);
    }
};

struct UpdateRaftVoterResponse {
    static constexpr Api api = UpdateRaftVoterRequest::api;

    struct CurrentLeader {
        int32_t leader_id = -1;
        int32_t leader_epoch = -1;
        String host;
        int32_t port = 0;

        bool operator==(const CurrentLeader&) const = default;
        static void fields(auto& self, auto& v) {
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
            v("host", self.host);
            v("port", self.port);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    CurrentLeader current_leader;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("current_leader", self.current_leader, tag(0, since(0)));
    }
};

}  // namespace millrace::wire
