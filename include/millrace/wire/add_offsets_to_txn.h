// AddOffsetsToTxn (key 25): the offsets of a group become part of a transaction.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AddOffsetsToTxnRequest {
    static constexpr Api api{.key = 25, .name = "AddOffsetsToTxn", .versions = {0, 4}, .flexible_since = 3};

    String transactional_id;
    int64_t producer_id = 0;
    int16_t producer_epoch = 0;
    String group_id;

    static void fields(auto& self, auto& v) {
        v("transactional_id", self.transactional_id);
        v("producer_id", self.producer_id);
        v("producer_epoch", self.producer_epoch);
        v("group_id", self.group_id);
    }
};

struct AddOffsetsToTxnResponse {
    static constexpr Api api = AddOffsetsToTxnRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
    }
};

}  // namespace millrace::wire
