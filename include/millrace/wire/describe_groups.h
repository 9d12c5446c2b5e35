// DescribeGroups (key 15): state and members of classic groups.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeGroupsRequest {
    static constexpr Api api{.key = 15, .name = "DescribeGroups", .versions = {0, 6}, .flexible_since = 5};

    List<String> groups;
    bool include_authorized_operations = false;

    static void fields(auto& self, auto& v) {
        v("groups", self.groups);
        v("include_authorized_operations", self.include_authorized_operations, since(3));
    }
};

struct DescribeGroupsResponse {
    static constexpr Api api = DescribeGroupsRequest::api;

    struct Member {
        String member_id;
        Nullable<String> group_instance_id;
        String client_id;
        String client_host;
        Bytes member_metadata;
        Bytes member_assignment;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("group_instance_id", self.group_instance_id, since(4));
            v("client_id", self.client_id);
            v("client_host", self.client_host);
            v("member_metadata", self.member_metadata);
            v("member_assignment", self.member_assignment);
        }
    };

    struct Group {
        Error error_code = Error::none;
        Nullable<String> error_message;
        String group_id;
        String group_state;
        String protocol_type;
        String protocol_data;
        List<Member> members;
        int32_t authorized_operations = INT32_MIN;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("error_message", self.error_message, since(6));
            v("group_id", self.group_id);
            v("group_state", self.group_state);
            v("protocol_type", self.protocol_type);
            v("protocol_data", self.protocol_data);
            v("members", self.members);
            v("authorized_operations", self.authorized_operations, since(3));
        }
    };

    int32_t throttle_time_ms = 0;
    List<Group> groups;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("groups", self.groups);
    }
};

}  // namespace millrace::wire
