// AllocateProducerIds (key 67): a broker asks the controller for a block of producer ids.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AllocateProducerIdsRequest {
    static constexpr Api api{.key = 67, .name = "AllocateProducerIds", .versions = {0, 0}};

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
    }
};

struct AllocateProducerIdsResponse {
    static constexpr Api api = AllocateProducerIdsRequest::api;

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    int64_t producer_id_start = 0;
    int32_t producer_id_len = 0;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("producer_id_start", self.producer_id_start);
        v("producer_id_len", self.producer_id_len);
    }
};

}  // namespace millrace::wire
