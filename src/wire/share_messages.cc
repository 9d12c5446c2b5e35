// Codecs of messages: share groups and their state.
#include "millrace/wire/alter_share_group_offsets.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/delete_share_group_offsets.h"
#include "millrace/wire/delete_share_group_state.h"
#include "millrace/wire/describe_share_group_offsets.h"
#include "millrace/wire/initialize_share_group_state.h"
#include "millrace/wire/read_share_group_state.h"
#include "millrace/wire/read_share_group_state_summary.h"
#include "millrace/wire/share_acknowledge.h"
#include "millrace/wire/share_fetch.h"
#include "millrace/wire/share_group_describe.h"
#include "millrace/wire/share_group_heartbeat.h"
#include "millrace/wire/write_share_group_state.h"

namespace millrace::wire {

template struct Codec<ShareGroupHeartbeatRequest>;
template struct Codec<ShareGroupHeartbeatResponse>;
template struct Codec<ShareGroupDescribeRequest>;
template struct Codec<ShareGroupDescribeResponse>;
template struct Codec<ShareFetchRequest>;
template struct Codec<ShareFetchResponse>;
template struct Codec<ShareAcknowledgeRequest>;
template struct Codec<ShareAcknowledgeResponse>;
template struct Codec<InitializeShareGroupStateRequest>;
template struct Codec<InitializeShareGroupStateResponse>;
template struct Codec<ReadShareGroupStateRequest>;
template struct Codec<ReadShareGroupStateResponse>;
template struct Codec<WriteShareGroupStateRequest>;
template struct Codec<WriteShareGroupStateResponse>;
template struct Codec<DeleteShareGroupStateRequest>;
template struct Codec<DeleteShareGroupStateResponse>;
template struct Codec<ReadShareGroupStateSummaryRequest>;
template struct Codec<ReadShareGroupStateSummaryResponse>;
template struct Codec<DescribeShareGroupOffsetsRequest>;
template struct Codec<DescribeShareGroupOffsetsResponse>;
template struct Codec<AlterShareGroupOffsetsRequest>;
template struct Codec<AlterShareGroupOffsetsResponse>;
template struct Codec<DeleteShareGroupOffsetsRequest>;
template struct Codec<DeleteShareGroupOffsetsResponse>;

}  // namespace millrace::wire
