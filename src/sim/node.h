// A simulated machine: its disk, its clock, and the process that runs on it, one life after another.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "disk.h"
#include "millrace/sim.h"
#include "process.h"

namespace millrace::sim {

// What the world keeps for all its nodes.
struct Shared {
    const SimOptions& options;
    Queue& queue;
    Network& network;
    Random& delays;
    std::vector<SimLine>& lines;
    uint64_t last_process = 0;
};

class Node final : public SimNode, public Machine {
 public:
    Node(Shared& shared, const NodeOptions& options, uint64_t seed);
    ~Node();

    Io& io(uint16_t shard) override;
    SimDisk& disk() override { return disk_; }
    const std::string& address() const override { return options_.address; }
    bool is_running() const override { return process_ && !process_->is_dead(); }
    uint32_t starts() const override { return starts_; }
    uint32_t power_cuts() const override { return power_cuts_; }
    size_t receive_buffers_out() const override { return process_ ? process_->receive_buffers_out() : 0; }
    size_t open_descriptors() const override { return process_ ? process_->open_descriptors() : 0; }
    void spawn(Task<> task) override;
    void boot(Boot boot) override;
    SimProgram* program() override { return program_.get(); }
    void crash(Crash how) override;
    void crash_at_change(uint64_t change, Crash how) override;
    void restart() override;
    void set_shards(uint16_t shards) override { options_.shards = shards; }
    void pause(uint64_t nanoseconds) override;
    void shift_wall_clock(int64_t milliseconds) override { wall_shift_ms_ += milliseconds; }

    Queue& queue() override { return shared_.queue; }
    Network& network() override { return shared_.network; }
    Random& delays() override { return shared_.delays; }
    const SimOptions& world_options() const override { return shared_.options; }
    Disk& machine_disk() override { return disk_; }
    const std::string& host() const override { return options_.address; }
    uint64_t paused_until_ns() const override { return paused_until_ns_; }
    void changed() override;
    void bury() override;

    int64_t wall_ms() const override;
    void write(Level level, std::string_view line) override;

 private:
    void start();

    Shared& shared_;
    NodeOptions options_;
    uint64_t seed_;
    Disk disk_;
    std::vector<std::unique_ptr<Process>> past_;  // Events may still name them.
    std::unique_ptr<Process> process_;
    std::unique_ptr<SimProgram> program_;
    Boot boot_;
    uint32_t starts_ = 0;
    uint32_t power_cuts_ = 0;
    uint64_t paused_until_ns_ = 0;
    int64_t wall_shift_ms_ = 0;
    uint64_t crash_change_ = 0;  // 0: none planned.
    Crash crash_how_ = Crash::kill;
};

}  // namespace millrace::sim
