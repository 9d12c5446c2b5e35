// OffsetFetch (key 9): reads the positions of groups.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct OffsetFetchRequest {
    static constexpr Api api{.key = 9, .name = "OffsetFetch", .versions = {1, 10}, .flexible_since = 6};

    struct Topic {
        String name;
        List<int32_t> partition_indexes;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partition_indexes", self.partition_indexes);
        }
    };

    struct GroupTopic {
        String name;
        Uuid topic_id;
        List<int32_t> partition_indexes;

        static void fields(auto& self, auto& v) {
            v("name", self.name, until(9));
            v("topic_id", self.topic_id, since(10));
            v("partition_indexes", self.partition_indexes);
        }
    };

    struct Group {
        String group_id;
        Nullable<String> member_id;
        int32_t member_epoch = -1;
        Nullable<List<GroupTopic>> topics = List<GroupTopic>{};

        static void fields(auto& self, auto& v) {
            v("group_id", self.group_id);
            v("member_id", self.member_id, since(9));
            v("member_epoch", self.member_epoch, since(9));
            v("topics", self.topics);
        }
    };

    String group_id;
    Nullable<List<Topic>> topics = List<Topic>{};
    List<Group> groups;
    bool require_stable = false;

    static void fields(auto& self, auto& v) {
        v("group_id", self.group_id, until(7));
        v("topics", self.topics, until(7).null_since(2));
        v("groups", self.groups, since(8));
        v("require_stable", self.require_stable, since(7));
    }
};

struct OffsetFetchResponse {
    static constexpr Api api = OffsetFetchRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;
        int32_t committed_leader_epoch = -1;
        Nullable<String> metadata = "";
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("committed_offset", self.committed_offset);
            v("committed_leader_epoch", self.committed_leader_epoch, since(5));
            v("metadata", self.metadata);
            v("error_code", self.error_code);
        }
    };

    struct Topic {
        String name;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partitions", self.partitions);
        }
    };

    struct GroupPartition {
        int32_t partition_index = 0;
        int64_t committed_offset = 0;
        int32_t committed_leader_epoch = -1;
        Nullable<String> metadata = "";
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("committed_offset", self.committed_offset);
            v("committed_leader_epoch", self.committed_leader_epoch);
            v("metadata", self.metadata);
            v("error_code", self.error_code);
        }
    };

    struct GroupTopic {
        String name;
        Uuid topic_id;
        List<GroupPartition> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name, until(9));
            v("topic_id", self.topic_id, since(10));
            v("partitions", self.partitions);
        }
    };

    struct Group {
        String group_id;
        List<GroupTopic> topics;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("group_id", self.group_id);
            v("topics", self.topics);
            v("error_code", self.error_code);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Topic> topics;
    Error error_code = Error::none;
    List<Group> groups;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms, since(3));
        v("topics", self.topics, until(7));
        v("error_code", self.error_code, between(2, 7));
        v("groups", self.groups, since(8));
    }
};

}  // namespace millrace::wire
