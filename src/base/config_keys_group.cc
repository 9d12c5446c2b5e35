// Group keys; in the order of their names.
#include "config_keys.h"

namespace millrace {

using namespace config_rows;

namespace {

constexpr std::string_view no_consumer_groups = "For KIP-848 groups, which are not part of this version.";
constexpr std::string_view no_share_groups = "For share groups, which are not part of this version.";
constexpr std::string_view no_streams_groups = "For streams groups, which are not part of this version.";

constexpr KeyRow rows[] = {
    {"consumer.assignment.interval.ms", int32, "1000", any, dynamic, no_consumer_groups},
    {"consumer.heartbeat.interval.ms", int32, "5000", any, dynamic, no_consumer_groups},
    {"consumer.session.timeout.ms", int32, "45000", any, dynamic, no_consumer_groups},
    {"share.assignment.interval.ms", int32, "1000", any, dynamic, no_share_groups},
    {"share.auto.offset.reset", string, "latest", any, dynamic, no_share_groups},
    {"share.delivery.count.limit", int32, "5", any, dynamic, no_share_groups},
    {"share.heartbeat.interval.ms", int32, "5000", any, dynamic, no_share_groups},
    {"share.isolation.level", string, "read_uncommitted", any, dynamic, no_share_groups},
    {"share.partition.max.record.locks", int32, "2000", any, dynamic, no_share_groups},
    {"share.record.lock.duration.ms", int32, "30000", any, dynamic, no_share_groups},
    {"share.renew.acknowledge.enable", boolean, "true", any, dynamic, no_share_groups},
    {"share.session.timeout.ms", int32, "45000", any, dynamic, no_share_groups},
    {"streams.assignment.interval.ms", int32, "1000", any, dynamic, no_streams_groups},
    {"streams.heartbeat.interval.ms", int32, "5000", any, dynamic, no_streams_groups},
    {"streams.initial.rebalance.delay.ms", int32, "3000", any, dynamic, no_streams_groups},
    {"streams.num.standby.replicas", int32, "0", any, dynamic, no_streams_groups},
    {"streams.session.timeout.ms", int32, "45000", any, dynamic, no_streams_groups},
};

}  // namespace

std::span<const KeyRow> group_rows() { return rows; }

}  // namespace millrace
