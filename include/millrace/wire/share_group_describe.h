// ShareGroupDescribe (key 77): state and members of share groups (KIP-932).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ShareGroupDescribeRequest {
    static constexpr Api api{.key = 77, .name = "ShareGroupDescribe", .versions = {1, 1}};

    List<String> group_ids;
    bool include_authorized_operations = false;

    static void fields(auto& self, auto& v) {
        v("group_ids", self.group_ids);
        v("include_authorized_operations", self.include_authorized_operations);
    }
};

struct ShareGroupDescribeResponse {
    static constexpr Api api = ShareGroupDescribeRequest::api;

    struct TopicPartitions {
        Uuid topic_id;
        String topic_name;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("topic_name", self.topic_name);
            v("partitions", self.partitions);
        }
    };

    struct Assignment {
        List<TopicPartitions> topic_partitions;

        static void fields(auto& self, auto& v) { v("topic_partitions", self.topic_partitions); }
    };

    struct Member {
        String member_id;
        Nullable<String> rack_id;
        int32_t member_epoch = 0;
        String client_id;
        String client_host;
        List<String> subscribed_topic_names;
        Assignment assignment;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("rack_id", self.rack_id);
            v("member_epoch", self.member_epoch);
            v("client_id", self.client_id);
            v("client_host", self.client_host);
            v("subscribed_topic_names", self.subscribed_topic_names);
            v("assignment", self.assignment);
        }
    };

    struct Group {
        Error error_code = Error::none;
        Nullable<String> error_message;
        String group_id;
        String group_state;
        int32_t group_epoch = 0;
        int32_t assignment_epoch = 0;
        String assignor_name;
        List<Member> members;
        int32_t authorized_operations = INT32_MIN;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("group_id", self.group_id);
            v("group_state", self.group_state);
            v("group_epoch", self.group_epoch);
            v("assignment_epoch", self.assignment_epoch);
            v("assignor_name", self.assignor_name);
            v("members", self.members);
            v("authorized_operations", self.authorized_operations);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Group> groups;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("groups", self.groups);
    }
};

}  // namespace millrace::wire
