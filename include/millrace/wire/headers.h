// What stands before the body of every request and response.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct RequestHeader {
    static constexpr Api api{.key = -1, .name = "RequestHeader", .versions = {1, 2}, .flexible_since = 2};

    int16_t request_api_key = 0;
    int16_t request_api_version = 0;
    int32_t correlation_id = 0;
    Nullable<String> client_id = "";

    static void fields(auto& self, auto& v) {
        v("request_api_key", self.request_api_key);
        v("request_api_version", self.request_api_version);
        v("correlation_id", self.correlation_id);
        v("client_id", self.client_id, since(1).classic());
    }
};

struct ResponseHeader {
    static constexpr Api api{.key = -1, .name = "ResponseHeader", .versions = {0, 1}, .flexible_since = 1};

    int32_t correlation_id = 0;

    static void fields(auto& self, auto& v) { v("correlation_id", self.correlation_id); }
};

}  // namespace millrace::wire
