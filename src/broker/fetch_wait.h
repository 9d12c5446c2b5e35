// A fetch that waits for news from several shards at once (KIP-41's purgatory, spread over cores).
#pragma once
#include "fetch_plan.h"

namespace millrace {

// Ends when a shard of the parts has, for them, its share of `bytes_needed` new bytes below the high
// watermark, or at the deadline, or when the connection closes. Looks at no bytes: read again afterwards.
Task<> await_news(Shard& here, const std::vector<std::unique_ptr<FetchPart>>& parts, int64_t bytes_needed,
                  uint64_t deadline_ns);

}  // namespace millrace
