// AddPartitionsToTxn (key 24): partitions become part of a transaction.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AddPartitionsToTxnRequest {
    static constexpr Api api{
        .key = 24, .name = "AddPartitionsToTxn", .versions = {0, 5}, .flexible_since = 3};

    struct Topic {
        String name;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partitions", self.partitions);
        }
    };

    struct Transaction {
        String transactional_id;
        int64_t producer_id = 0;
        int16_t producer_epoch = 0;
        bool verify_only = false;
        List<Topic> topics;

        static void fields(auto& self, auto& v) {
            v("transactional_id", self.transactional_id);
            v("producer_id", self.producer_id);
            v("producer_epoch", self.producer_epoch);
            v("verify_only", self.verify_only);
            v("topics", self.topics);
        }
    };

    List<Transaction> transactions;
    String v3_and_below_transactional_id;
    int64_t v3_and_below_producer_id = 0;
    int16_t v3_and_below_producer_epoch = 0;
    List<Topic> v3_and_below_topics;

    static void fields(auto& self, auto& v) {
        v("transactions", self.transactions, since(4));
        v("v3_and_below_transactional_id", self.v3_and_below_transactional_id, until(3));
        v("v3_and_below_producer_id", self.v3_and_below_producer_id, until(3));
        v("v3_and_below_producer_epoch", self.v3_and_below_producer_epoch, until(3));
        v("v3_and_below_topics", self.v3_and_below_topics, until(3));
    }
};

struct AddPartitionsToTxnResponse {
    static constexpr Api api = AddPartitionsToTxnRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error partition_error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("partition_error_code", self.partition_error_code);
        }
    };

    struct Topic {
        String name;
        List<Partition> results_by_partition;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("results_by_partition", self.results_by_partition);
        }
    };

    struct Result {
        String transactional_id;
        List<Topic> topic_results;

        static void fields(auto& self, auto& v) {
            v("transactional_id", self.transactional_id);
            v("topic_results", self.topic_results);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Result> results_by_transaction;
    List<Topic> results_by_topic_v3_and_below;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code, since(4));
        v("results_by_transaction", self.results_by_transaction, since(4));
        v("results_by_topic_v3_and_below", self.results_by_topic_v3_and_below, until(3));
    }
};

}  // namespace millrace::wire
