// DescribeAcls (key 29): access rules that match a filter.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeAclsRequest {
    static constexpr Api api{.key = 29, .name = "DescribeAcls", .versions = {1, 3}, .flexible_since = 2};

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

struct DescribeAclsResponse {
    static constexpr Api api = DescribeAclsRequest::api;

    struct Acl {
        String principal;
        String host;
        int8_t operation = 0;
        int8_t permission_type = 0;

        static void fields(auto& self, auto& v) {
            v("principal", self.principal);
            v("host", self.host);
            v("operation", self.operation);
            v("permission_type", self.permission_type);
        }
    };

    struct Resource {
        int8_t resource_type = 0;
        String resource_name;
        int8_t pattern_type = 3;
        List<Acl> acls;

        static void fields(auto& self, auto& v) {
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
            v("pattern_type", self.pattern_type);
            v("acls", self.acls);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    List<Resource> resources;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("resources", self.resources);
    }
};

}  // namespace millrace::wire
