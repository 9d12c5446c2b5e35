// One life of a node: its shards, open files and sockets, from a start to a crash.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "files.h"
#include "millrace/sim.h"
#include "queue.h"

namespace millrace::sim {

class Network;
class SimIo;

// What a process needs of the machine and the world around it.
class Machine : public LogSink {
 public:
    virtual Queue& queue() = 0;
    virtual Network& network() = 0;
    virtual Random& delays() = 0;
    virtual const SimOptions& world_options() const = 0;
    virtual Disk& machine_disk() = 0;
    virtual const std::string& host() const = 0;
    virtual uint64_t paused_until_ns() const = 0;
    // A change of the disk was submitted: the moment for a planned crash.
    virtual void changed() = 0;
    // The process was left after it crashed from inside.
    virtual void bury() = 0;

 protected:
    ~Machine() = default;
};

class Process {
 public:
    Process(Machine& machine, uint64_t number, uint16_t shards, uint64_t seed);
    ~Process();

    Machine& machine() { return machine_; }
    uint64_t number() const { return number_; }  // Unique in the world.
    uint16_t shard_count() const { return static_cast<uint16_t>(shards_.size()); }
    SimIo& io(uint16_t shard);
    Files& files() { return files_; }
    size_t open_descriptors() const;
    size_t receive_buffers_out() const;
    int take_fd() { return next_fd_++; }
    uint64_t& last_letter_ns(ShardId from, ShardId to);
    bool is_dead() const { return dead_; }
    bool is_entered() const { return depth_ > 0; }

    // Runs a piece of the process: what it detaches is this process's.
    template <class F> void enter(F run) {
        ASSERT(!dead_);
        depth_++;
        {
            Nursery::Entered entered{nursery_};
            run();
        }
        depth_--;
        if (dead_ && depth_ == 0) machine_.bury();
    }
    // From now on nothing that it submits has an effect; what is under way ends as the crash says.
    void die(Crash how);
    // Its operations are forgotten, the program lets go, its coroutines are destroyed. It is not entered.
    void end(SimProgram* program);
    // The memory that nobody can name any more.
    void release_memory();

 private:
    Machine& machine_;
    uint64_t number_;
    Files files_;
    std::vector<std::unique_ptr<SimIo>> shards_;
    std::vector<uint64_t> last_letter_ns_;  // By sender and receiver.
    Nursery nursery_;
    int next_fd_ = 3;
    int depth_ = 0;
    bool dead_ = false;
};

}  // namespace millrace::sim
