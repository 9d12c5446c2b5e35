// PushTelemetry (key 72): metrics of a client (KIP-714).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct PushTelemetryRequest {
    static constexpr Api api{.key = 72, .name = "PushTelemetry", .versions = {0, 0}};

    Uuid client_instance_id;
    int32_t subscription_id = 0;
    bool terminating = false;
    int8_t compression_type = 0;
    Bytes metrics;

    static void fields(auto& self, auto& v) {
        v("client_instance_id", self.client_instance_id);
        v("subscription_id", self.subscription_id);
        v("terminating", self.terminating);
        v("compression_type", self.compression_type);
        v("metrics", self.metrics);
    }
};

struct PushTelemetryResponse {
    static constexpr Api api = PushTelemetryRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
    }
};

}  // namespace millrace::wire
