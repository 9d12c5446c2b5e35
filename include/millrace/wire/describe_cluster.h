// DescribeCluster (key 60): the brokers or controllers of the cluster.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeClusterRequest {
    static constexpr Api api{.key = 60, .name = "DescribeCluster", .versions = {0, 2}};

    bool include_cluster_authorized_operations = false;
    int8_t endpoint_type = 1;
    bool include_fenced_brokers = false;

    static void fields(auto& self, auto& v) {
        v("include_cluster_authorized_operations", self.include_cluster_authorized_operations);
        v("endpoint_type", self.endpoint_type, since(1));
        v("include_fenced_brokers", self.include_fenced_brokers, since(2));
    }
};

struct DescribeClusterResponse {
    static constexpr Api api = DescribeClusterRequest::api;

    struct Broker {
        int32_t broker_id = 0;
        String host;
        int32_t port = 0;
        Nullable<String> rack;
        bool is_fenced = false;

        static void fields(auto& self, auto& v) {
            v("broker_id", self.broker_id);
            v("host", self.host);
            v("port", self.port);
            v("rack", self.rack);
            v("is_fenced", self.is_fenced, since(2));
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    int8_t endpoint_type = 1;
    String cluster_id;
    int32_t controller_id = -1;
    List<Broker> brokers;
    int32_t cluster_authorized_operations = INT32_MIN;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("endpoint_type", self.endpoint_type, since(1));
        v("cluster_id", self.cluster_id);
        v("controller_id", self.controller_id);
        v("brokers", self.brokers);
        v("cluster_authorized_operations", self.cluster_authorized_operations);
    }
};

}  // namespace millrace::wire
