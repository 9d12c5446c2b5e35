// Produce (key 0): appends record batches to partitions; with acks=0 there is no response.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ProduceRequest {
    static constexpr Api api{.key = 0, .name = "Produce", .versions = {3, 13}, .flexible_since = 9};

    struct Partition {
        int32_t index = 0;
        Nullable<Records> records = Records{};

        static void fields(auto& self, auto& v) {
            v("index", self.index);
            v("records", self.records);
        }
    };

    struct Topic {
        String name;
        Uuid topic_id;
        List<Partition> partition_data;

        static void fields(auto& self, auto& v) {
            v("name", self.name, until(12));
            v("topic_id", self.topic_id, since(13));
            v("partition_data", self.partition_data);
        }
    };

    Nullable<String> transactional_id;
    int16_t acks = 0;
    int32_t timeout_ms = 0;
    List<Topic> topic_data;

    static void fields(auto& self, auto& v) {
        v("transactional_id", self.transactional_id);
        v("acks", self.acks);
        v("timeout_ms", self.timeout_ms);
        v("topic_data", self.topic_data);
    }
};

struct ProduceResponse {
    static constexpr Api api = ProduceRequest::api;

    struct RecordError {
        int32_t batch_index = 0;
        Nullable<String> batch_index_error_message;

        static void fields(auto& self, auto& v) {
            v("batch_index", self.batch_index);
            v("batch_index_error_message", self.batch_index_error_message);
        }
    };

    struct LeaderIdAndEpoch {
        int32_t leader_id = -1;
        int32_t leader_epoch = -1;

        bool operator==(const LeaderIdAndEpoch&) const = default;
        static void fields(auto& self, auto& v) {
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
        }
    };

    struct Partition {
        int32_t index = 0;
        Error error_code = Error::none;
        int64_t base_offset = 0;
        int64_t log_append_time_ms = -1;
        int64_t log_start_offset = -1;
        List<RecordError> record_errors;
        Nullable<String> error_message;
        LeaderIdAndEpoch current_leader;

        static void fields(auto& self, auto& v) {
            v("index", self.index);
            v("error_code", self.error_code);
            v("base_offset", self.base_offset);
            v("log_append_time_ms", self.log_append_time_ms);
            v("log_start_offset", self.log_start_offset, since(5));
            v("record_errors", self.record_errors, since(8));
            v("error_message", self.error_message, since(8));
            v("current_leader", self.current_leader, tag(0, since(10)));
        }
    };

    struct Topic {
        String name;
        Uuid topic_id;
        List<Partition> partition_responses;

        static void fields(auto& self, auto& v) {
            v("name", self.name, until(12));
            v("topic_id", self.topic_id, since(13));
            v("partition_responses", self.partition_responses);
        }
    };

    struct NodeEndpoint {
        int32_t node_id = 0;
        String host;
        int32_t port = 0;
        Nullable<String> rack;

        static void fields(auto& self, auto& v) {
            v("node_id", self.node_id);
            v("host", self.host);
            v("port", self.port);
            v("rack", self.rack);
        }
    };

    List<Topic> responses;
    int32_t throttle_time_ms = 0;
    List<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& v) {
        v("responses", self.responses);
        v("throttle_time_ms", self.throttle_time_ms);
        v("node_endpoints", self.node_endpoints, tag(0, since(10)));
    }
};

}  // namespace millrace::wire
