// ListTransactions (key 66): the transactions that a broker coordinates.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ListTransactionsRequest {
    static constexpr Api api{.key = 66, .name = "ListTransactions", .versions = {0, 2}};

    List<String> state_filters;
    List<int64_t> producer_id_filters;
    int64_t duration_filter = -1;
    Nullable<String> transactional_id_pattern;

    static void fields(auto& self, auto& v) {
        v("state_filters", self.state_filters);
        v("producer_id_filters", self.producer_id_filters);
        v("duration_filter", self.duration_filter, since(1));
        v("transactional_id_pattern", self.transactional_id_pattern, since(2));
    }
};

struct ListTransactionsResponse {
    static constexpr Api api = ListTransactionsRequest::api;

    struct TransactionState {
        String transactional_id;
        int64_t producer_id = 0;
        String transaction_state;

        static void fields(auto& self, auto& v) {
            v("transactional_id", self.transactional_id);
            v("producer_id", self.producer_id);
            v("transaction_state", self.transaction_state);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<String> unknown_state_filters;
    List<TransactionState> transaction_states;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("unknown_state_filters", self.unknown_state_filters);
        v("transaction_states", self.transaction_states);
    }
};

}  // namespace millrace::wire
