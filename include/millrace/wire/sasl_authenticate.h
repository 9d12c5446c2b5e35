// SaslAuthenticate (key 36): one step of a SASL exchange.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct SaslAuthenticateRequest {
    static constexpr Api api{.key = 36, .name = "SaslAuthenticate", .versions = {0, 2}, .flexible_since = 2};

    Bytes auth_bytes;

    static void fields(auto& self, auto& v) { v("auth_bytes", self.auth_bytes); }
};

struct SaslAuthenticateResponse {
    static constexpr Api api = SaslAuthenticateRequest::api;

    Error error_code = Error::none;
    Nullable<String> error_message;
    Bytes auth_bytes;
    int64_t session_lifetime_ms = 0;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("auth_bytes", self.auth_bytes);
        v("session_lifetime_ms", self.session_lifetime_ms, since(1));
    }
};

}  // namespace millrace::wire
