// DescribeLogDirs (key 35): sizes of replicas and of data directories.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeLogDirsRequest {
    static constexpr Api api{.key = 35, .name = "DescribeLogDirs", .versions = {1, 5}, .flexible_since = 2};

    struct Topic {
        String topic;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    Nullable<List<Topic>> topics = List<Topic>{};

    static void fields(auto& self, auto& v) { v("topics", self.topics); }
};

struct DescribeLogDirsResponse {
    static constexpr Api api = DescribeLogDirsRequest::api;

    struct Partition {
        int32_t partition_index = 0;
        int64_t partition_size = 0;
        int64_t offset_lag = 0;
        bool is_future_key = false;

        static void fields(auto& self, auto& v) {
            v("partition_index", self.partition_index);
            v("partition_size", self.partition_size);
            v("offset_lag", self.offset_lag);
            v("is_future_key", self.is_future_key);
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

    struct Result {
        Error error_code = Error::none;
        String log_dir;
        List<Topic> topics;
        int64_t total_bytes = -1;
        int64_t usable_bytes = -1;
        bool is_cordoned = false;

        static void fields(auto& self, auto& v) {
            v("error_code", self.error_code);
            v("log_dir", self.log_dir);
            v("topics", self.topics);
            v("total_bytes", self.total_bytes, since(4));
            v("usable_bytes", self.usable_bytes, since(4));
            v("is_cordoned", self.is_cordoned, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    List<Result> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code, since(3));
        v("results", self.results);
    }
};

}  // namespace millrace::wire
