// BrokerRegistration (key 62): a broker announces itself to the controller.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct BrokerRegistrationRequest {
    static constexpr Api api{.key = 62, .name = "BrokerRegistration", .versions = {0, 4}};

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

    int32_t broker_id = 0;
    String cluster_id;
    Uuid incarnation_id;
    List<Listener> listeners;
    List<Feature> features;
    Nullable<String> rack = "";
    bool is_migrating_zk_broker = false;
    List<Uuid> log_dirs;
    int64_t previous_broker_epoch = -1;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("cluster_id", self.cluster_id);
        v("incarnation_id", self.incarnation_id);
        v("listeners", self.listeners);
        v("features", self.features);
        v("rack", self.rack);
        v("is_migrating_zk_broker", self.is_migrating_zk_broker, since(1));
        v("log_dirs", self.log_dirs, since(2));
        v("previous_broker_epoch", self.previous_broker_epoch, since(3));
    }
};

struct BrokerRegistrationResponse {
    static constexpr Api api = BrokerRegistrationRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    int64_t broker_epoch = -1;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("broker_epoch", self.broker_epoch);
    }
};

}  // namespace millrace::wire
