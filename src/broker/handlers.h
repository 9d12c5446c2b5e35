// The handlers of all APIs that are served; dispatch.cc has them in its table. Each runs on the connection's
// shard, answers every item that was asked, and never fails: what goes wrong is in the response.
#pragma once
#include "call.h"
#include "millrace/wire/api_versions.h"
#include "millrace/wire/create_partitions.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/delete_groups.h"
#include "millrace/wire/delete_records.h"
#include "millrace/wire/delete_topics.h"
#include "millrace/wire/describe_cluster.h"
#include "millrace/wire/describe_configs.h"
#include "millrace/wire/describe_groups.h"
#include "millrace/wire/describe_topic_partitions.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/incremental_alter_configs.h"
#include "millrace/wire/init_producer_id.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/leave_group.h"
#include "millrace/wire/list_groups.h"
#include "millrace/wire/list_offsets.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/offset_delete.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/offset_for_leader_epoch.h"
#include "millrace/wire/produce.h"
#include "millrace/wire/sync_group.h"

namespace millrace {

// produce.cc
Task<wire::ProduceResponse> handle_produce(Call& call, const wire::ProduceRequest& request);

// fetch.cc
Task<wire::FetchResponse> handle_fetch(Call& call, const wire::FetchRequest& request);

// list_offsets.cc
Task<wire::ListOffsetsResponse> handle_list_offsets(Call& call, const wire::ListOffsetsRequest& request);
Task<wire::OffsetForLeaderEpochResponse> handle_offset_for_leader_epoch(
    Call& call, const wire::OffsetForLeaderEpochRequest& request);

// metadata.cc
Task<wire::MetadataResponse> handle_metadata(Call& call, const wire::MetadataRequest& request);
Task<wire::DescribeClusterResponse> handle_describe_cluster(Call& call,
                                                            const wire::DescribeClusterRequest& request);
Task<wire::DescribeTopicPartitionsResponse> handle_describe_topic_partitions(
    Call& call, const wire::DescribeTopicPartitionsRequest& request);

// versions.cc
Task<wire::ApiVersionsResponse> handle_api_versions(Call& call, const wire::ApiVersionsRequest& request);
wire::ApiVersionsResponse unsupported_api_versions(Arena& out);
std::span<const int16_t> served_api_keys();  // dispatch.cc; ascending.

// topics.cc
Task<wire::CreateTopicsResponse> handle_create_topics(Call& call, const wire::CreateTopicsRequest& request);
Task<wire::DeleteTopicsResponse> handle_delete_topics(Call& call, const wire::DeleteTopicsRequest& request);
Task<wire::CreatePartitionsResponse> handle_create_partitions(Call& call,
                                                              const wire::CreatePartitionsRequest& request);
Task<wire::DeleteRecordsResponse> handle_delete_records(Call& call,
                                                        const wire::DeleteRecordsRequest& request);

// configs.cc
Task<wire::DescribeConfigsResponse> handle_describe_configs(Call& call,
                                                            const wire::DescribeConfigsRequest& request);
Task<wire::IncrementalAlterConfigsResponse> handle_incremental_alter_configs(
    Call& call, const wire::IncrementalAlterConfigsRequest& request);

// groups.cc
Task<wire::FindCoordinatorResponse> handle_find_coordinator(Call& call,
                                                            const wire::FindCoordinatorRequest& request);
Task<wire::JoinGroupResponse> handle_join_group(Call& call, const wire::JoinGroupRequest& request);
Task<wire::SyncGroupResponse> handle_sync_group(Call& call, const wire::SyncGroupRequest& request);
Task<wire::HeartbeatResponse> handle_heartbeat(Call& call, const wire::HeartbeatRequest& request);
Task<wire::LeaveGroupResponse> handle_leave_group(Call& call, const wire::LeaveGroupRequest& request);
Task<wire::DescribeGroupsResponse> handle_describe_groups(Call& call,
                                                          const wire::DescribeGroupsRequest& request);
Task<wire::ListGroupsResponse> handle_list_groups(Call& call, const wire::ListGroupsRequest& request);
Task<wire::DeleteGroupsResponse> handle_delete_groups(Call& call, const wire::DeleteGroupsRequest& request);

// offsets.cc
Task<wire::OffsetCommitResponse> handle_offset_commit(Call& call, const wire::OffsetCommitRequest& request);
Task<wire::OffsetFetchResponse> handle_offset_fetch(Call& call, const wire::OffsetFetchRequest& request);
Task<wire::OffsetDeleteResponse> handle_offset_delete(Call& call, const wire::OffsetDeleteRequest& request);

// producer_ids.cc
// The answer to whoever would begin a transaction: the one error of FindCoordinator that the Java client,
// librdkafka and kafka-python all take as fatal. After another librdkafka asks again for ever.
inline constexpr Error no_transactions = Error::transactional_id_authorization_failed;
void refuse_transactions(Call& call, std::string_view transactional_id);  // Tells the operator who asked.
Task<wire::InitProducerIdResponse> handle_init_producer_id(Call& call,
                                                           const wire::InitProducerIdRequest& request);

}  // namespace millrace
