// Envelope (key 58): a request that one broker forwards for a client.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct EnvelopeRequest {
    static constexpr Api api{.key = 58, .name = "Envelope", .versions = {0, 0}};

    Bytes request_data;
    Nullable<Bytes> request_principal = Bytes{};
    Bytes client_host_address;

    static void fields(auto& self, auto& v) {
        v("request_data", self.request_data);
        v("request_principal", self.request_principal);
        v("client_host_address", self.client_host_address);
    }
};

struct EnvelopeResponse {
    static constexpr Api api = EnvelopeRequest::api;

    Nullable<Bytes> response_data;
    Error error_code = Error::none;

    static void fields(auto& self, auto& v) {
        v("response_data", self.response_data);
        v("error_code", self.error_code);
    }
};

}  // namespace millrace::wire
