// Every message by its name.
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
#include "millrace/wire/broker_records.h"
#include "millrace/wire/broker_registration.h"
#include "millrace/wire/classic_group_records.h"
#include "millrace/wire/cluster_records.h"
#include "millrace/wire/consumer_group_describe.h"
#include "millrace/wire/consumer_group_heartbeat.h"
#include "millrace/wire/consumer_group_records.h"
#include "millrace/wire/consumer_protocol.h"
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
#include "millrace/wire/headers.h"
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
#include "millrace/wire/offset_records.h"
#include "millrace/wire/principal.h"
#include "millrace/wire/produce.h"
#include "millrace/wire/producer_snapshot.h"
#include "millrace/wire/push_telemetry.h"
#include "millrace/wire/raft_records.h"
#include "millrace/wire/read_share_group_state.h"
#include "millrace/wire/read_share_group_state_summary.h"
#include "millrace/wire/remote_log_records.h"
#include "millrace/wire/remove_raft_voter.h"
#include "millrace/wire/renew_delegation_token.h"
#include "millrace/wire/sasl_authenticate.h"
#include "millrace/wire/sasl_handshake.h"
#include "millrace/wire/security_records.h"
#include "millrace/wire/share_acknowledge.h"
#include "millrace/wire/share_fetch.h"
#include "millrace/wire/share_group_describe.h"
#include "millrace/wire/share_group_heartbeat.h"
#include "millrace/wire/share_group_records.h"
#include "millrace/wire/share_state_records.h"
#include "millrace/wire/streams_group_describe.h"
#include "millrace/wire/streams_group_heartbeat.h"
#include "millrace/wire/streams_group_records.h"
#include "millrace/wire/sync_group.h"
#include "millrace/wire/topic_records.h"
#include "millrace/wire/transaction_records.h"
#include "millrace/wire/txn_offset_commit.h"
#include "millrace/wire/unregister_broker.h"
#include "millrace/wire/update_features.h"
#include "millrace/wire/update_raft_voter.h"
#include "millrace/wire/vote.h"
#include "millrace/wire/write_share_group_state.h"
#include "millrace/wire/write_txn_markers.h"
#include "tests/wire/golden.h"
#include "tests/wire/json_writer.h"

