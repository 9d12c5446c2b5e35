// RenewDelegationToken (key 39): prolongs a delegation token.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct RenewDelegationTokenRequest {
    static constexpr Api api{
        .key = 39, .name = "RenewDelegationToken", .versions = {1, 2}, .flexible_since = 2};

    Bytes hmac;
    int64_t renew_period_ms = 0;

    static void fields(auto& self, auto& v) {
        v("hmac", self.hmac);
        v("renew_period_ms", self.renew_period_ms);
    }
};

struct RenewDelegationTokenResponse {
    static constexpr Api api = RenewDelegationTokenRequest::api;

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
