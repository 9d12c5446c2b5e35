// ShareGroupHeartbeat (key 76): the one call of members of a share group (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ShareGroupHeartbeatRequest {
    static constexpr Api api{.key = 76, .name = "ShareGroupHeartbeat", .versions = {1, 1}};

    String group_id;
    String member_id;
    int32_t member_epoch = 0;
    Nullable<String> rack_id;
    Nullable<List<String>> subscribed_topic_names;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id);
        v("member_epoch", self.member_epoch);
        v("rack_id", self.rack_id);
        v("subscribed_topic_names", self.subscribed_topic_names);
    }
};

struct ShareGroupHeartbeatResponse {
    static constexpr Api api = ShareGroupHeartbeatRequest::api;

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
