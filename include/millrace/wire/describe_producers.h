// DescribeProducers (key 61): producers with state in partitions.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeProducersRequest {
    static constexpr Api api{.key = 61, .name = "DescribeProducers", .versions = {0, 0}};

    struct Topic {
        String name;
        List<int32_t> partition_indexes;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partition_indexes", self.partition_indexes);
        }
    };

    List<Topic> topics;

    static void fields(auto& self, auto& v) { v("topics", self.topics); }
};

struct DescribeProducersResponse {
    static constexpr Api api = DescribeProducersRequest::api;

    struct Producer {
        int64_t producer_id = 0;
        int32_t producer_epoch = 0;
        int32_t last_sequence = -1;
        int64_t last_timestamp = -1;
        int32_t coordinator_epoch = 0;
        int64_t current_txn_start_offset = -1;

        static void fields(auto& self, auto& v) {
            v("producer_id", self.producer_id);
            v("producer_epoch", self.producer_epoch);
            v("last_sequence", self.last_sequence);
            v("last_timestamp", self.last_timestamp);
            v("coordinator_epoch", self.coordinator_epoch);
            v("current_txn_start_offset", self.current_txn_start_offset);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        Nullable<String> error_message;
        List<Producer> active_producers;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("active_producers", self.active_producers);
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

    int32_t throttle_time_ms = 0;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
