// ElectLeaders (key 43): elects the preferred, or any, replica as the leader.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ElectLeadersRequest {
    static constexpr Api api{.key = 43, .name = "ElectLeaders", .versions = {0, 2}, .flexible_since = 2};

    struct TopicPartitions {
        String topic;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    int8_t election_type = 0;
    Nullable<List<TopicPartitions>> topic_partitions = List<TopicPartitions>{};
    int32_t timeout_ms = 60000;

    static void fields(auto& self, auto& v) {
        v("election_type", self.election_type, since(1));
        v("topic_partitions", self.topic_partitions);
        v("timeout_ms", self.timeout_ms);
    }
};

struct ElectLeadersResponse {
    static constexpr Api api = ElectLeadersRequest::api;

    struct Partition {
        int32_t partition_id = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("partition_id", self.partition_id);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
        }
    };

    struct Topic {
        String topic;
        List<Partition> partition_result;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partition_result", self.partition_result);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Topic> replica_election_results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code, since(1));
        v("replica_election_results", self.replica_election_results);
    }
};

}  // namespace millrace::wire
