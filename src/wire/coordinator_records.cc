// Codecs of internal records: the coordinators and what partitions keep of them.
#include "millrace/wire/classic_group_records.h"
#include "millrace/wire/codec.h"
#include "millrace/wire/consumer_group_records.h"
#include "millrace/wire/consumer_protocol.h"
#include "millrace/wire/offset_records.h"
#include "millrace/wire/producer_snapshot.h"
#include "millrace/wire/share_group_records.h"
#include "millrace/wire/share_state_records.h"
#include "millrace/wire/streams_group_records.h"
#include "millrace/wire/transaction_records.h"

namespace millrace::wire {

template struct Codec<LegacyOffsetCommitKey>;
template struct Codec<LegacyOffsetCommitValue>;
template struct Codec<OffsetCommitKey>;
template struct Codec<OffsetCommitValue>;
template struct Codec<GroupMetadataKey>;
template struct Codec<GroupMetadataValue>;
template struct Codec<ConsumerGroupMetadataKey>;
template struct Codec<ConsumerGroupMetadataValue>;
template struct Codec<ConsumerGroupPartitionMetadataKey>;
template struct Codec<ConsumerGroupPartitionMetadataValue>;
template struct Codec<ConsumerGroupMemberMetadataKey>;
template struct Codec<ConsumerGroupMemberMetadataValue>;
template struct Codec<ConsumerGroupTargetAssignmentMetadataKey>;
template struct Codec<ConsumerGroupTargetAssignmentMetadataValue>;
template struct Codec<ConsumerGroupTargetAssignmentMemberKey>;
template struct Codec<ConsumerGroupTargetAssignmentMemberValue>;
template struct Codec<ConsumerGroupCurrentMemberAssignmentKey>;
template struct Codec<ConsumerGroupCurrentMemberAssignmentValue>;
template struct Codec<ConsumerGroupRegularExpressionKey>;
template struct Codec<ConsumerGroupRegularExpressionValue>;
template struct Codec<ShareGroupMemberMetadataKey>;
template struct Codec<ShareGroupMemberMetadataValue>;
template struct Codec<ShareGroupMetadataKey>;
template struct Codec<ShareGroupMetadataValue>;
template struct Codec<ShareGroupTargetAssignmentMetadataKey>;
template struct Codec<ShareGroupTargetAssignmentMetadataValue>;
template struct Codec<ShareGroupTargetAssignmentMemberKey>;
template struct Codec<ShareGroupTargetAssignmentMemberValue>;
template struct Codec<ShareGroupCurrentMemberAssignmentKey>;
template struct Codec<ShareGroupCurrentMemberAssignmentValue>;
template struct Codec<ShareGroupStatePartitionMetadataKey>;
template struct Codec<ShareGroupStatePartitionMetadataValue>;
template struct Codec<StreamsGroupMetadataKey>;
template struct Codec<StreamsGroupMetadataValue>;
template struct Codec<StreamsGroupMemberMetadataKey>;
template struct Codec<StreamsGroupMemberMetadataValue>;
template struct Codec<StreamsGroupTargetAssignmentMetadataKey>;
template struct Codec<StreamsGroupTargetAssignmentMetadataValue>;
template struct Codec<StreamsGroupTargetAssignmentMemberKey>;
template struct Codec<StreamsGroupTargetAssignmentMemberValue>;
template struct Codec<StreamsGroupCurrentMemberAssignmentKey>;
template struct Codec<StreamsGroupCurrentMemberAssignmentValue>;
template struct Codec<StreamsGroupTopologyKey>;
template struct Codec<StreamsGroupTopologyValue>;
template struct Codec<ShareSnapshotKey>;
template struct Codec<ShareSnapshotValue>;
template struct Codec<ShareUpdateKey>;
template struct Codec<ShareUpdateValue>;
template struct Codec<TransactionLogKey>;
template struct Codec<TransactionLogValue>;
template struct Codec<ControlRecordTypeSchema>;
template struct Codec<EndTxnMarker>;
template struct Codec<ConsumerProtocolSubscription>;
template struct Codec<ConsumerProtocolAssignment>;
template struct Codec<ProducerSnapshot>;

}  // namespace millrace::wire
