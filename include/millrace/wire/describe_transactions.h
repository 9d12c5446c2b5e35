// DescribeTransactions (key 65): state of transactions by their ids.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeTransactionsRequest {
    static constexpr Api api{.key = 65, .name = "DescribeTransactions", .versions = {0, 0}};

    List<String> transactional_ids;

    static void fields(auto& self, auto& v) { v("transactional_ids", self.transactional_ids); }
};

struct DescribeTransactionsResponse {
    static constexpr Api api = DescribeTransactionsRequest::api;

    struct Topic {
        String topic;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    struct TransactionState {
        Error error_code = Error::none;
        String transactional_id;
        String transaction_state;
        int32_t transaction_timeout_ms = 0;
        int64_t transaction_start_time_ms = 0;
        int64_t producer_id = 0;
        int16_t producer_epoch = 0;
        List<Topic> topics;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("transactional_id", self.transactional_id);
            v("transaction_state", self.transaction_state);
            v("transaction_timeout_ms", self.transaction_timeout_ms);
            v("transaction_start_time_ms", self.transaction_start_time_ms);
            v("producer_id", self.producer_id);
            v("producer_epoch", self.producer_epoch);
            v("topics", self.topics);
        }
    };

    int32_t throttle_time_ms = 0;
    List<TransactionState> transaction_states;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("transaction_states", self.transaction_states);
    }
};

}  // namespace millrace::wire
