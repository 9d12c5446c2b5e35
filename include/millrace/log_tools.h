// Tools for a stopped data directory: showing its files, checking them, mending what can be mended, and
// taking over partitions that Apache Kafka wrote.
//
// They stand on the seam as the broker does; whoever calls them holds the directory's lock and is its only
// user. Paths are the caller's. Memory does not depend on the size of the log, but on that of the journals.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "millrace/batch.h"
#include "millrace/log.h"

namespace millrace {

// ---- Showing -------------------------------------------------------------------------------------------

struct DumpField {
    std::string_view name;  // Static.
    std::string value;
    bool is_number = false;  // Or true, false: bare in JSON.
};
// One line: a batch, a record, an index entry, a journal entry ...
struct DumpRow {
    std::string_view kind;  // Static.
    std::vector<DumpField> fields;
};
class DumpListener {
 public:
    virtual void on_row(const DumpRow& row) = 0;

 protected:
    ~DumpListener() = default;
};

struct DumpOptions {
    std::string path;  // A file, by whose name is told what it is, or a partition's or a journal's directory.
    bool records = false;  // Of .log files: each record too, decompressed.
};
// How many things were wrong (each is a row "bad"). resource_not_found: no such path; invalid_request: no
// file that is known by its name; kafka_storage_error: the device refuses.
Task<Result<uint64_t>> dump_log(Io& io, DumpOptions options, DumpListener& listener);

// Printable UTF-8 as it is, anything else "base64:...".
std::string printable(Bytes bytes);

// Hands over every sound batch of a file of batches (a segment, a metadata snapshot), up to 128 MiB each, in
// order; what is no sound batch is passed over. resource_not_found; kafka_storage_error.
Task<Result<>> each_batch(Io& io, std::string path, std::function<void(const BatchView&)> take);

// ---- Checking ------------------------------------------------------------------------------------------

enum class Severity : uint8_t {
    note,     // Nothing is wrong; somebody may want to know.
    derived,  // Wrong, but made from what is right: repair makes it anew.
    damage,   // Records or identities are wrong or missing.
};
std::string_view severity_name(Severity severity);

enum class FindingKind : uint8_t {
    other,
    identity_copy,       // One of node.meta's two.
    identity,            // Both.
    partition_meta,      // Damaged, or says something else than partition.metadata.
    partition_metadata,  // The same.
    homes,               // Where moved partitions live.
    journal,
    batches,      // Bytes of a segment that are no sound batches, or are not there.
    batch_epoch,  // One batch's leader epoch is not that of its neighbours.
    tail,         // Bytes behind the last batch that were never acknowledged.
    gap,          // Offsets between two batches that nobody has.
    index,        // Or the time index.
    snapshot,
    epochs,
    sum,
    mark,  // What is marked as damaged.
};

struct Finding {
    Severity severity = Severity::note;
    FindingKind kind = FindingKind::other;
    std::string partition;  // The directory's name; empty when it is not about one.
    Offset segment{-1};     // Its base offset.
    std::string file;       // Below the data directory.
    int64_t position = -1;  // In the file; -1: the file as a whole.
    int64_t bytes = -1;
    int64_t first_offset = -1, last_offset = -1;  // -1: not known, or none.
    std::string what, mend;
};
class FindingListener {
 public:
    virtual void on_finding(const Finding& finding) = 0;
    virtual void on_progress(uint64_t /*bytes_read*/, std::string_view /*partition*/) {}

 protected:
    ~FindingListener() = default;
};

struct VerifyOptions {
    std::string directory;
    std::optional<std::string> topic;  // Only its partitions ...
    std::optional<int32_t> partition;  // ... and only this one of each.
    // Topics whose offsets have gaps by right.
    std::function<bool(std::string_view)> is_compacted = [](std::string_view) { return false; };
    uint32_t together = 4;  // Partitions looked at at a time.
};
struct VerifyReport {
    uint64_t partitions = 0, segments = 0, batches = 0, records = 0, bytes = 0;
    uint64_t notes = 0, derived = 0, damage = 0;
    bool is_clean() const { return derived == 0 && damage == 0; }
};
// Looks at everything. resource_not_found: there is no such directory; kafka_storage_error: it cannot be
// listed, or a device refuses (what it refuses of single files is a finding).
Task<Result<VerifyReport>> verify_directory(Io& io, VerifyOptions options, FindingListener& listener);

// ---- Mending -------------------------------------------------------------------------------------------

struct RepairOptions {
    VerifyOptions verify;
    bool dry_run = false;  // Says what would be changed.
    bool discard_damaged =
        false;  // Damaged batches are given up: in their place comes a batch without records.
};
struct Change {
    std::string file;  // Below the data directory.
    std::string what;
    // Records that are given up by it; -1: none.
    int64_t first_lost = -1, last_lost = -1;
};
class RepairListener {
 public:
    virtual void on_change(const Change& change) = 0;  // Before the first one is made.
    virtual void on_made(const Change& change) = 0;    // Durably.
    virtual void on_left(const Finding& finding) = 0;  // What is not mended.
    virtual void on_progress(uint64_t /*bytes_read*/, std::string_view /*partition*/) {}

 protected:
    ~RepairListener() = default;
};
struct RepairReport {
    VerifyReport found;
    uint64_t changes = 0, left = 0;
    uint64_t offsets_lost = 0;
};
inline constexpr size_t changes_max = 100'000;  // Of one call; call again for what is left.

// Looks at everything, lists what it can mend, then mends it. Records are changed or given up only as
// discard_damaged says. Fails as verify_directory, and with kafka_storage_error when something cannot be
// written.
Task<Result<RepairReport>> repair_directory(Io& io, RepairOptions options, RepairListener& listener);

// ---- Names and small files -----------------------------------------------------------------------------

struct PartitionName {
    std::string topic;
    int32_t partition = 0;
};
// Of "clicks-0"; nothing for "clicks-0.12-delete", "clicks", "journal" and the like.
std::optional<PartitionName> partition_name_of(std::string_view directory_name);
// A whole small text; resource_not_found when there is none.
Task<Result<std::string>> read_text(Io& io, std::string path);
// A directory with the files in it; fine when it is not there.
Task<Result<>> remove_directory(Io& io, std::string path);

// ---- Taking over ---------------------------------------------------------------------------------------

struct PartitionSource {
    std::string from;  // The partition's directory as Apache Kafka left it; nothing in it is changed.
    std::string to;    // Is made; what an earlier try left there is removed.
    Uuid topic_id;
    bool cuts_tail = false;      // What follows the last sound batch of the last segment is left out.
    bool takes_aborted = false;  // Records of transactions that were aborted, or never ended, too.
    uint32_t index_interval_bytes = 4096;
};
struct TakenPartition {
    std::string refused;  // Why it was not taken, in one sentence; empty when it was.
    Offset start, end;
    uint64_t segments = 0, batches = 0, records = 0, bytes = 0, cut_bytes = 0;
    ProducerId producer_max{-1};
    Epoch epoch_max{-1};
    bool is_transactional = false;
};
// Copies segments, snapshots and epochs, checking every batch, and makes indexes; durable when it returns,
// but for the name of the directory. kafka_storage_error: a device refuses, or is full.
Task<Result<TakenPartition>> take_over_partition(Io& io, PartitionSource source);

}  // namespace millrace
