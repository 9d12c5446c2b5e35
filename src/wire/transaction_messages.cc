// Codecs of messages: producers and transactions.
#include "millrace/wire/add_offsets_to_txn.h"
#include "millrace/wire/add_partitions_to_txn.h"
#include "millrace/wire/allocate_producer_ids.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/describe_producers.h"
#include "millrace/wire/describe_transactions.h"
#include "millrace/wire/end_txn.h"
#include "millrace/wire/init_producer_id.h"
#include "millrace/wire/list_transactions.h"
#include "millrace/wire/txn_offset_commit.h"
#include "millrace/wire/write_txn_markers.h"

namespace millrace::wire {

template struct Codec<InitProducerIdRequest>;
template struct Codec<InitProducerIdResponse>;
template struct Codec<AddPartitionsToTxnRequest>;
template struct Codec<AddPartitionsToTxnResponse>;
template struct Codec<AddOffsetsToTxnRequest>;
template struct Codec<AddOffsetsToTxnResponse>;
template struct Codec<EndTxnRequest>;
template struct Codec<EndTxnResponse>;
template struct Codec<WriteTxnMarkersRequest>;
template struct Codec<WriteTxnMarkersResponse>;
template struct Codec<TxnOffsetCommitRequest>;
template struct Codec<TxnOffsetCommitResponse>;
template struct Codec<DescribeProducersRequest>;
template struct Codec<DescribeProducersResponse>;
template struct Codec<DescribeTransactionsRequest>;
template struct Codec<DescribeTransactionsResponse>;
template struct Codec<ListTransactionsRequest>;
template struct Codec<ListTransactionsResponse>;
template struct Codec<AllocateProducerIdsRequest>;
template struct Codec<AllocateProducerIdsResponse>;

}  // namespace millrace::wire
