// EndTxn (key 26): commits or aborts a transaction.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct EndTxnRequest {
    static constexpr Api api{.key = 26, .name = "EndTxn", .versions = {0, 5}, .flexible_since = 3};

    String transactional_id;
    int64_t producer_id = 0;
    int16_t producer_epoch = 0;
    bool committed = false;

    static void fields(auto& self, auto& v) {
        v("transactional_id", self.transactional_id);
        v("producer_id", self.producer_id);
        v("producer_epoch", self.producer_epoch);
        v("committed", self.committed);
    }
};

struct EndTxnResponse {
    static constexpr Api api = EndTxnRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    int64_t producer_id = -1;
    int16_t producer_epoch = -1;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("producer_id", self.producer_id, since(5));
        v("producer_epoch", self.producer_epoch, since(5));
    }
};

}  // namespace millrace::wire
