// The order of a death: disk, descriptors, sockets at once; operations, coroutines and objects when left.
#include "process.h"

#include "network.h"
#include "sim_io.h"

namespace millrace::sim {

Process::Process(Machine& machine, uint64_t number, uint16_t shards, uint64_t seed)
    : machine_(machine), number_(number), files_(machine.machine_disk()), last_letter_ns_(shards * shards) {
    ASSERT(shards > 0);
    for (uint16_t shard = 0; shard < shards; shard++)
        shards_.push_back(std::make_unique<SimIo>(*this, ShardId{shard}, mix(seed, shard)));
}

Process::~Process() = default;

SimIo& Process::io(uint16_t shard) {
    ASSERT(shard < shards_.size());
    return *shards_[shard];
}

uint64_t& Process::last_letter_ns(ShardId from, ShardId to) {
    return last_letter_ns_.at(from.value * shards_.size() + to.value);
}

void Process::die(Crash how) {
    ASSERT(!dead_);
    dead_ = true;
    for (auto& shard : shards_) shard->crash_files(how);
    files_.close_all();
    if (how == Crash::power_cut) machine_.machine_disk().power_cut();
    machine_.network().drop(*this, how);
}

size_t Process::open_descriptors() const {
    return files_.open_count() + machine_.network().open_sockets(*this);
}

size_t Process::receive_buffers_out() const {
    size_t count = 0;
    for (const auto& shard : shards_) count += shard->buffers_out();
    return count;
}

void Process::release_memory() {
    for (auto& shard : shards_) shard->release_buffers();
}

void Process::end(SimProgram* program) {
    ASSERT(dead_ && depth_ == 0);
    for (auto& shard : shards_) shard->forget();
    Nursery::Entered entered{nursery_};  // A destructor may wake what then begins something more.
    if (program) program->let_go();
    nursery_.destroy_all();
}

}  // namespace millrace::sim
