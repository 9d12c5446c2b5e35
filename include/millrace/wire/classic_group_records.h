// __consumer_offsets: classic groups (type 2).
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct GroupMetadataKey {
    static constexpr Api api{
        .key = 2, .name = "GroupMetadataKey", .versions = {0, 0}, .flexible_since = never};

    String group;

    static void fields(auto& self, auto& v) { v("group", self.group); }
};

struct GroupMetadataValue {
    static constexpr Api api{.key = 2, .name = "GroupMetadataValue", .versions = {0, 4}, .flexible_since = 4};

    struct Member {
        String member_id;
        Nullable<String> group_instance_id;
        String client_id;
        String client_host;
        int32_t rebalance_timeout = -1;
        int32_t session_timeout = 0;
        Bytes subscription;
        Bytes assignment;

        static void fields(auto& self, auto& v) {
            v("member_id", self.member_id);
            v("group_instance_id", self.group_instance_id, since(3));
            v("client_id", self.client_id);
            v("client_host", self.client_host);
            v("rebalance_timeout", self.rebalance_timeout, since(1));
            v("session_timeout", self.session_timeout);
            v("subscription", self.subscription);
            v("assignment", self.assignment);
        }
    };

    String protocol_type;
    int32_t generation = 0;
    Nullable<String> protocol = "";
    Nullable<String> leader = "";
    int64_t current_state_timestamp = -1;
    List<Member> members;

    static void fields(auto& self, auto& v) {
        v("protocol_type", self.protocol_type);
        v("generation", self.generation);
        v("protocol", self.protocol);
        v("leader", self.leader);
        v("current_state_timestamp", self.current_state_timestamp, since(2));
        v("members", self.members);
    }
};

}  // namespace millrace::wire
