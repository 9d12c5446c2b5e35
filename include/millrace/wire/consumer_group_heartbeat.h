// ConsumerGroupHeartbeat (key 68): the one call of members of a consumer group (KIP-848).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ConsumerGroupHeartbeatRequest {
    static constexpr Api api{.key = 68, .name = "ConsumerGroupHeartbeat", .versions = {0, 1}};

    struct TopicPartitions {
        Uuid topic_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    String group_id;
    String member_id;
    int32_t member_epoch = 0;
    Nullable<String> instance_id;
    Nullable<String> rack_id;
    int32_t rebalance_timeout_ms = -1;
    Nullable<List<String>> subscribed_topic_names;
    Nullable<String> subscribed_topic_regex;
    Nullable<String> server_assignor;
    Nullable<List<TopicPartitions>> topic_partitions;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
        v("member_epoch", self.member_epoch);
        v("instance_id", self.instance_id);
        v("rack_id", self.rack_id);
        v("rebalance_timeout_ms", self.rebalance_timeout_ms);
        v("subscribed_topic_names", self.subscribed_topic_names);
        v("subscribed_topic_regex", self.subscribed_topic_regex, since(1));
        v("server_assignor", self.server_assignor);
        v("topic_partitions", self.topic_partitions);
    }
};

struct ConsumerGroupHeartbeatResponse {
    static constexpr Api api = ConsumerGroupHeartbeatRequest::api;

    struct TopicPartitions {
        Uuid topic_id;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    struct Assignment {
        List<TopicPartitions> topic_partitions;

        static void fields(auto& self, auto& v) { v("topic_partitions", self.topic_partitions); }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    Nullable<String> member_id;
    int32_t member_epoch = 0;
    int32_t heartbeat_interval_ms = 0;
    Nullable<Assignment> assignment;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("member_id", self.member_id);
        v("member_epoch", self.member_epoch);
        v("heartbeat_interval_ms", self.heartbeat_interval_ms);
        v("assignment", self.assignment);
    }
};

}  // namespace millrace::wire
