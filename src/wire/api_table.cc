// The API table, built from the messages themselves.
#include "millrace/wire/api_table.h"

#include "millrace/wire/add_offsets_to_txn.h"
#include "millrace/wire/add_partitions_to_txn.h"
#include "millrace/wire/add_raft_voter.h"
#include "millrace/wire/allocate_producer_ids.h"
#include "millrace/wire/alter_client_quotas.h"
#include "millrace/wire/alter_configs.h"
#include "millrace/wire/alter_partition.h"
#include "millrace/wire/alter_partition_reassignments.h"
#include "millrace/wire/alter_replica_log_dirs.h"
#include "millrace/wire/alter_share_group_offsets.h"
#include "millrace/wire/alter_user_scram_credentials.h"
#include "millrace/wire/api_versions.h"
#include "millrace/wire/assign_replicas_to_dirs.h"
#include "millrace/wire/begin_quorum_epoch.h"
#include "millrace/wire/broker_heartbeat.h"
#include "millrace/wire/broker_registration.h"
#include "millrace/wire/consumer_group_describe.h"
#include "millrace/wire/consumer_group_heartbeat.h"
#include "millrace/wire/controller_registration.h"
#include "millrace/wire/create_acls.h"
#include "millrace/wire/create_delegation_token.h"
#include "millrace/wire/create_partitions.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/delete_acls.h"
#include "millrace/wire/delete_groups.h"
#include "millrace/wire/delete_records.h"
#include "millrace/wire/delete_share_group_offsets.h"
#include "millrace/wire/delete_share_group_state.h"
#include "millrace/wire/delete_topics.h"
#include "millrace/wire/describe_acls.h"
#include "millrace/wire/describe_client_quotas.h"
#include "millrace/wire/describe_cluster.h"
#include "millrace/wire/describe_configs.h"
#include "millrace/wire/describe_delegation_token.h"
#include "millrace/wire/describe_groups.h"
#include "millrace/wire/describe_log_dirs.h"
#include "millrace/wire/describe_producers.h"
#include "millrace/wire/describe_quorum.h"
#include "millrace/wire/describe_share_group_offsets.h"
#include "millrace/wire/describe_topic_partitions.h"
#include "millrace/wire/describe_transactions.h"
#include "millrace/wire/describe_user_scram_credentials.h"
#include "millrace/wire/elect_leaders.h"
#include "millrace/wire/end_quorum_epoch.h"
#include "millrace/wire/end_txn.h"
#include "millrace/wire/envelope.h"
#include "millrace/wire/expire_delegation_token.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/fetch_snapshot.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/get_telemetry_subscriptions.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/incremental_alter_configs.h"
#include "millrace/wire/init_producer_id.h"
#include "millrace/wire/initialize_share_group_state.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/leave_group.h"
#include "millrace/wire/list_config_resources.h"
#include "millrace/wire/list_groups.h"
#include "millrace/wire/list_offsets.h"
#include "millrace/wire/list_partition_reassignments.h"
#include "millrace/wire/list_transactions.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/offset_delete.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/offset_for_leader_epoch.h"
#include "millrace/wire/produce.h"
#include "millrace/wire/push_telemetry.h"
#include "millrace/wire/read_share_group_state.h"
#include "millrace/wire/read_share_group_state_summary.h"
#include "millrace/wire/remove_raft_voter.h"
#include "millrace/wire/renew_delegation_token.h"
#include "millrace/wire/sasl_authenticate.h"
#include "millrace/wire/sasl_handshake.h"
#include "millrace/wire/share_acknowledge.h"
#include "millrace/wire/share_fetch.h"
#include "millrace/wire/share_group_describe.h"
#include "millrace/wire/share_group_heartbeat.h"
#include "millrace/wire/streams_group_describe.h"
#include "millrace/wire/streams_group_heartbeat.h"
#include "millrace/wire/sync_group.h"
#include "millrace/wire/txn_offset_commit.h"
#include "millrace/wire/unregister_broker.h"
#include "millrace/wire/update_features.h"
#include "millrace/wire/update_raft_voter.h"
#include "millrace/wire/vote.h"
#include "millrace/wire/write_share_group_state.h"
#include "millrace/wire/write_txn_markers.h"

