// Metadata records on their way into the log: one batch per proposal, so that they are there together or not.
#include "millrace/batch.h"
#include "millrace/cluster.h"

namespace millrace {

std::vector<uint8_t> MetadataRecords::to_batch(Offset base, Epoch term, int64_t wall_ms) const {
    ASSERT(!empty());
    BatchBuilder builder{{.base_offset = base, .leader_epoch = term}};
    for (const auto& value : values_) builder.add({.timestamp = wall_ms, .value = Bytes{value}});
    return builder.build();
}

}  // namespace millrace
