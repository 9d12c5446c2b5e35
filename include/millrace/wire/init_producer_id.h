// InitProducerId (key 22): gives a producer its id and epoch; fences its predecessor.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct InitProducerIdRequest {
    static constexpr Api api{.key = 22, .name = "InitProducerId", .versions = {0, 6}, .flexible_since = 2};

    Nullable<String> transactional_id = "";
    int32_t transaction_timeout_ms = 0;
    int64_t producer_id = -1;
    int16_t producer_epoch = -1;
    bool enable2_pc = false;
    bool keep_prepared_txn = false;

    static void fields(auto& self, auto& v) {
        v("transactional_id", self.transactional_id);
        v("transaction_timeout_ms", self.transaction_timeout_ms);
        v("producer_id", self.producer_id, since(3));
        v("producer_epoch", self.producer_epoch, since(3));
        v("enable2_pc", self.enable2_pc, since(6));
        v("keep_prepared_txn", self.keep_prepared_txn, since(6));
    }
};

struct InitProducerIdResponse {
    static constexpr Api api = InitProducerIdRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    int64_t producer_id = -1;
    int16_t producer_epoch = 0;
    int64_t ongoing_txn_producer_id = -1;
    int16_t ongoing_txn_producer_epoch = -1;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("producer_id", self.producer_id);
        v("producer_epoch", self.producer_epoch);
        v("ongoing_txn_producer_id", self.ongoing_txn_producer_id, since(6));
        v("ongoing_txn_producer_epoch", self.ongoing_txn_producer_epoch, since(6));
    }
};

}  // namespace millrace::wire
