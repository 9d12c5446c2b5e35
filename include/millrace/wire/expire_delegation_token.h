// ExpireDelegationToken (key 40): shortens the life of a delegation token.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ExpireDelegationTokenRequest {
    static constexpr Api api{
        .key = 40, .name = "ExpireDelegationToken", .versions = {1, 2}, .flexible_since = 2};

    Bytes hmac;
    int64_t expiry_time_period_ms = 0;

    static void fields(auto& self, auto& v) {
        v("hmac", self.hmac);
        v("expiry_time_period_ms", self.expiry_time_period_ms);
    }
};

struct ExpireDelegationTokenResponse {
    static constexpr Api api = ExpireDelegationTokenRequest::api;

    Error error_code = Error::none;
    int64_t expiry_timestamp_ms = 0;
    int32_t throttle_time_ms = 0;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("expiry_timestamp_ms", self.expiry_timestamp_ms);
        v("throttle_time_ms", self.throttle_time_ms);
    }
};

}  // namespace millrace::wire
