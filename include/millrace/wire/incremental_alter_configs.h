// IncrementalAlterConfigs (key 44): sets, deletes, appends to or subtracts from single configurations.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct IncrementalAlterConfigsRequest {
    static constexpr Api api{
        .key = 44, .name = "IncrementalAlterConfigs", .versions = {0, 1}, .flexible_since = 1};

    struct Config {
        String name;
        int8_t config_operation = 0;
        Nullable<String> value = "";

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("config_operation", self.config_operation);
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

struct IncrementalAlterConfigsResponse {
    static constexpr Api api = IncrementalAlterConfigsRequest::api;

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
