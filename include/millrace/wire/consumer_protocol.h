// What members of type "consumer" put into the metadata and assignments of a classic group. On the wire
// an int16 version comes first: encode_record_value, parse_numbered.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ConsumerProtocolSubscription {
    static constexpr Api api{
        .key = -1, .name = "ConsumerProtocolSubscription", .versions = {0, 3}, .flexible_since = never};

    struct TopicPartition {
        String topic;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    List<String> topics;
    Nullable<Bytes> user_data;
    List<TopicPartition> owned_partitions;
    int32_t generation_id = -1;
    Nullable<String> rack_id;

    static void fields(auto& self, auto& v) {
        v("topics", self.topics);
        v("user_data", self.user_data);
        v("owned_partitions", self.owned_partitions, since(1));
        v("generation_id", self.generation_id, since(2));
        v("rack_id", self.rack_id, since(3));
    }
};

struct ConsumerProtocolAssignment {
    static constexpr Api api{
        .key = -1, .name = "ConsumerProtocolAssignment", .versions = {0, 3}, .flexible_since = never};

    struct TopicPartition {
        String topic;
        List<int32_t> partitions;

        static void fields(auto& self, auto& v) {
            v("topic", self.topic);
            v("partitions", self.partitions);
        }
    };

    List<TopicPartition> assigned_partitions;
    Nullable<Bytes> user_data;

    static void fields(auto& self, auto& v) {
        v("assigned_partitions", self.assigned_partitions);
        v("user_data", self.user_data);
    }
};

}  // namespace millrace::wire
