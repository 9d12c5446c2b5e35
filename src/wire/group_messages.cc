// Codecs of messages: groups of all kinds, and the offsets of classic ones.
#include "millrace/wire/codec.h"
#include "millrace/wire/consumer_group_describe.h"
#include "millrace/wire/consumer_group_heartbeat.h"
#include "millrace/wire/delete_groups.h"
#include "millrace/wire/describe_groups.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/leave_group.h"
#include "millrace/wire/list_groups.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/offset_delete.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/sync_group.h"

namespace millrace::wire {

template struct Codec<OffsetCommitRequest>;
template struct Codec<OffsetCommitResponse>;
template struct Codec<OffsetFetchRequest>;
template struct Codec<OffsetFetchResponse>;
template struct Codec<FindCoordinatorRequest>;
template struct Codec<FindCoordinatorResponse>;
template struct Codec<JoinGroupRequest>;
template struct Codec<JoinGroupResponse>;
template struct Codec<HeartbeatRequest>;
template struct Codec<HeartbeatResponse>;
template struct Codec<LeaveGroupRequest>;
template struct Codec<LeaveGroupResponse>;
template struct Codec<SyncGroupRequest>;
template struct Codec<SyncGroupResponse>;
template struct Codec<DescribeGroupsRequest>;
template struct Codec<DescribeGroupsResponse>;
template struct Codec<ListGroupsRequest>;
template struct Codec<ListGroupsResponse>;
template struct Codec<DeleteGroupsRequest>;
template struct Codec<DeleteGroupsResponse>;
template struct Codec<OffsetDeleteRequest>;
template struct Codec<OffsetDeleteResponse>;
template struct Codec<ConsumerGroupHeartbeatRequest>;
template struct Codec<ConsumerGroupHeartbeatResponse>;
template struct Codec<ConsumerGroupDescribeRequest>;
template struct Codec<ConsumerGroupDescribeResponse>;

}  // namespace millrace::wire
