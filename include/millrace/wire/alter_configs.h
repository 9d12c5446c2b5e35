// AlterConfigs (key 33): replaces the configuration of resources as a whole.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterConfigsRequest {
    static constexpr Api api{.key = 33, .name = "AlterConfigs", .versions = {0, 2}, .flexible_since = 2};

    struct Config {
        String name;
        Nullable<String> value = "";

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("value", self.value);
        }
    };

    struct Resource {
        int8_t resource_type = 0;
        String resource_name;
        List<Config> configs;

        static void fields(auto& self, auto& v) {
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
            v("configs", self.configs);
        }
    };

    List<Resource> resources;
    bool validate_only = false;

    static void fields(auto& self, auto& v) {
        v("resources", self.resources);
        v("validate_only", self.validate_only);
    }
};

struct AlterConfigsResponse {
    static constexpr Api api = AlterConfigsRequest::api;

    struct Resource {
        Error error_code = Error::none;
        Nullable<String> error_message;
        int8_t resource_type = 0;
        String resource_name;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Resource> responses;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("responses", self.responses);
    }
};

}  // namespace millrace::wire
