// DeleteAcls (key 31): removes the access rules that match filters.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DeleteAclsRequest {
    static constexpr Api api{.key = 31, .name = "DeleteAcls", .versions = {1, 3}, .flexible_since = 2};

    struct Filter {
        int8_t resource_type_filter = 0;
        Nullable<String> resource_name_filter = "";
        int8_t pattern_type_filter = 3;
        Nullable<String> principal_filter = "";
        Nullable<String> host_filter = "";
        int8_t operation = 0;
        int8_t permission_type = 0;

        static void fields(auto& self, auto& v) {
            v("resource_type_filter", self.resource_type_filter);
            v("resource_name_filter", self.resource_name_filter);
            v("pattern_type_filter", self.pattern_type_filter);
            v("principal_filter", self.principal_filter);
            v("host_filter", self.host_filter);
            v("operation", self.operation);
            v("permission_type", self.permission_type);
        }
    };

    List<Filter> filters;

    static void fields(auto& self, auto& v) { v("filters", self.filters); }
};

struct DeleteAclsResponse {
    static constexpr Api api = DeleteAclsRequest::api;

    struct MatchingAcl {
        Error error_code = Error::none;
        Nullable<String> error_message;
        int8_t resource_type = 0;
        String resource_name;
        int8_t pattern_type = 3;
        String principal;
        String host;
        int8_t operation = 0;
        int8_t permission_type = 0;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
            v("pattern_type", self.pattern_type);
            v("principal", self.principal);
            v("host", self.host);
            v("operation", self.operation);
            v("permission_type", self.permission_type);
        }
    };

    struct FilterResult {
        Error error_code = Error::none;
        Nullable<String> error_message;
        List<MatchingAcl> matching_acls;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("matching_acls", self.matching_acls);
        }
    };

    int32_t throttle_time_ms = 0;
    List<FilterResult> filter_results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("filter_results", self.filter_results);
    }
};

}  // namespace millrace::wire
