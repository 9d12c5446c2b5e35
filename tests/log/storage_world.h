// A simulated node that runs one Storage, and the log it should hold: what tests of storage stand on.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "millrace/batch.h"
#include "millrace/log.h"
#include "millrace/sim.h"

namespace millrace {

std::vector<uint8_t> make_batch(uint64_t seed, size_t size, int64_t timestamp = 1'000,
                                ProducerId producer = ProducerId{-1}, int32_t sequence = -1);

// What one partition must hold. Outlives crashes.
struct LogModel {
    LogSpec spec;
    std::map<Offset, std::vector<uint8_t>> batches;  // As they must be read: base offset and epoch patched.
    Offset end, written, durable, log_start;         // All but the end: as told.
    Offset log_start_asked;                          // Perhaps not told yet.
    bool removing = false;
};

class StorageProgram final : public SimProgram, public LogListener {
 public:
    StorageProgram(SimNode& node, StorageConfig config, std::map<Slot, LogModel>& model)
        : node(node), config(std::move(config)), model(model) {}

    // open .. start; then run() is detached.
    Task<> start();
    void on_progress(Log& log) override;
    void on_failed(Log& log, Error error) override;
    // Appends to log and model; the error if refused.
    Error append(Slot slot, const std::vector<uint8_t>& batch, Epoch epoch = Epoch{0});
    Error append_now(Slot slot, const std::vector<uint8_t>& batch, Epoch epoch);

    SimNode& node;
    StorageConfig config;
    std::map<Slot, LogModel>& model;
    std::unique_ptr<Storage> storage;
    bool started = false;
    Error start_error = Error::none;
    uint64_t progress_count = 0, failed_count = 0;
};

class StorageWorld {
 public:
    explicit StorageWorld(uint64_t seed, StorageConfig config = small(), DiskOptions disk = {});

    // Small files, so that rolls and recycling happen soon.
    static StorageConfig small();
    LogModel& add(uint32_t slot, LogConfig config = {});
    void boot();
    // Runs until the node's storage has started; false when that fails.
    bool wait_started();
    // Runs the task on the node to its end.
    bool run(Task<> task, uint64_t within_ns = 60'000'000'000);
    // What was written survives a kill, and what was durable a power cut.
    void crash(Crash how);
    void crashed(Crash how);  // It has, by itself.
    StorageProgram& program() { return *static_cast<StorageProgram*>(node.program()); }
    Storage& storage() { return *program().storage; }
    Log& log(uint32_t slot) { return *storage().find(Slot{slot}); }
    // All that was appended is durable.
    bool settle();

    // Every log holds what it must: nothing durable is missing, nothing else is there. The model takes over
    // what the recovery kept of the rest.
    void check_all();
    Task<> check_log(Slot slot);

    SimWorld world;
    SimNode& node;
    StorageConfig config;
    std::map<Slot, LogModel> model;
};

std::vector<uint8_t> bytes_of(const Slice& slice);

// DeleteRecords up to there, noted in the model before and after.
Task<> delete_records(LogModel& m, Log& log, Offset to);

}  // namespace millrace
