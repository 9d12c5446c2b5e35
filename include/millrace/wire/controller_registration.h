// ControllerRegistration (key 70): a controller announces itself to the active one.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ControllerRegistrationRequest {
    static constexpr Api api{.key = 70, .name = "ControllerRegistration", .versions = {0, 0}};

    struct Listener {
        String name;
        String host;
        uint16_t port = 0;
        int16_t security_protocol = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
            v("security_protocol", self.security_protocol);
        }
    };

    struct Feature {
        String name;
        int16_t min_supported_version = 0;
        int16_t max_supported_version = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("min_supported_version", self.min_supported_version);
            v("max_supported_version", self.max_supported_version);
        }
    };

    int32_t controller_id = 0;
    Uuid incarnation_id;
    bool zk_migration_ready = false;
    List<Listener> listeners;
    List<Feature> features;

    static void fields(auto& self, auto& v) {
        v("controller_id", self.controller_id);
        v("incarnation_id", self.incarnation_id);
        v("zk_migration_ready", self.zk_migration_ready);
        v("listeners", self.listeners);
        v("features", self.features);
    }
};

struct ControllerRegistrationResponse {
    static constexpr Api api = ControllerRegistrationRequest::api;

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
