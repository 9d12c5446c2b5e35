// ListGroups (key 16): the groups that a broker coordinates.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ListGroupsRequest {
    static constexpr Api api{.key = 16, .name = "ListGroups", .versions = {0, 5}, .flexible_since = 3};

    List<String> states_filter;
    List<String> types_filter;

    static void fields(auto& self, auto& v) {
        v("states_filter", self.states_filter, since(4));
        v("types_filter", self.types_filter, since(5));
    }
};

struct ListGroupsResponse {
    static constexpr Api api = ListGroupsRequest::api;

    struct Group {
        String group_id;
        String protocol_type;
        String group_state;
        String group_type;

        static void fields(auto& self, auto& v) {
            v("group_id", self.group_id);
            v("protocol_type", self.protocol_type);
            v("group_state", self.group_state, since(4));
            v("group_type", self.group_type, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Group> groups;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("error_code", self.error_code);
        v("groups", self.groups);
    }
};

}  // namespace millrace::wire