namespace millrace::wire {
namespace {

template <class T> constexpr ApiEntry entry(Versions advertised) {
    return {T::api.key, T::api.name, T::api.versions, advertised, T::api.flexible_since};
}
template <class T> constexpr ApiEntry entry() { return entry<T>(T::api.versions); }
// Spoken between brokers and controllers only.
template <class T> constexpr ApiEntry controller_entry() { return entry<T>({0, -1}); }

constexpr ApiEntry entries[] = {
    // 0 to 2 are refused, but librdkafka takes a broker without them for one that is too new (KAFKA-18659).
    entry<ProduceRequest>({0, 13}),
    entry<FetchRequest>(),
    entry<ListOffsetsRequest>(),
    entry<MetadataRequest>(),
    entry<OffsetCommitRequest>(),
    entry<OffsetFetchRequest>(),
    entry<FindCoordinatorRequest>(),
    entry<JoinGroupRequest>(),
    entry<HeartbeatRequest>(),
    entry<LeaveGroupRequest>(),
    entry<SyncGroupRequest>(),
    entry<DescribeGroupsRequest>(),
    entry<ListGroupsRequest>(),
    entry<SaslHandshakeRequest>(),
    entry<ApiVersionsRequest>(),
    entry<CreateTopicsRequest>(),
    entry<DeleteTopicsRequest>(),
    entry<DeleteRecordsRequest>(),
    // 6, two-phase commit (KIP-939), is not stable yet.
    entry<InitProducerIdRequest>({0, 5}),
    entry<OffsetForLeaderEpochRequest>(),
    entry<AddPartitionsToTxnRequest>(),
    entry<AddOffsetsToTxnRequest>(),
    entry<EndTxnRequest>(),
    entry<WriteTxnMarkersRequest>(),
    entry<TxnOffsetCommitRequest>(),
    entry<DescribeAclsRequest>(),
    entry<CreateAclsRequest>(),
    entry<DeleteAclsRequest>(),
    entry<DescribeConfigsRequest>(),
    entry<AlterConfigsRequest>(),
    entry<AlterReplicaLogDirsRequest>(),
    entry<DescribeLogDirsRequest>(),
    entry<SaslAuthenticateRequest>(),
    entry<CreatePartitionsRequest>(),
    entry<CreateDelegationTokenRequest>(),
    entry<RenewDelegationTokenRequest>(),
    entry<ExpireDelegationTokenRequest>(),
    entry<DescribeDelegationTokenRequest>(),
    entry<DeleteGroupsRequest>(),
    entry<ElectLeadersRequest>(),
    entry<IncrementalAlterConfigsRequest>(),
    entry<AlterPartitionReassignmentsRequest>(),
    entry<ListPartitionReassignmentsRequest>(),
    entry<OffsetDeleteRequest>(),
    entry<DescribeClientQuotasRequest>(),
    entry<AlterClientQuotasRequest>(),
    entry<DescribeUserScramCredentialsRequest>(),
    entry<AlterUserScramCredentialsRequest>(),
    controller_entry<VoteRequest>(),
    controller_entry<BeginQuorumEpochRequest>(),
    controller_entry<EndQuorumEpochRequest>(),
    entry<DescribeQuorumRequest>(),
    controller_entry<AlterPartitionRequest>(),
    entry<UpdateFeaturesRequest>(),
    controller_entry<EnvelopeRequest>(),
    controller_entry<FetchSnapshotRequest>(),
    entry<DescribeClusterRequest>(),
    entry<DescribeProducersRequest>(),
    controller_entry<BrokerRegistrationRequest>(),
    controller_entry<BrokerHeartbeatRequest>(),
    entry<UnregisterBrokerRequest>(),
    entry<DescribeTransactionsRequest>(),
    entry<ListTransactionsRequest>(),
    controller_entry<AllocateProducerIdsRequest>(),
    entry<ConsumerGroupHeartbeatRequest>(),
    entry<ConsumerGroupDescribeRequest>(),
    controller_entry<ControllerRegistrationRequest>(),
    entry<GetTelemetrySubscriptionsRequest>(),
    entry<PushTelemetryRequest>(),
    controller_entry<AssignReplicasToDirsRequest>(),
    entry<ListConfigResourcesRequest>(),
    entry<DescribeTopicPartitionsRequest>(),
    entry<ShareGroupHeartbeatRequest>(),
    entry<ShareGroupDescribeRequest>(),
    entry<ShareFetchRequest>(),
    entry<ShareAcknowledgeRequest>(),
    entry<AddRaftVoterRequest>(),
    entry<RemoveRaftVoterRequest>(),
    controller_entry<UpdateRaftVoterRequest>(),
    entry<InitializeShareGroupStateRequest>(),
    entry<ReadShareGroupStateRequest>(),
    entry<WriteShareGroupStateRequest>(),
    entry<DeleteShareGroupStateRequest>(),
    entry<ReadShareGroupStateSummaryRequest>(),
    entry<StreamsGroupHeartbeatRequest>(),
    entry<StreamsGroupDescribeRequest>(),
    entry<DescribeShareGroupOffsetsRequest>(),
    entry<AlterShareGroupOffsetsRequest>(),
    entry<DeleteShareGroupOffsetsRequest>(),
};

constexpr int16_t key_last = std::end(entries)[-1].key;

// Place in the table by key, -1 for none.
constexpr auto places = [] {
    std::array<int8_t, key_last + 1> places{};
    places.fill(-1);
    for (size_t i = 0; i < std::size(entries); i++) places[entries[i].key] = static_cast<int8_t>(i);
    return places;
}();

static_assert(std::size(entries) < 128, "a place is an int8_t");
static_assert(std::ranges::is_sorted(entries, {}, &ApiEntry::key));

}  // namespace

std::span<const ApiEntry> api_table() { return entries; }

const ApiEntry* find_api(int16_t key) {
    if (key < 0 || key > key_last || places[key] < 0) return nullptr;
    return &entries[places[key]];
}

int16_t request_header_version(const ApiEntry& api, int16_t version) {
    return version >= api.flexible_since ? 2 : 1;
}

int16_t response_header_version(const ApiEntry& api, int16_t version) {
    if (api.key == ApiVersionsRequest::api.key) return 0;
    return version >= api.flexible_since ? 1 : 0;
}

}  // namespace millrace::wire
