// DeleteGroups (key 42): deletes empty groups.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DeleteGroupsRequest {
    static constexpr Api api{.key = 42, .name = "DeleteGroups", .versions = {0, 2}, .flexible_since = 2};

    List<String> groups_names;

    static void fields(auto& self, auto& v) { v("groups_names", self.groups_names); }
};

struct DeleteGroupsResponse {
    static constexpr Api api = DeleteGroupsRequest::api;

    struct Result {
        String group_id;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("group_id", self.group_id);
            v("error_code", self.error_code);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Result> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("results", self.results);
    }
};

}  // namespace millrace::wire
