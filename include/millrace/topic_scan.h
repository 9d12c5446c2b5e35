// The topics that a metadata log on disk speaks of, Kafka's or ours: names, ids, partitions, settings.
//
// For tools that stand beside a stopped directory. Records that say nothing of topics are passed over,
// whatever their version.
#pragma once
#include "millrace/base.h"
#include "millrace/config.h"
#include "millrace/io.h"

namespace millrace {

struct ScannedTopic {
    Uuid id;
    int32_t partitions = 0;
    ConfigMap configs;  // Overrides only.
};
using ScannedTopics = std::map<std::string, ScannedTopic, std::less<>>;

// `directory` is that of the log (".../__cluster_metadata-0"): its newest snapshot, where there is one, and
// the segments from there on. Empty when there is no such directory. corrupt_message: a record cannot be
// read; kafka_storage_error: the device refuses.
Task<Result<ScannedTopics>> scan_topics(Io& io, std::string directory);

}  // namespace millrace
