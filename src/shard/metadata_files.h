// Shard 0's side of the metadata: the log's bytes in slot 0, and what happens when a batch is committed.
#pragma once
#include "millrace/shard.h"

namespace millrace {

// `__cluster_metadata-0` in the storage of shard 0.
class Shard::MetadataFiles final : public MetadataStore {
 public:
    MetadataFiles(Shard& shard, Log& log) : shard_(shard), partition_(log, shard.deadlines_, Epoch{0}) {}
    Task<Result<void>> append(Bytes batch) override;
    Task<Result<std::vector<uint8_t>>> read(Offset from) override;
    void resign() { partition_.resign(Error::not_controller); }

 private:
    Shard& shard_;
    Partition partition_;
};

class Shard::Committed final : public CommitListener {
 public:
    explicit Committed(Shard& shard) : shard_(shard) {}
    void on_committed(Bytes batch) override;

 private:
    Shard& shard_;
};

}  // namespace millrace
