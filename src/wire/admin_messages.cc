// Codecs of messages: topics, configurations, quotas and replicas.
#include "millrace/wire/alter_client_quotas.h"
#include "millrace/wire/alter_configs.h"
#include "millrace/wire/alter_partition_reassignments.h"
#include "millrace/wire/alter_replica_log_dirs.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/create_partitions.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/delete_topics.h"
#include "millrace/wire/describe_client_quotas.h"
#include "millrace/wire/describe_configs.h"
#include "millrace/wire/describe_log_dirs.h"
#include "millrace/wire/elect_leaders.h"
#include "millrace/wire/get_telemetry_subscriptions.h"
#include "millrace/wire/incremental_alter_configs.h"
#include "millrace/wire/list_config_resources.h"
#include "millrace/wire/list_partition_reassignments.h"
#include "millrace/wire/push_telemetry.h"
#include "millrace/wire/update_features.h"

namespace millrace::wire {

template struct Codec<CreateTopicsRequest>;
template struct Codec<CreateTopicsResponse>;
template struct Codec<DeleteTopicsRequest>;
template struct Codec<DeleteTopicsResponse>;
template struct Codec<DescribeConfigsRequest>;
template struct Codec<DescribeConfigsResponse>;
template struct Codec<AlterConfigsRequest>;
template struct Codec<AlterConfigsResponse>;
template struct Codec<AlterReplicaLogDirsRequest>;
template struct Codec<AlterReplicaLogDirsResponse>;
template struct Codec<DescribeLogDirsRequest>;
template struct Codec<DescribeLogDirsResponse>;
template struct Codec<CreatePartitionsRequest>;
template struct Codec<CreatePartitionsResponse>;
template struct Codec<ElectLeadersRequest>;
template struct Codec<ElectLeadersResponse>;
template struct Codec<IncrementalAlterConfigsRequest>;
template struct Codec<IncrementalAlterConfigsResponse>;
template struct Codec<AlterPartitionReassignmentsRequest>;
template struct Codec<AlterPartitionReassignmentsResponse>;
template struct Codec<ListPartitionReassignmentsRequest>;
template struct Codec<ListPartitionReassignmentsResponse>;
template struct Codec<DescribeClientQuotasRequest>;
template struct Codec<DescribeClientQuotasResponse>;
template struct Codec<AlterClientQuotasRequest>;
template struct Codec<AlterClientQuotasResponse>;
template struct Codec<UpdateFeaturesRequest>;
template struct Codec<UpdateFeaturesResponse>;
template struct Codec<ListConfigResourcesRequest>;
template struct Codec<ListConfigResourcesResponse>;
template struct Codec<GetTelemetrySubscriptionsRequest>;
template struct Codec<GetTelemetrySubscriptionsResponse>;
template struct Codec<PushTelemetryRequest>;
template struct Codec<PushTelemetryResponse>;

}  // namespace millrace::wire
