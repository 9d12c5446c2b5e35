// CreateTopics (key 19): creates topics.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct CreateTopicsRequest {
    static constexpr Api api{.key = 19, .name = "CreateTopics", .versions = {2, 7}, .flexible_since = 5};

    struct Assignment {
        int32_t partition_index = 0;
        List<int32_t> broker_ids;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("broker_ids", self.broker_ids);
        }
    };

    struct Config {
        String name;
        Nullable<String> value = "";

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("value", self.value);
        }
    };

    struct Topic {
        String name;
        int32_t num_partitions = 0;
        int16_t replication_factor = 0;
        List<Assignment> assignments;
        List<Config> configs;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("num_partitions", self.num_partitions);
            v("replication_factor", self.replication_factor);
            v("assignments", self.assignments);
            v("configs", self.configs);
        }
    };

    List<Topic> topics;
    int32_t timeout_ms = 60000;
    bool validate_only = false;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics);
        v("timeout_ms", self.timeout_ms);
        v("validate_only", self.validate_only);
    }
};

struct CreateTopicsResponse {
    static constexpr Api api = CreateTopicsRequest::api;

    struct Config {
        String name;
        Nullable<String> value = "";
        bool read_only = false;
        int8_t config_source = -1;
        bool is_sensitive = false;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("value", self.value);
            v("read_only", self.read_only);
            v("config_source", self.config_source);
            v("is_sensitive", self.is_sensitive);
        }
    };

    struct Topic {
        String name;
        Uuid topic_id;
        Error error_code = Error::none;
        Nullable<String> error_message;
        Error topic_config_error_code = Error::none;
        int32_t num_partitions = -1;
        int16_t replication_factor = -1;
        Nullable<List<Config>> configs = List<Config>{};

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("topic_id", self.topic_id, since(7));
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("num_partitions", self.num_partitions, since(5));
            v("replication_factor", self.replication_factor, since(5));
            v("configs", self.configs, since(5));
            v("topic_config_error_code", self.topic_config_error_code, tag(0, since(5)));
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
