// SaslHandshake (key 17): chooses the SASL mechanism.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct SaslHandshakeRequest {
    static constexpr Api api{.key = 17, .name = "SaslHandshake", .versions = {0, 1}, .flexible_since = never};

    String mechanism;

    static void fields(auto& self, auto& v) { v("mechanism", self.mechanism); }
};

struct SaslHandshakeResponse {
    static constexpr Api api = SaslHandshakeRequest::api;

    Error error_code = Error::none;
    List<String> mechanisms;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("mechanisms", self.mechanisms);
    }
};

}  // namespace millrace::wire
