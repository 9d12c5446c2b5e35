// Taking over the topics of a log directory that Apache Kafka wrote into a stopped node's data directory.
//
// What always holds: Kafka's directory is not changed; a topic is either taken over whole, with all that was
// in it, or not at all; what the node had is not touched.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "millrace/base.h"
#include "millrace/config.h"
#include "millrace/io.h"

namespace millrace {

struct ImportOptions {
    std::string from;                 // One of Kafka's log.dirs.
    std::string metadata;             // Where __cluster_metadata-0 is, if not there (metadata.log.dir).
    std::string data;                 // Made when it is not there.
    std::vector<std::string> topics;  // Empty: all.
    NodeId node{1};                   // Of a directory that is made.
    ConfigMap settings;               // "TOPIC.KEY" -> value; over those of Kafka's metadata.
    bool unclean = false;  // Kafka was not stopped cleanly: what follows the last sound batch is left out.
    bool missing_empty = false;  // Partitions that are not in this directory become empty ones.
    bool takes_aborted = false;  // Records of aborted transactions become visible.
    bool dry_run = false;        // Says which topics would be taken, copies nothing.
};
struct ImportedTopic {
    std::string name;
    std::string refused;  // Why not; empty when it was taken over.
    int32_t partitions = 0;
    uint64_t segments = 0, records = 0, bytes = 0;
};
struct ImportReport {
    std::vector<ImportedTopic> topics;
    size_t refused() const {
        return static_cast<size_t>(
            std::ranges::count_if(topics, [](const auto& t) { return !t.refused.empty(); }));
    }
};
class ImportListener {
 public:
    virtual void on_topic(const ImportedTopic& topic) = 0;
    virtual void on_note(const std::string& topic,
                         const std::string& note) = 0;  // Something was changed or left.

 protected:
    ~ImportListener() = default;
};

// resource_not_found: there is no `from`; invalid_request: it is no log directory of Kafka's (it has no
// meta.properties); broker_not_available: Kafka was not stopped cleanly, or
// runs; unknown_topic_or_partition: it has none of `topics`; corrupt_message: a metadata log cannot be read;
// kafka_storage_error: a device refuses or is full, or `data` cannot be opened.
Task<Result<ImportReport>> import_kafka(Io& io, ImportOptions options, ImportListener& listener);

}  // namespace millrace
