// The metadata log: topics, partitions and configurations.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct TopicRecord {
    static constexpr Api api{.key = 2, .name = "TopicRecord", .versions = {0, 0}};

    String name;
    Uuid topic_id;

    static void fields(auto& self, auto& v) {
        v("name", self.name);
        v("topic_id", self.topic_id);
    }
};

struct PartitionRecord {
    static constexpr Api api{.key = 3, .name = "PartitionRecord", .versions = {0, 2}};

    int32_t partition_id = -1;
    Uuid topic_id;
    List<int32_t> replicas;
    List<int32_t> isr;
    List<int32_t> removing_replicas;
    List<int32_t> adding_replicas;
    int32_t leader = -1;
    int8_t leader_recovery_state = 0;
    int32_t leader_epoch = -1;
    int32_t partition_epoch = -1;
    List<Uuid> directories;
    Nullable<List<int32_t>> eligible_leader_replicas;
    Nullable<List<int32_t>> last_known_elr;

    static void fields(auto& self, auto& v) {
        v("partition_id", self.partition_id);
        v("topic_id", self.topic_id);
        v("replicas", self.replicas);
        v("isr", self.isr);
        v("removing_replicas", self.removing_replicas);
        v("adding_replicas", self.adding_replicas);
        v("leader", self.leader);
        v("leader_epoch", self.leader_epoch);
        v("partition_epoch", self.partition_epoch);
        v("directories", self.directories, since(1));
        v("leader_recovery_state", self.leader_recovery_state, tag(0, since(0)));
        v("eligible_leader_replicas", self.eligible_leader_replicas, tag(1, since(2)));
        v("last_known_elr", self.last_known_elr, tag(2, since(2)));
    }
};

struct PartitionChangeRecord {
    static constexpr Api api{.key = 5, .name = "PartitionChangeRecord", .versions = {0, 2}};

    int32_t partition_id = -1;
    Uuid topic_id;
    Nullable<List<int32_t>> isr;
    int32_t leader = -2;
    Nullable<List<int32_t>> replicas;
    Nullable<List<int32_t>> removing_replicas;
    Nullable<List<int32_t>> adding_replicas;
    int8_t leader_recovery_state = -1;
    Nullable<List<Uuid>> directories;
    Nullable<List<int32_t>> eligible_leader_replicas;
    Nullable<List<int32_t>> last_known_elr;

    static void fields(auto& self, auto& v) {
        v("partition_id", self.partition_id);
        v("topic_id", self.topic_id);
        v("isr", self.isr, tag(0, since(0)));
        v("leader", self.leader, tag(1, since(0), -2));
        v("replicas", self.replicas, tag(2, since(0)));
        v("removing_replicas", self.removing_replicas, tag(3, since(0)));
        v("adding_replicas", self.adding_replicas, tag(4, since(0)));
        v("leader_recovery_state", self.leader_recovery_state, tag(5, since(0), -1));
        v("eligible_leader_replicas", self.eligible_leader_replicas, tag(6, since(2)));
        v("last_known_elr", self.last_known_elr, tag(7, since(2)));
        v("directories", self.directories, tag(8, since(1)));
    }
};

struct RemoveTopicRecord {
    static constexpr Api api{.key = 9, .name = "RemoveTopicRecord", .versions = {0, 0}};

    Uuid topic_id;

    static void fields(auto& self, auto& v) { v("topic_id", self.topic_id); }
};

struct ConfigRecord {
    static constexpr Api api{.key = 4, .name = "ConfigRecord", .versions = {0, 0}};

    int8_t resource_type = 0;
    String resource_name;
    String name;
    Nullable<String> value = "";

    static void fields(auto& self, auto& v) {
        v("resource_type", self.resource_type);
        v("resource_name", self.resource_name);
        v("name", self.name);
        v("value", self.value);
    }
};

struct ClearElrRecord {
    static constexpr Api api{.key = 28, .name = "ClearElrRecord", .versions = {0, 0}};

    String topic_name;

    static void fields(auto& self, auto& v) { v("topic_name", self.topic_name); }
};

}  // namespace millrace::wire
