// DescribeClientQuotas (key 48): quotas that match a filter.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeClientQuotasRequest {
    static constexpr Api api{
        .key = 48, .name = "DescribeClientQuotas", .versions = {0, 1}, .flexible_since = 1};

    struct Component {
        String entity_type;
        int8_t match_type = 0;
        Nullable<String> match = "";

        static void fields(auto& self, auto& v) {
            v("entity_type", self.entity_type);
            v("match_type", self.match_type);
            v("match", self.match);
        }
    };

    List<Component> components;
    bool strict = false;

    static void fields(auto& self, auto& v) {
        v("components", self.components);
        v("strict", self.strict);
    }
};

struct DescribeClientQuotasResponse {
    static constexpr Api api = DescribeClientQuotasRequest::api;

    struct Entity {
        String entity_type;
        Nullable<String> entity_name = "";

        static void fields(auto& self, auto& v) {
            v("entity_type", self.entity_type);
            v("entity_name", self.entity_name);
        }
    };

    struct Value {
        String key;
        double value = 0;

        static void fields(auto& self, auto& v) {
            v("key", self.key);
            v("value", self.value);
        }
    };

    struct Entry {
        List<Entity> entity;
        List<Value> values;

        static void fields(auto& self, auto& v) {
            v("entity", self.entity);
            v("values", self.values);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    Nullable<List<Entry>> entries = List<Entry>{};

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("entries", self.entries);
    }
};

}  // namespace millrace::wire
