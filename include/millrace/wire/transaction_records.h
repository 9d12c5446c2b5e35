// __transaction_state, and the control records that end a transaction in a partition.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct TransactionLogKey {
    static constexpr Api api{
        .key = 0, .name = "TransactionLogKey", .versions = {0, 0}, .flexible_since = never};

    String transactional_id;

    static void fields(auto& self, auto& v) { v("transactional_id", self.transactional_id); }
};

struct TransactionLogValue {
    static constexpr Api api{
        .key = 0, .name = "TransactionLogValue", .versions = {0, 1}, .flexible_since = 1};

    struct Partitions {
        String topic;
        List<int32_t> partition_ids;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partition_ids", self.partition_ids);
        }
    };

    int64_t producer_id = 0;
    int64_t previous_producer_id = -1;
    int64_t next_producer_id = -1;
    int16_t producer_epoch = 0;
    int16_t next_producer_epoch = -1;
    int32_t transaction_timeout_ms = 0;
    int8_t transaction_status = 0;
    Nullable<List<Partitions>> transaction_partitions = List<Partitions>{};
    int64_t transaction_last_update_timestamp_ms = 0;
    int64_t transaction_start_timestamp_ms = 0;
    int16_t client_transaction_version = 0;

    static void fields(auto& self, auto& v) {
        v("producer_id", self.producer_id);
        v("producer_epoch", self.producer_epoch);
        v("transaction_timeout_ms", self.transaction_timeout_ms);
        v("transaction_status", self.transaction_status);
        v("transaction_partitions", self.transaction_partitions);
        v("transaction_last_update_timestamp_ms", self.transaction_last_update_timestamp_ms);
        v("transaction_start_timestamp_ms", self.transaction_start_timestamp_ms);
        v("previous_producer_id", self.previous_producer_id, tag(0, since(1), -1));
        v("next_producer_id", self.next_producer_id, tag(1, since(1), -1));
        v("client_transaction_version", self.client_transaction_version, tag(2, since(1)));
        v("next_producer_epoch", self.next_producer_epoch, tag(3, since(1), -1));
    }
};

struct ControlRecordTypeSchema {
    static constexpr Api api{
        .key = -1, .name = "ControlRecordTypeSchema", .versions = {0, 0}, .flexible_since = never};

    int16_t type = 0;

    static void fields(auto& self, auto& v) { v("type", self.type); }
};

struct EndTxnMarker {
    static constexpr Api api{.key = -1, .name = "EndTxnMarker", .versions = {0, 0}, .flexible_since = never};

    int32_t coordinator_epoch = 0;

    static void fields(auto& self, auto& v) { v("coordinator_epoch", self.coordinator_epoch); }
};

}  // namespace millrace::wire
