// Codecs of messages: streams groups.
#include "millrace/wire/codec.h"
#include "millrace/wire/streams_group_describe.h"
#include "millrace/wire/streams_group_heartbeat.h"

namespace millrace::wire {

template struct Codec<StreamsGroupHeartbeatRequest>;
template struct Codec<StreamsGroupHeartbeatResponse>;
template struct Codec<StreamsGroupDescribeRequest>;
template struct Codec<StreamsGroupDescribeResponse>;

}  // namespace millrace::wire
