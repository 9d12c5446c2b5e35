// UnregisterBroker (key 64): forgets a broker.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct UnregisterBrokerRequest {
    static constexpr Api api{.key = 64, .name = "UnregisterBroker", .versions = {0, 0}};

    int32_t broker_id = 0;

    static void fields(auto& self, auto& v) { v("broker_id", self.broker_id); }
};

struct UnregisterBrokerResponse {
    static constexpr Api api = UnregisterBrokerRequest::api;

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
