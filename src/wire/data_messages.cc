// Codecs of messages: what producers and consumers send all day.
#include "millrace/wire/api_versions.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/delete_records.h"
#include "millrace/wire/describe_cluster.h"
#include "millrace/wire/describe_topic_partitions.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/list_offsets.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_for_leader_epoch.h"
#include "millrace/wire/produce.h"

namespace millrace::wire {

template struct Codec<ProduceRequest>;
template struct Codec<ProduceResponse>;
template struct Codec<FetchRequest>;
template struct Codec<FetchResponse>;
template struct Codec<ListOffsetsRequest>;
template struct Codec<ListOffsetsResponse>;
template struct Codec<MetadataRequest>;
template struct Codec<MetadataResponse>;
template struct Codec<OffsetForLeaderEpochRequest>;
template struct Codec<OffsetForLeaderEpochResponse>;
template struct Codec<DeleteRecordsRequest>;
template struct Codec<DeleteRecordsResponse>;
template struct Codec<DescribeTopicPartitionsRequest>;
template struct Codec<DescribeTopicPartitionsResponse>;
template struct Codec<ApiVersionsRequest>;
template struct Codec<ApiVersionsResponse>;
template struct Codec<DescribeClusterRequest>;
template struct Codec<DescribeClusterResponse>;

}  // namespace millrace::wire
