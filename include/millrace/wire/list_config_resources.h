// ListConfigResources (key 74): the names of resources that can be configured.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ListConfigResourcesRequest {
    static constexpr Api api{.key = 74, .name = "ListConfigResources", .versions = {0, 1}};

    List<int8_t> resource_types;

    static void fields(auto& self, auto& v) { v("resource_types", self.resource_types, since(1)); }
};

struct ListConfigResourcesResponse {
    static constexpr Api api = ListConfigResourcesRequest::api;

    struct ConfigResource {
        String resource_name;
        int8_t resource_type = 16;

        static void fields(auto& self, auto& v) {
            v("resource_name", self.resource_name);
            v("resource_type", self.resource_type, since(1));
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<ConfigResource> config_resources;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("config_resources", self.config_resources);
    }
};

}  // namespace millrace::wire
