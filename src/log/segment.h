// One file of a partition's log: whole batches in offset order, never changed once written.
//
// What always holds: base <= first offset in it; out <= size; only the last segment of a log grows. `out` is
// how many of its bytes are durable in the file; the rest is in memory and in the journal. Owned by its log.
#pragma once
#include <memory>

#include "descriptors.h"
#include "index.h"
#include "sums.h"

namespace millrace {

struct Segment {
    Offset base;
    uint32_t version = 0;          // Rises when another file takes its place.
    uint64_t size = 0;             // Bytes of batches.
    uint64_t out = 0;              // Bytes durable in the file.
    uint64_t scheduled = 0;        // Bytes that direct writes under way will have brought out.
    uint64_t allocated = 0;        // Size of the file; 0: there is none yet.
    bool sealed = false;           // Another segment follows it.
    bool final = false;            // Sealed, the file exact, its indexes on disk.
    int64_t first_timestamp = -1;  // The largest of its first batch.
    int64_t max_timestamp = -1;
    int64_t scrubbed_ms = 0;              // When it was last compared with its sums.
    int64_t made_ms = 0;                  // By the wall clock; stands in where batches have no time.
    std::unique_ptr<SegmentIndex> index;  // Until final; then the index cache has it.
    OpenFile* file = nullptr;             // Held open for direct writes.
    size_t entries_written = 0, times_written = 0;  // Of the index, in its files.
    bool index_file_known = false;                  // The files hold exactly those entries.
    SumBuilder sums;                                // Of what is out, while it grows.
};

}  // namespace millrace
