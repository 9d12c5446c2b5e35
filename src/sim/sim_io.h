// One simulated shard's way to the world: Io over the queue of events, the node's disk and the network.
//
// Invariants: nothing completes inside submit; `done` is the last thing an event does; after the node's crash
// everything under way is forgotten and every call is ignored. Lasts as long as the world, so that events
// may name it after the crash.
#pragma once
#include <deque>
#include <map>

#include "millrace/io.h"
#include "process.h"

namespace millrace::sim {

class SimIo final : public Io {
 public:
    SimIo(Process& process, ShardId shard, uint64_t seed);

    void submit(Op& op) override;
    void cancel(Op& op) override;
    void give_back(ReceiveBuffer buffer) override;
    void post(ShardId to, Letter& letter) override;
    uint64_t now_ns() const override;
    int64_t wall_ms() const override;
    uint64_t random() override { return random_.next(); }
    MemoryUse memory_use() override;
    ShardId shard() const override { return shard_; }
    uint16_t shard_count() const override;
    std::string local_address(int fd) const override;
    std::string peer_address(int fd) const override;
    Logger& log() override { return log_; }

    // ---- For the world and the network --------------------------------------------------------------------
    Process& process() { return process_; }
    // Runs `event` on this shard in `delay_ns`; not at all if the node has crashed by then.
    void later(uint64_t delay_ns, std::function<void()> event);
    // Null when it has ended.
    Op* under_way(uint64_t id);
    // The last act of an event of this shard.
    void complete(uint64_t id, Outcome outcome);
    // The bytes in one of the shard's receive buffers; nothing when all are out.
    std::optional<std::pair<ReceiveBuffer, Bytes>> fill_buffer(Bytes bytes);
    size_t buffers_out() const { return buffers_out_; }
    bool has_unchanged_data(uint64_t id);

    // What was under way on the disk is done wholly, partly or not at all.
    void crash_files(Crash how);
    void forget();
    void release_buffers() { buffers_.clear(); }

 private:
    struct Pending {
        Op* op;
        size_t hashed;       // Bytes of what is written or sent: as many as can be taken at once.
        uint64_t data_hash;  // Of those.
    };
    void start(Op& op, uint64_t id);
    void start_file(Op& op, uint64_t id);
    void finish_file(uint64_t id);
    void close(int fd, uint64_t id);
    void trace(const Op& op, Outcome outcome);

    Process& process_;
    ShardId shard_;
    Random random_, memory_;
    Logger log_;
    std::map<uint64_t, Pending> pending_;
    uint64_t last_id_ = 0;
    std::vector<std::unique_ptr<uint8_t[]>> buffers_;  // By number; null: free.
    size_t buffers_out_ = 0;
    size_t next_buffer_ = 0;
};

}  // namespace millrace::sim