namespace millrace::wire::test {
namespace {

template <class T> bool recode(Bytes body, int16_t version, Arena& memory, Writer& out) {
    const auto message = decode<T>(body, version, memory);
    if (message) encode(out, *message, version);
    return message.has_value();
}

template <class T> std::string json_of(const T& message, int16_t version) {
    JsonWriter writer{version};
    writer.put(message);
    return writer.text();
}

template <class T> std::string json(Bytes body, int16_t version) {
    Arena memory;
    const auto message = decode<T>(body, version, memory);
    return message ? json_of(*message, version) : "\"refused\"";
}

template <class T> std::string default_json(int16_t version) { return json_of(T{}, version); }

template <class T> std::string text(Bytes body, int16_t version) {
    Arena memory;
    const auto message = decode<T>(body, version, memory);
    return message ? to_text(*message, version) : "refused";
}

template <class T> constexpr MessageUses uses() {
    return {T::api, recode<T>, json<T>, default_json<T>, text<T>};
}

struct Named {
    const char* name;
    MessageUses uses;
};
// A plain table: a map with so many initialisers takes a compiler minutes.
constexpr Named table[] = {
    {"ProduceRequest", uses<ProduceRequest>()},
    {"ProduceResponse", uses<ProduceResponse>()},
    {"FetchRequest", uses<FetchRequest>()},
    {"FetchResponse", uses<FetchResponse>()},
    {"ListOffsetsRequest", uses<ListOffsetsRequest>()},
    {"ListOffsetsResponse", uses<ListOffsetsResponse>()},
    {"MetadataRequest", uses<MetadataRequest>()},
    {"MetadataResponse", uses<MetadataResponse>()},
    {"OffsetCommitRequest", uses<OffsetCommitRequest>()},
    {"OffsetCommitResponse", uses<OffsetCommitResponse>()},
    {"OffsetFetchRequest", uses<OffsetFetchRequest>()},
    {"OffsetFetchResponse", uses<OffsetFetchResponse>()},
    {"FindCoordinatorRequest", uses<FindCoordinatorRequest>()},
    {"FindCoordinatorResponse", uses<FindCoordinatorResponse>()},
    {"JoinGroupRequest", uses<JoinGroupRequest>()},
    {"JoinGroupResponse", uses<JoinGroupResponse>()},
    {"HeartbeatRequest", uses<HeartbeatRequest>()},
    {"HeartbeatResponse", uses<HeartbeatResponse>()},
    {"LeaveGroupRequest", uses<LeaveGroupRequest>()},
    {"LeaveGroupResponse", uses<LeaveGroupResponse>()},
    {"SyncGroupRequest", uses<SyncGroupRequest>()},
    {"SyncGroupResponse", uses<SyncGroupResponse>()},
    {"DescribeGroupsRequest", uses<DescribeGroupsRequest>()},
    {"DescribeGroupsResponse", uses<DescribeGroupsResponse>()},
    {"ListGroupsRequest", uses<ListGroupsRequest>()},
    {"ListGroupsResponse", uses<ListGroupsResponse>()},
    {"SaslHandshakeRequest", uses<SaslHandshakeRequest>()},
    {"SaslHandshakeResponse", uses<SaslHandshakeResponse>()},
    {"ApiVersionsRequest", uses<ApiVersionsRequest>()},
    {"ApiVersionsResponse", uses<ApiVersionsResponse>()},
    {"CreateTopicsRequest", uses<CreateTopicsRequest>()},
    {"CreateTopicsResponse", uses<CreateTopicsResponse>()},
    {"DeleteTopicsRequest", uses<DeleteTopicsRequest>()},
    {"DeleteTopicsResponse", uses<DeleteTopicsResponse>()},
    {"DeleteRecordsRequest", uses<DeleteRecordsRequest>()},
    {"DeleteRecordsResponse", uses<DeleteRecordsResponse>()},
    {"InitProducerIdRequest", uses<InitProducerIdRequest>()},
    {"InitProducerIdResponse", uses<InitProducerIdResponse>()},
    {"OffsetForLeaderEpochRequest", uses<OffsetForLeaderEpochRequest>()},
    {"OffsetForLeaderEpochResponse", uses<OffsetForLeaderEpochResponse>()},
    {"AddPartitionsToTxnRequest", uses<AddPartitionsToTxnRequest>()},
    {"AddPartitionsToTxnResponse", uses<AddPartitionsToTxnResponse>()},
    {"AddOffsetsToTxnRequest", uses<AddOffsetsToTxnRequest>()},
    {"AddOffsetsToTxnResponse", uses<AddOffsetsToTxnResponse>()},
    {"EndTxnRequest", uses<EndTxnRequest>()},
    {"EndTxnResponse", uses<EndTxnResponse>()},
    {"WriteTxnMarkersRequest", uses<WriteTxnMarkersRequest>()},
    {"WriteTxnMarkersResponse", uses<WriteTxnMarkersResponse>()},
    {"TxnOffsetCommitRequest", uses<TxnOffsetCommitRequest>()},
    {"TxnOffsetCommitResponse", uses<TxnOffsetCommitResponse>()},
    {"DescribeAclsRequest", uses<DescribeAclsRequest>()},
    {"DescribeAclsResponse", uses<DescribeAclsResponse>()},
    {"CreateAclsRequest", uses<CreateAclsRequest>()},
    {"CreateAclsResponse", uses<CreateAclsResponse>()},
    {"DeleteAclsRequest", uses<DeleteAclsRequest>()},
    {"DeleteAclsResponse", uses<DeleteAclsResponse>()},
    {"DescribeConfigsRequest", uses<DescribeConfigsRequest>()},
    {"DescribeConfigsResponse", uses<DescribeConfigsResponse>()},
    {"AlterConfigsRequest", uses<AlterConfigsRequest>()},
    {"AlterConfigsResponse", uses<AlterConfigsResponse>()},
    {"AlterReplicaLogDirsRequest", uses<AlterReplicaLogDirsRequest>()},
    {"AlterReplicaLogDirsResponse", uses<AlterReplicaLogDirsResponse>()},
    {"DescribeLogDirsRequest", uses<DescribeLogDirsRequest>()},
    {"DescribeLogDirsResponse", uses<DescribeLogDirsResponse>()},
    {"SaslAuthenticateRequest", uses<SaslAuthenticateRequest>()},
    {"SaslAuthenticateResponse", uses<SaslAuthenticateResponse>()},
    {"CreatePartitionsRequest", uses<CreatePartitionsRequest>()},
    {"CreatePartitionsResponse", uses<CreatePartitionsResponse>()},
    {"CreateDelegationTokenRequest", uses<CreateDelegationTokenRequest>()},
    {"CreateDelegationTokenResponse", uses<CreateDelegationTokenResponse>()},
    {"RenewDelegationTokenRequest", uses<RenewDelegationTokenRequest>()},
    {"RenewDelegationTokenResponse", uses<RenewDelegationTokenResponse>()},
    {"ExpireDelegationTokenRequest", uses<ExpireDelegationTokenRequest>()},
    {"ExpireDelegationTokenResponse", uses<ExpireDelegationTokenResponse>()},
    {"DescribeDelegationTokenRequest", uses<DescribeDelegationTokenRequest>()},
    {"DescribeDelegationTokenResponse", uses<DescribeDelegationTokenResponse>()},
    {"DeleteGroupsRequest", uses<DeleteGroupsRequest>()},
    {"DeleteGroupsResponse", uses<DeleteGroupsResponse>()},
    {"ElectLeadersRequest", uses<ElectLeadersRequest>()},
    {"ElectLeadersResponse", uses<ElectLeadersResponse>()},
    {"IncrementalAlterConfigsRequest", uses<IncrementalAlterConfigsRequest>()},
    {"IncrementalAlterConfigsResponse", uses<IncrementalAlterConfigsResponse>()},
    {"AlterPartitionReassignmentsRequest", uses<AlterPartitionReassignmentsRequest>()},
    {"AlterPartitionReassignmentsResponse", uses<AlterPartitionReassignmentsResponse>()},
    {"ListPartitionReassignmentsRequest", uses<ListPartitionReassignmentsRequest>()},
    {"ListPartitionReassignmentsResponse", uses<ListPartitionReassignmentsResponse>()},
    {"OffsetDeleteRequest", uses<OffsetDeleteRequest>()},
    {"OffsetDeleteResponse", uses<OffsetDeleteResponse>()},
    {"DescribeClientQuotasRequest", uses<DescribeClientQuotasRequest>()},
    {"DescribeClientQuotasResponse", uses<DescribeClientQuotasResponse>()},
    {"AlterClientQuotasRequest", uses<AlterClientQuotasRequest>()},
    {"AlterClientQuotasResponse", uses<AlterClientQuotasResponse>()},
    {"DescribeUserScramCredentialsRequest", uses<DescribeUserScramCredentialsRequest>()},
    {"DescribeUserScramCredentialsResponse", uses<DescribeUserScramCredentialsResponse>()},
    {"AlterUserScramCredentialsRequest", uses<AlterUserScramCredentialsRequest>()},
    {"AlterUserScramCredentialsResponse", uses<AlterUserScramCredentialsResponse>()},
    {"VoteRequest", uses<VoteRequest>()},
    {"VoteResponse", uses<VoteResponse>()},
    {"BeginQuorumEpochRequest", uses<BeginQuorumEpochRequest>()},
    {"BeginQuorumEpochResponse", uses<BeginQuorumEpochResponse>()},
    {"EndQuorumEpochRequest", uses<EndQuorumEpochRequest>()},
    {"EndQuorumEpochResponse", uses<EndQuorumEpochResponse>()},
    {"DescribeQuorumRequest", uses<DescribeQuorumRequest>()},
    {"DescribeQuorumResponse", uses<DescribeQuorumResponse>()},
    {"AlterPartitionRequest", uses<AlterPartitionRequest>()},
    {"AlterPartitionResponse", uses<AlterPartitionResponse>()},
    {"UpdateFeaturesRequest", uses<UpdateFeaturesRequest>()},
    {"UpdateFeaturesResponse", uses<UpdateFeaturesResponse>()},
    {"EnvelopeRequest", uses<EnvelopeRequest>()},
    {"EnvelopeResponse", uses<EnvelopeResponse>()},
    {"FetchSnapshotRequest", uses<FetchSnapshotRequest>()},
    {"FetchSnapshotResponse", uses<FetchSnapshotResponse>()},
    {"DescribeClusterRequest", uses<DescribeClusterRequest>()},
    {"DescribeClusterResponse", uses<DescribeClusterResponse>()},
    {"DescribeProducersRequest", uses<DescribeProducersRequest>()},
    {"DescribeProducersResponse", uses<DescribeProducersResponse>()},
    {"BrokerRegistrationRequest", uses<BrokerRegistrationRequest>()},
    {"BrokerRegistrationResponse", uses<BrokerRegistrationResponse>()},
    {"BrokerHeartbeatRequest", uses<BrokerHeartbeatRequest>()},
    {"BrokerHeartbeatResponse", uses<BrokerHeartbeatResponse>()},
    {"UnregisterBrokerRequest", uses<UnregisterBrokerRequest>()},
    {"UnregisterBrokerResponse", uses<UnregisterBrokerResponse>()},
    {"DescribeTransactionsRequest", uses<DescribeTransactionsRequest>()},
    {"DescribeTransactionsResponse", uses<DescribeTransactionsResponse>()},
    {"ListTransactionsRequest", uses<ListTransactionsRequest>()},
    {"ListTransactionsResponse", uses<ListTransactionsResponse>()},
    {"AllocateProducerIdsRequest", uses<AllocateProducerIdsRequest>()},
    {"AllocateProducerIdsResponse", uses<AllocateProducerIdsResponse>()},
    {"ConsumerGroupHeartbeatRequest", uses<ConsumerGroupHeartbeatRequest>()},
    {"ConsumerGroupHeartbeatResponse", uses<ConsumerGroupHeartbeatResponse>()},
    {"ConsumerGroupDescribeRequest", uses<ConsumerGroupDescribeRequest>()},
    {"ConsumerGroupDescribeResponse", uses<ConsumerGroupDescribeResponse>()},
    {"ControllerRegistrationRequest", uses<ControllerRegistrationRequest>()},
    {"ControllerRegistrationResponse", uses<ControllerRegistrationResponse>()},
    {"GetTelemetrySubscriptionsRequest", uses<GetTelemetrySubscriptionsRequest>()},
    {"GetTelemetrySubscriptionsResponse", uses<GetTelemetrySubscriptionsResponse>()},
    {"PushTelemetryRequest", uses<PushTelemetryRequest>()},
    {"PushTelemetryResponse", uses<PushTelemetryResponse>()},
    {"AssignReplicasToDirsRequest", uses<AssignReplicasToDirsRequest>()},
    {"AssignReplicasToDirsResponse", uses<AssignReplicasToDirsResponse>()},
    {"ListConfigResourcesRequest", uses<ListConfigResourcesRequest>()},
    {"ListConfigResourcesResponse", uses<ListConfigResourcesResponse>()},
    {"DescribeTopicPartitionsRequest", uses<DescribeTopicPartitionsRequest>()},
    {"DescribeTopicPartitionsResponse", uses<DescribeTopicPartitionsResponse>()},
    {"ShareGroupHeartbeatRequest", uses<ShareGroupHeartbeatRequest>()},
    {"ShareGroupHeartbeatResponse", uses<ShareGroupHeartbeatResponse>()},
    {"ShareGroupDescribeRequest", uses<ShareGroupDescribeRequest>()},
    {"ShareGroupDescribeResponse", uses<ShareGroupDescribeResponse>()},
    {"ShareFetchRequest", uses<ShareFetchRequest>()},
    {"ShareFetchResponse", uses<ShareFetchResponse>()},
    {"ShareAcknowledgeRequest", uses<ShareAcknowledgeRequest>()},
    {"ShareAcknowledgeResponse", uses<ShareAcknowledgeResponse>()},
    {"AddRaftVoterRequest", uses<AddRaftVoterRequest>()},
    {"AddRaftVoterResponse", uses<AddRaftVoterResponse>()},
    {"RemoveRaftVoterRequest", uses<RemoveRaftVoterRequest>()},
    {"RemoveRaftVoterResponse", uses<RemoveRaftVoterResponse>()},
    {"UpdateRaftVoterRequest", uses<UpdateRaftVoterRequest>()},
    {"UpdateRaftVoterResponse", uses<UpdateRaftVoterResponse>()},
    {"InitializeShareGroupStateRequest", uses<InitializeShareGroupStateRequest>()},
    {"InitializeShareGroupStateResponse", uses<InitializeShareGroupStateResponse>()},
    {"ReadShareGroupStateRequest", uses<ReadShareGroupStateRequest>()},
    {"ReadShareGroupStateResponse", uses<ReadShareGroupStateResponse>()},
    {"WriteShareGroupStateRequest", uses<WriteShareGroupStateRequest>()},
    {"WriteShareGroupStateResponse", uses<WriteShareGroupStateResponse>()},
    {"DeleteShareGroupStateRequest", uses<DeleteShareGroupStateRequest>()},
    {"DeleteShareGroupStateResponse", uses<DeleteShareGroupStateResponse>()},
    {"ReadShareGroupStateSummaryRequest", uses<ReadShareGroupStateSummaryRequest>()},
    {"ReadShareGroupStateSummaryResponse", uses<ReadShareGroupStateSummaryResponse>()},
    {"StreamsGroupHeartbeatRequest", uses<StreamsGroupHeartbeatRequest>()},
    {"StreamsGroupHeartbeatResponse", uses<StreamsGroupHeartbeatResponse>()},
    {"StreamsGroupDescribeRequest", uses<StreamsGroupDescribeRequest>()},
    {"StreamsGroupDescribeResponse", uses<StreamsGroupDescribeResponse>()},
    {"DescribeShareGroupOffsetsRequest", uses<DescribeShareGroupOffsetsRequest>()},
    {"DescribeShareGroupOffsetsResponse", uses<DescribeShareGroupOffsetsResponse>()},
    {"AlterShareGroupOffsetsRequest", uses<AlterShareGroupOffsetsRequest>()},
    {"AlterShareGroupOffsetsResponse", uses<AlterShareGroupOffsetsResponse>()},
    {"DeleteShareGroupOffsetsRequest", uses<DeleteShareGroupOffsetsRequest>()},
    {"DeleteShareGroupOffsetsResponse", uses<DeleteShareGroupOffsetsResponse>()},
    {"RequestHeader", uses<RequestHeader>()},
    {"ResponseHeader", uses<ResponseHeader>()},
    {"LegacyOffsetCommitKey", uses<LegacyOffsetCommitKey>()},
    {"LegacyOffsetCommitValue", uses<LegacyOffsetCommitValue>()},
    {"OffsetCommitKey", uses<OffsetCommitKey>()},
    {"OffsetCommitValue", uses<OffsetCommitValue>()},
    {"GroupMetadataKey", uses<GroupMetadataKey>()},
    {"GroupMetadataValue", uses<GroupMetadataValue>()},
    {"ConsumerGroupMetadataKey", uses<ConsumerGroupMetadataKey>()},
    {"ConsumerGroupMetadataValue", uses<ConsumerGroupMetadataValue>()},
    {"ConsumerGroupPartitionMetadataKey", uses<ConsumerGroupPartitionMetadataKey>()},
    {"ConsumerGroupPartitionMetadataValue", uses<ConsumerGroupPartitionMetadataValue>()},
    {"ConsumerGroupMemberMetadataKey", uses<ConsumerGroupMemberMetadataKey>()},
    {"ConsumerGroupMemberMetadataValue", uses<ConsumerGroupMemberMetadataValue>()},
    {"ConsumerGroupTargetAssignmentMetadataKey", uses<ConsumerGroupTargetAssignmentMetadataKey>()},
    {"ConsumerGroupTargetAssignmentMetadataValue", uses<ConsumerGroupTargetAssignmentMetadataValue>()},
    {"ConsumerGroupTargetAssignmentMemberKey", uses<ConsumerGroupTargetAssignmentMemberKey>()},
    {"ConsumerGroupTargetAssignmentMemberValue", uses<ConsumerGroupTargetAssignmentMemberValue>()},
    {"ConsumerGroupCurrentMemberAssignmentKey", uses<ConsumerGroupCurrentMemberAssignmentKey>()},
    {"ConsumerGroupCurrentMemberAssignmentValue", uses<ConsumerGroupCurrentMemberAssignmentValue>()},
    {"ConsumerGroupRegularExpressionKey", uses<ConsumerGroupRegularExpressionKey>()},
    {"ConsumerGroupRegularExpressionValue", uses<ConsumerGroupRegularExpressionValue>()},
    {"ShareGroupMemberMetadataKey", uses<ShareGroupMemberMetadataKey>()},
    {"ShareGroupMemberMetadataValue", uses<ShareGroupMemberMetadataValue>()},
    {"ShareGroupMetadataKey", uses<ShareGroupMetadataKey>()},
    {"ShareGroupMetadataValue", uses<ShareGroupMetadataValue>()},
    {"ShareGroupTargetAssignmentMetadataKey", uses<ShareGroupTargetAssignmentMetadataKey>()},
    {"ShareGroupTargetAssignmentMetadataValue", uses<ShareGroupTargetAssignmentMetadataValue>()},
    {"ShareGroupTargetAssignmentMemberKey", uses<ShareGroupTargetAssignmentMemberKey>()},
    {"ShareGroupTargetAssignmentMemberValue", uses<ShareGroupTargetAssignmentMemberValue>()},
    {"ShareGroupCurrentMemberAssignmentKey", uses<ShareGroupCurrentMemberAssignmentKey>()},
    {"ShareGroupCurrentMemberAssignmentValue", uses<ShareGroupCurrentMemberAssignmentValue>()},
    {"ShareGroupStatePartitionMetadataKey", uses<ShareGroupStatePartitionMetadataKey>()},
    {"ShareGroupStatePartitionMetadataValue", uses<ShareGroupStatePartitionMetadataValue>()},
    {"StreamsGroupMetadataKey", uses<StreamsGroupMetadataKey>()},
    {"StreamsGroupMetadataValue", uses<StreamsGroupMetadataValue>()},
    {"StreamsGroupMemberMetadataKey", uses<StreamsGroupMemberMetadataKey>()},
    {"StreamsGroupMemberMetadataValue", uses<StreamsGroupMemberMetadataValue>()},
    {"StreamsGroupTargetAssignmentMetadataKey", uses<StreamsGroupTargetAssignmentMetadataKey>()},
    {"StreamsGroupTargetAssignmentMetadataValue", uses<StreamsGroupTargetAssignmentMetadataValue>()},
    {"StreamsGroupTargetAssignmentMemberKey", uses<StreamsGroupTargetAssignmentMemberKey>()},
    {"StreamsGroupTargetAssignmentMemberValue", uses<StreamsGroupTargetAssignmentMemberValue>()},
    {"StreamsGroupCurrentMemberAssignmentKey", uses<StreamsGroupCurrentMemberAssignmentKey>()},
    {"StreamsGroupCurrentMemberAssignmentValue", uses<StreamsGroupCurrentMemberAssignmentValue>()},
    {"StreamsGroupTopologyKey", uses<StreamsGroupTopologyKey>()},
    {"StreamsGroupTopologyValue", uses<StreamsGroupTopologyValue>()},
    {"ShareSnapshotKey", uses<ShareSnapshotKey>()},
    {"ShareSnapshotValue", uses<ShareSnapshotValue>()},
    {"ShareUpdateKey", uses<ShareUpdateKey>()},
    {"ShareUpdateValue", uses<ShareUpdateValue>()},
    {"TransactionLogKey", uses<TransactionLogKey>()},
    {"TransactionLogValue", uses<TransactionLogValue>()},
    {"ControlRecordTypeSchema", uses<ControlRecordTypeSchema>()},
    {"EndTxnMarker", uses<EndTxnMarker>()},
    {"ConsumerProtocolSubscription", uses<ConsumerProtocolSubscription>()},
    {"ConsumerProtocolAssignment", uses<ConsumerProtocolAssignment>()},
    {"LeaderChangeMessage", uses<LeaderChangeMessage>()},
    {"SnapshotHeaderRecord", uses<SnapshotHeaderRecord>()},
    {"SnapshotFooterRecord", uses<SnapshotFooterRecord>()},
    {"KRaftVersionRecord", uses<KRaftVersionRecord>()},
    {"VotersRecord", uses<VotersRecord>()},
    {"QuorumStateData", uses<QuorumStateData>()},
    {"DefaultPrincipalData", uses<DefaultPrincipalData>()},
    {"ProducerSnapshot", uses<ProducerSnapshot>()},
    {"TopicRecord", uses<TopicRecord>()},
    {"PartitionRecord", uses<PartitionRecord>()},
    {"PartitionChangeRecord", uses<PartitionChangeRecord>()},
    {"RemoveTopicRecord", uses<RemoveTopicRecord>()},
    {"ConfigRecord", uses<ConfigRecord>()},
    {"ClearElrRecord", uses<ClearElrRecord>()},
    {"RegisterBrokerRecord", uses<RegisterBrokerRecord>()},
    {"UnregisterBrokerRecord", uses<UnregisterBrokerRecord>()},
    {"FenceBrokerRecord", uses<FenceBrokerRecord>()},
    {"UnfenceBrokerRecord", uses<UnfenceBrokerRecord>()},
    {"BrokerRegistrationChangeRecord", uses<BrokerRegistrationChangeRecord>()},
    {"RegisterControllerRecord", uses<RegisterControllerRecord>()},
    {"AccessControlEntryRecord", uses<AccessControlEntryRecord>()},
    {"RemoveAccessControlEntryRecord", uses<RemoveAccessControlEntryRecord>()},
    {"UserScramCredentialRecord", uses<UserScramCredentialRecord>()},
    {"RemoveUserScramCredentialRecord", uses<RemoveUserScramCredentialRecord>()},
    {"DelegationTokenRecord", uses<DelegationTokenRecord>()},
    {"RemoveDelegationTokenRecord", uses<RemoveDelegationTokenRecord>()},
    {"ClientQuotaRecord", uses<ClientQuotaRecord>()},
    {"FeatureLevelRecord", uses<FeatureLevelRecord>()},
    {"ProducerIdsRecord", uses<ProducerIdsRecord>()},
    {"ZkMigrationStateRecord", uses<ZkMigrationStateRecord>()},
    {"NoOpRecord", uses<NoOpRecord>()},
    {"BeginTransactionRecord", uses<BeginTransactionRecord>()},
    {"EndTransactionRecord", uses<EndTransactionRecord>()},
    {"AbortTransactionRecord", uses<AbortTransactionRecord>()},
    {"RemoteLogSegmentMetadataRecord", uses<RemoteLogSegmentMetadataRecord>()},
    {"RemoteLogSegmentMetadataUpdateRecord", uses<RemoteLogSegmentMetadataUpdateRecord>()},
    {"RemotePartitionDeleteMetadataRecord", uses<RemotePartitionDeleteMetadataRecord>()},
    {"RemoteLogSegmentMetadataSnapshotRecord", uses<RemoteLogSegmentMetadataSnapshotRecord>()},
};

}  // namespace

const std::map<std::string, MessageUses>& all_messages() {
    static const auto all = [] {
        std::map<std::string, MessageUses> by_name;
        for (const Named& named : table) by_name.emplace(named.name, named.uses);
        return by_name;
    }();
    return all;
}

}  // namespace millrace::wire::test
