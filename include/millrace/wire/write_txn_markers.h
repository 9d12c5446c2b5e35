// WriteTxnMarkers (key 27): appends the outcome of transactions to their partitions.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct WriteTxnMarkersRequest {
    static constexpr Api api{.key = 27, .name = "WriteTxnMarkers", .versions = {1, 2}, .flexible_since = 1};

    struct Topic {
        String name;
        List<int32_t> partition_indexes;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("partition_indexes", self.partition_indexes);
        }
    };

    struct Marker {
        int64_t producer_id = 0;
        int16_t producer_epoch = 0;
        bool transaction_result = false;
        List<Topic> topics;
        int32_t coordinator_epoch = 0;
        int8_t transaction_version = 0;

        static void fields(auto& self, auto& v) {
            v("producer_id", self.producer_id);
            v("producer_epoch", self.producer_epoch);
            v("transaction_result", self.transaction_result);
            v("topics", self.topics);
            v("coordinator_epoch", self.coordinator_epoch);
            v("transaction_version", self.transaction_version, since(2));
        }
    };

    List<Marker> markers;

    static void fields(auto& self, auto& v) { v("markers", self.markers); }
};

struct WriteTxnMarkersResponse {
    static constexpr Api api = WriteTxnMarkersRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        Error error_code = Error::none;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("error_code", self.error_code);
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

    struct Marker {
        int64_t producer_id = 0;
        List<Topic> topics;

        static void fields(auto& self, auto& v) {
            v("producer_id", self.producer_id);
            v("topics", self.topics);
        }
    };

    List<Marker> markers;

    static void fields(auto& self, auto& v) { v("markers", self.markers); }
};

}  // namespace millrace::wire
