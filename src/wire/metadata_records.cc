// Codecs of internal records: headers, the metadata log, KRaft and tiered storage.
#include "millrace/wire/broker_records.h"
#include "millrace/wire/cluster_records.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/headers.h"
#include "millrace/wire/principal.h"
#include "millrace/wire/raft_records.h"
#include "millrace/wire/remote_log_records.h"
#include "millrace/wire/security_records.h"
#include "millrace/wire/topic_records.h"

namespace millrace::wire {

template struct Codec<RequestHeader>;
template struct Codec<ResponseHeader>;
template struct Codec<LeaderChangeMessage>;
template struct Codec<SnapshotHeaderRecord>;
template struct Codec<SnapshotFooterRecord>;
template struct Codec<KRaftVersionRecord>;
template struct Codec<VotersRecord>;
template struct Codec<QuorumStateData>;
template struct Codec<DefaultPrincipalData>;
template struct Codec<TopicRecord>;
template struct Codec<PartitionRecord>;
template struct Codec<PartitionChangeRecord>;
template struct Codec<RemoveTopicRecord>;
template struct Codec<ConfigRecord>;
template struct Codec<ClearElrRecord>;
template struct Codec<RegisterBrokerRecord>;
template struct Codec<UnregisterBrokerRecord>;
template struct Codec<FenceBrokerRecord>;
template struct Codec<UnfenceBrokerRecord>;
template struct Codec<BrokerRegistrationChangeRecord>;
template struct Codec<RegisterControllerRecord>;
template struct Codec<AccessControlEntryRecord>;
template struct Codec<RemoveAccessControlEntryRecord>;
template struct Codec<UserScramCredentialRecord>;
template struct Codec<RemoveUserScramCredentialRecord>;
template struct Codec<DelegationTokenRecord>;
template struct Codec<RemoveDelegationTokenRecord>;
template struct Codec<ClientQuotaRecord>;
template struct Codec<FeatureLevelRecord>;
template struct Codec<ProducerIdsRecord>;
template struct Codec<ZkMigrationStateRecord>;
template struct Codec<NoOpRecord>;
template struct Codec<BeginTransactionRecord>;
template struct Codec<EndTransactionRecord>;
template struct Codec<AbortTransactionRecord>;
template struct Codec<RemoteLogSegmentMetadataRecord>;
template struct Codec<RemoteLogSegmentMetadataUpdateRecord>;
template struct Codec<RemotePartitionDeleteMetadataRecord>;
template struct Codec<RemoteLogSegmentMetadataSnapshotRecord>;

}  // namespace millrace::wire
