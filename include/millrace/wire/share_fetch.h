// ShareFetch (key 78): acquires records for a member of a share group (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ShareFetchRequest {
    static constexpr Api api{.key = 78, .name = "ShareFetch", .versions = {1, 2}};

    struct AcknowledgementBatch {
        int64_t first_offset = 0;
        int64_t last_offset = 0;
        List<int8_t> acknowledge_types;

        static void fields(auto& self, auto& v) {
            v("first_offset", self.first_offset);
            v("last_offset", self.last_offset);
            v("acknowledge_types", self.acknowledge_types);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        List<AcknowledgementBatch> acknowledgement_batches;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("acknowledgement_batches", self.acknowledgement_batches);
        }
    };

    struct Topic {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    struct ForgottenTopic {
        Uuid topic_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    Nullable<String> group_id;
    Nullable<String> member_id = "";
    int32_t share_session_epoch = 0;
    int32_t max_wait_ms = 0;
    int32_t min_bytes = 0;
    int32_t max_bytes = INT32_MAX;
    int32_t max_records = 0;
    int32_t batch_size = 0;
    int8_t share_acquire_mode = 0;
    bool is_renew_ack = false;
    List<Topic> topics;
    List<ForgottenTopic> forgotten_topics_data;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
        v("share_session_epoch", self.share_session_epoch);
        v("max_wait_ms", self.max_wait_ms);
        v("min_bytes", self.min_bytes);
        v("max_bytes", self.max_bytes);
        v("max_records", self.max_records);
        v("batch_size", self.batch_size);
        v("share_acquire_mode", self.share_acquire_mode, since(2));
        v("is_renew_ack", self.is_renew_ack, since(2));
        v("topics", self.topics);
        v("forgotten_topics_data", self.forgotten_topics_data);
    }
};

struct ShareFetchResponse {
    static constexpr Api api = ShareFetchRequest::api;

    struct LeaderIdAndEpoch {
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
        }
    };

    struct AcquiredRecords {
        int64_t first_offset = 0;
        int64_t last_offset = 0;
        int16_t delivery_count = 0;

        static void fields(auto& self, auto& v) {
            v("first_offset", self.first_offset);
            v("last_offset", self.last_offset);
            v("delivery_count", self.delivery_count);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;
        Error acknowledge_error_code = Error::none;
        Nullable<String> acknowledge_error_message;
        LeaderIdAndEpoch current_leader;
        Records records;
        List<AcquiredRecords> acquired_records;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("acknowledge_error_code", self.acknowledge_error_code);
            v("acknowledge_error_message", self.acknowledge_error_message);
            v("current_leader", self.current_leader);
            v("records", self.records);
            v("acquired_records", self.acquired_records);
        }
    };

    struct Topic {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
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

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    int32_t acquisition_lock_timeout_ms = 0;
    List<Topic> responses;
    List<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("acquisition_lock_timeout_ms", self.acquisition_lock_timeout_ms);
        v("responses", self.responses);
        v("node_endpoints", self.node_endpoints);
    }
};

}  // namespace millrace::wire
