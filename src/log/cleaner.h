// The cleaner of a shard: looks for the dirtiest log of a compacted topic, cleans it, looks again. One log at
// a time, in small steps that leave the core and the disk to whoever waits for an answer.
//
// Owned by the shard's Storage; runs beside its background work, and ends with it.
#pragma once
#include "millrace/compression.h"
#include "partition_log.h"

namespace millrace {

class Cleaner {
 public:
    explicit Cleaner(StorageImpl& storage);
    Cleaner(const Cleaner&) = delete;

    void set_config(const CleanerConfig& config);
    // Until the storage closes or fails.
    Task<> run();
    // Wakes it where it sleeps.
    void stop();

    // ---- For a cleaning.
    const CleanerConfig& config() const { return config_; }
    bool must_end() const;
    // Work was done: so many bytes were read, written, or gone over.
    void spend(uint64_t bytes) { debt_ += bytes; }
    bool is_tired() const { return debt_ >= step_bytes; }
    // As long as the throttle asks, and longer the busier the shard is.
    Task<> rest();
    Compressor& compressor() { return compressor_; }
    Decompressor& decompressor() { return decompressor_; }
    uint64_t map_bytes() const { return map_bytes_; }
    void set_map_bytes(uint64_t bytes) { map_bytes_ = bytes; }

 private:
    static constexpr uint64_t step_bytes = 64 << 10;

    Task<> learn(Slot slot);
    Task<> learn_times(PartitionLog& log);
    std::optional<Slot> dirtiest() const;
    // False: nothing more is to be done for now.
    Task<bool> clean(Slot slot);
    Task<> sleep(uint64_t ns);

    StorageImpl& storage_;
    CleanerConfig config_;
    Compressor compressor_;
    Decompressor decompressor_;
    uint64_t debt_ = 0, map_bytes_ = 0;
    Once* sleeping_ = nullptr;
};

}  // namespace millrace
