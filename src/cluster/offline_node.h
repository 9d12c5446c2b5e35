// A stopped node's metadata and logs, opened by a tool as if the node had one shard.
//
// What always holds: all its partitions are loaded before its journals are begun anew, so that nothing that
// they say is lost; nothing is served.
#pragma once
#include "millrace/cluster.h"
#include "millrace/log.h"

namespace millrace {

class OfflineNode final : CommitListener, MetadataStore, LogListener {
 public:
    OfflineNode(Io& io, std::string directory) : io_(io), directory_(std::move(directory)) {}

    // A directory without an identity gets this one. kafka_storage_error; corrupt_message,
    // unsupported_version: its metadata cannot be read.
    Task<Result<>> open(NodeIdentity if_new);
    Task<Result<>> propose(MetadataRecords records);
    // A partition that the metadata has now.
    Task<Result<Log*>> load(std::string topic, int32_t index);
    Task<Result<>> close();

    const MetadataState& state() const { return *state_; }
    const NodeIdentity& identity() const { return identity_; }

 private:
    Task<Result<>> open_logs();
    void on_committed(Bytes batch) override;
    Task<Result<void>> append(Bytes batch) override;
    Task<Result<std::vector<uint8_t>>> read(Offset from) override;
    void on_progress(Log&) override { moved_.notify_all(); }
    void on_failed(Log&, Error) override { moved_.notify_all(); }

    Io& io_;
    const std::string directory_;
    NodeIdentity identity_;
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<MetadataState> state_;
    std::unique_ptr<SingleMetadataLog> metadata_;
    Log* log_ = nullptr;  // The metadata's.
    Error unreadable_ = Error::none;
    Signal moved_;
};

}  // namespace millrace
