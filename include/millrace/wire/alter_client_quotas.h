// AlterClientQuotas (key 49): sets and removes quotas.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterClientQuotasRequest {
    static constexpr Api api{.key = 49, .name = "AlterClientQuotas", .versions = {0, 1}, .flexible_since = 1};

    struct Entity {
        String entity_type;
        Nullable<String> entity_name = "";

        static void fields(auto& self, auto& v) {
            v("entity_type", self.entity_type);
            v("entity_name", self.entity_name);
        }
    };

    struct Op {
        String key;
        double value = 0;
        bool remove = false;

        static void fields(auto& self, auto& v) {
            v("key", self.key);
            v("value", self.value);
            v("remove", self.remove);
        }
    };

    struct Entry {
        List<Entity> entity;
        List<Op> ops;

        static void fields(auto& self, auto& v) {
            v("entity", self.entity);
            v("ops", self.ops);
        }
    };

    List<Entry> entries;
    bool validate_only = false;

    static void fields(auto& self, auto& v) {
        v("entries", self.entries);
        v("validate_only", self.validate_only);
    }
};

struct AlterClientQuotasResponse {
    static constexpr Api api = AlterClientQuotasRequest::api;

    struct Entity {
        String entity_type;
        Nullable<String> entity_name = "";

        static void fields(auto& self, auto& v) {
            v("entity_type", self.entity_type);
            v("entity_name", self.entity_name);
        }
    };

    struct Entry {
        Error error_code = Error::none;
        Nullable<String> error_message;
        List<Entity> entity;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("entity", self.entity);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Entry> entries;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("entries", self.entries);
    }
};

}  // namespace millrace::wire
