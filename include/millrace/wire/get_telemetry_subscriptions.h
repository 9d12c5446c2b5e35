// GetTelemetrySubscriptions (key 71): which metrics a client shall send (KIP-714).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct GetTelemetrySubscriptionsRequest {
    static constexpr Api api{.key = 71, .name = "GetTelemetrySubscriptions", .versions = {0, 0}};

    Uuid client_instance_id;

    static void fields(auto& self, auto& v) { v("client_instance_id", self.client_instance_id); }
};

struct GetTelemetrySubscriptionsResponse {
    static constexpr Api api = GetTelemetrySubscriptionsRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Uuid client_instance_id;
    int32_t subscription_id = 0;
    List<int8_t> accepted_compression_types;
    int32_t push_interval_ms = 0;
    int32_t telemetry_max_bytes = 0;
    bool delta_temporality = false;
    List<String> requested_metrics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("client_instance_id", self.client_instance_id);
        v("subscription_id", self.subscription_id);
        v("accepted_compression_types", self.accepted_compression_types);
        v("push_interval_ms", self.push_interval_ms);
        v("telemetry_max_bytes", self.telemetry_max_bytes);
        v("delta_temporality", self.delta_temporality);
        v("requested_metrics", self.requested_metrics);
    }
};

}  // namespace millrace::wire
