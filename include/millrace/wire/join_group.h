// JoinGroup (key 11): a member enters or re-enters a classic group.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct JoinGroupRequest {
    static constexpr Api api{.key = 11, .name = "JoinGroup", .versions = {0, 9}, .flexible_since = 6};

    struct Protocol {
        String name;
        Bytes metadata;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("metadata", self.metadata);
        }
    };

    String group_id;
    int32_t session_timeout_ms = 0;
    int32_t rebalance_timeout_ms = -1;
    String member_id;
    Nullable<String> group_instance_id;
    String protocol_type;
    List<Protocol> protocols;
    Nullable<String> reason;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id);
        v("session_timeout_ms", self.session_timeout_ms);
        v("rebalance_timeout_ms", self.rebalance_timeout_ms, since(1));
        v("member_id", self.member_id);
        v("group_instance_id", self.group_instance_id, since(5));
        v("protocol_type", self.protocol_type);
        v("protocols", self.protocols);
        v("reason", self.reason, since(8));
    }
};

struct JoinGroupResponse {
    static constexpr Api api = JoinGroupRequest::api;

    struct Member {
        String member_id;
        Nullable<String> group_instance_id;
        Bytes metadata;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("group_instance_id", self.group_instance_id, since(5));
            v("metadata", self.metadata);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    int32_t generation_id = -1;
    Nullable<String> protocol_type;
    Nullable<String> protocol_name = "";
    String leader;
    bool skip_assignment = false;
    String member_id;
    List<Member> members;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(2));
        v("error_code", self.error_code);
        v("generation_id", self.generation_id);
        v("protocol_type", self.protocol_type, since(7));
        v("protocol_name", self.protocol_name, since(0).null_since(7));
        v("leader", self.leader);
        v("skip_assignment", self.skip_assignment, since(9));
        v("member_id", self.member_id);
        v("members", self.members);
    }
};

}  // namespace millrace::wire
