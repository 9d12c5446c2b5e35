// AlterPartition (key 56): a leader asks for another in-sync set.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterPartitionRequest {
    static constexpr Api api{.key = 56, .name = "AlterPartition", .versions = {2, 3}};

    struct BrokerState {
        int32_t broker_id = 0;
        int64_t broker_epoch = -1;

        static void fields(auto& self, auto& v) {
            v("broker_id", self.broker_id);
            v("broker_epoch", self.broker_epoch);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        int32_t leader_epoch = 0;
        List<int32_t> new_isr;
        List<BrokerState> new_isr_with_epochs;
        int8_t leader_recovery_state = 0;
        int32_t partition_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("leader_epoch", self.leader_epoch);
            v("new_isr", self.new_isr, until(2));
            v("new_isr_with_epochs", self.new_isr_with_epochs, since(3));
            v("leader_recovery_state", self.leader_recovery_state);
            v("partition_epoch", self.partition_epoch);
        }
    };

    struct Topic {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
        v("topics", self.topics);
    }
};

struct AlterPartitionResponse {
    static constexpr Api api = AlterPartitionRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;
        int32_t leader_id = 0;
        int32_t leader_epoch = 0;
        List<int32_t> isr;
        int8_t leader_recovery_state = 0;
        int32_t partition_epoch = 0;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
            v("leader_id", self.leader_id);
            v("leader_epoch", self.leader_epoch);
            v("isr", self.isr);
            v("leader_recovery_state", self.leader_recovery_state);
            v("partition_epoch", self.partition_epoch);
        }
    };

    struct Topic {
        Uuid topic_id;
        List<Partition> partitions;

        static void fields(auto& self, auto& v) {
            v("topic_id", self.topic_id);
            v("partitions", self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Topic> topics;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("topics", self.topics);
    }
};

}  // namespace millrace::wire
