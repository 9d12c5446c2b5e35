// DescribeConfigs (key 32): configuration of topics, brokers and groups.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeConfigsRequest {
    static constexpr Api api{.key = 32, .name = "DescribeConfigs", .versions = {1, 4}, .flexible_since = 4};

    struct Resource {
        int8_t resource_type = 0;
        String resource_name;
        Nullable<List<String>> configuration_keys = List<String>{};

        static void fields(auto& self, auto& v) {
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
            v("configuration_keys", self.configuration_keys);
        }
    };

    List<Resource> resources;
    bool include_synonyms = false;
    bool include_documentation = false;

    static void fields(auto& self, auto& v) {
        v("resources", self.resources);
        v("include_synonyms", self.include_synonyms);
        v("include_documentation", self.include_documentation, since(3));
    }
};

struct DescribeConfigsResponse {
    static constexpr Api api = DescribeConfigsRequest::api;

    struct Synonym {
        String name;
        Nullable<String> value = "";
        int8_t source = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("value", self.value);
            v("source", self.source);
        }
    };

    struct Config {
        String name;
        Nullable<String> value = "";
        bool read_only = false;
        int8_t config_source = -1;
        bool is_sensitive = false;
        List<Synonym> synonyms;
        int8_t config_type = 0;
        Nullable<String> documentation = "";

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("value", self.value);
            v("read_only", self.read_only);
            v("config_source", self.config_source);
            v("is_sensitive", self.is_sensitive);
            v("synonyms", self.synonyms);
            v("config_type", self.config_type, since(3));
            v("documentation", self.documentation, since(3));
        }
    };

    struct Result {
        Error error_code = Error::none;
        Nullable<String> error_message;
        int8_t resource_type = 0;
        String resource_name;
        List<Config> configs;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("resource_type", self.resource_type);
            v("resource_name", self.resource_name);
            v("configs", self.configs);
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
