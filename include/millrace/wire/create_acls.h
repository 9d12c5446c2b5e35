// CreateAcls (key 30): adds access rules.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct CreateAclsRequest {
    static constexpr Api api{.key = 30, .name = "CreateAcls", .versions = {1, 3}, .flexible_since = 2};

    struct Creation {
        int8_t resource_type = 0;
        String resource_name;
        int8_t resource_pattern_type = 3;
        String principal;
        String host;
        int8_t operation = 0;
        int8_t permission_type = 0;

        static void fields(auto& self, auto& v) {
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
            v("resource_pattern_type", self.resource_pattern_type);
            v("principal", self.principal);
            v("host", self.host);
            v("operation", self.operation);
            v("permission_type", self.permission_type);
        }
    };

    List<Creation> creations;

    static void fields(auto& self, auto& v) { v("creations", self.creations); }
};

struct CreateAclsResponse {
    static constexpr Api api = CreateAclsRequest::api;

    struct Result {
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Result> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("results", self.results);
    }
};

}  // namespace millrace::wire
