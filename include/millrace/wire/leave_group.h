// LeaveGroup (key 13): members leave a classic group.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct LeaveGroupRequest {
    static constexpr Api api{.key = 13, .name = "LeaveGroup", .versions = {0, 5}, .flexible_since = 4};

    struct Member {
        String member_id;
        Nullable<String> group_instance_id;
        Nullable<String> reason;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("group_instance_id", self.group_instance_id);
            v("reason", self.reason, since(5));
        }
    };

    String group_id;
    String member_id;
    List<Member> members;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("member_id", self.member_id, until(2));
        v("members", self.members, since(3));
    }
};

struct LeaveGroupResponse {
    static constexpr Api api = LeaveGroupRequest::api;

    struct Member {
        String member_id;
        Nullable<String> group_instance_id = "";
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("group_instance_id", self.group_instance_id);
            v("error_code", self.error_code);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Member> members;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("error_code", self.error_code);
        v("members", self.members, since(3));
    }
};

}  // namespace millrace::wire
