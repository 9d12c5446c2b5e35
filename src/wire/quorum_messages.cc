// Codecs of messages: brokers, controllers and the metadata quorum.
#include "millrace/wire/add_raft_voter.h"
#include "millrace/wire/alter_partition.h"
#include "millrace/wire/assign_replicas_to_dirs.h"
#include "millrace/wire/begin_quorum_epoch.h"
#include "millrace/wire/broker_heartbeat.h"
#include "millrace/wire/broker_registration.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/controller_registration.h"
#include "millrace/wire/describe_quorum.h"
#include "millrace/wire/end_quorum_epoch.h"
#include "millrace/wire/fetch_snapshot.h"
#include "millrace/wire/remove_raft_voter.h"
#include "millrace/wire/unregister_broker.h"
#include "millrace/wire/update_raft_voter.h"
#include "millrace/wire/vote.h"

namespace millrace::wire {

template struct Codec<VoteRequest>;
template struct Codec<VoteResponse>;
template struct Codec<BeginQuorumEpochRequest>;
template struct Codec<BeginQuorumEpochResponse>;
template struct Codec<EndQuorumEpochRequest>;
template struct Codec<EndQuorumEpochResponse>;
template struct Codec<DescribeQuorumRequest>;
template struct Codec<DescribeQuorumResponse>;
template struct Codec<AlterPartitionRequest>;
template struct Codec<AlterPartitionResponse>;
template struct Codec<FetchSnapshotRequest>;
template struct Codec<FetchSnapshotResponse>;
template struct Codec<BrokerRegistrationRequest>;
template struct Codec<BrokerRegistrationResponse>;
template struct Codec<BrokerHeartbeatRequest>;
template struct Codec<BrokerHeartbeatResponse>;
template struct Codec<UnregisterBrokerRequest>;
template struct Codec<UnregisterBrokerResponse>;
template struct Codec<ControllerRegistrationRequest>;
template struct Codec<ControllerRegistrationResponse>;
template struct Codec<AssignReplicasToDirsRequest>;
template struct Codec<AssignReplicasToDirsResponse>;
template struct Codec<AddRaftVoterRequest>;
template struct Codec<AddRaftVoterResponse>;
template struct Codec<RemoveRaftVoterRequest>;
template struct Codec<RemoveRaftVoterResponse>;
template struct Codec<UpdateRaftVoterRequest>;
template struct Codec<UpdateRaftVoterResponse>;

}  // namespace millrace::wire
