// What cleaning leaves of a batch: the newest record of each key, tombstones until their horizon (KIP-354,
// KIP-534), byte for byte what Apache Kafka's cleaner would leave.
//
// What always holds: offsets, sequences, epochs and the batch's first and last offset stay what they were; a
// batch of which everything stays is not touched. Lives in one cleaning.
#pragma once
#include <optional>
#include <vector>

#include "millrace/batch.h"
#include "offset_map.h"

namespace millrace {

class BatchFilter {
 public:
    struct Rules {
        int64_t now_ms = 0;
        int64_t delete_retention_ms = 0;
    };
    BatchFilter(const OffsetMap& map, Rules rules, Compressor& compressor, Decompressor& decompressor)
        : map_(map), rules_(rules), compressor_(compressor), decompressor_(decompressor) {}

    // The batch's own bytes, those of a new batch (valid until the next call), or nothing. A producer's last
    // batch stays, empty if need be: its sequence is what the producer goes on from. corrupt_message.
    enum class LastOfProducer : bool { no, yes };
    Result<Bytes> filter(const BatchView& batch, LastOfProducer last);

    // Whether what came back last is another size or content than the batch was.
    bool changed() const { return changed_; }

 private:
    struct Found {
        int32_t kept = 0, tombstones = 0, gone = 0;
    };
    bool stays(const BatchView& batch, const Record& record) const;
    Found look(const BatchView& batch, RecordReader& records) const;
    Result<Bytes> build(const BatchView& batch, RecordReader records, std::optional<int64_t> horizon);
    Bytes empty(const BatchView& batch);

    const OffsetMap& map_;
    const Rules rules_;
    Compressor& compressor_;
    Decompressor& decompressor_;
    std::vector<uint8_t> bytes_;
    bool changed_ = false;
};

}  // namespace millrace
