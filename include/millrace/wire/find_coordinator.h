// FindCoordinator (key 10): which broker coordinates a group, a transaction or a share group.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct FindCoordinatorRequest {
    static constexpr Api api{.key = 10, .name = "FindCoordinator", .versions = {0, 6}, .flexible_since = 3};

    String key;
    int8_t key_type = 0;
    List<String> coordinator_keys;

    static void fields(auto& self, auto& v) {
        v("key", self.key, until(3));
        v("key_type", self.key_type, since(1));
        v("coordinator_keys", self.coordinator_keys, since(4));
    }
};

struct FindCoordinatorResponse {
    static constexpr Api api = FindCoordinatorRequest::api;

    struct Coordinator {
        String key;
        int32_t node_id = 0;
        String host;
        int32_t port = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("key", self.key);
            v("node_id", self.node_id);
            v("host", self.host);
            v("port", self.port);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    int32_t node_id = 0;
    String host;
    int32_t port = 0;
    List<Coordinator> coordinators;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("error_code", self.error_code, until(3));
        v("error_message", self.error_message, between(1, 3));
        v("node_id", self.node_id, until(3));
        v("host", self.host, until(3));
        v("port", self.port, until(3));
        v("coordinators", self.coordinators, since(4));
    }
};

}  // namespace millrace::wire
