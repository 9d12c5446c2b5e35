// The lives of a machine: start, crash, burial, restart. The disk outlives them all.
#include "node.h"

#include <fmt/core.h>

#include "network.h"
#include "sim_io.h"

namespace millrace::sim {

Node::Node(Shared& shared, const NodeOptions& options, uint64_t seed)
    : shared_(shared), options_(options), seed_(seed), disk_(options.disk, mix(seed, 0)) {
    start();
}

Node::~Node() {
    if (is_running()) crash(Crash::kill);
}

void Node::start() {
    ASSERT(!process_);
    starts_++;
    const uint64_t number = ++shared_.last_process;
    process_ = std::make_unique<Process>(*this, number, options_.shards, mix(seed_, starts_));
    shared_.network.set_process(options_.address, process_.get());
}

Io& Node::io(uint16_t shard) {
    ASSERT(is_running());
    return process_->io(shard);
}

void Node::spawn(Task<> task) {
    ASSERT(is_running());
    process_->enter([&] { std::move(task).detach(); });
}

void Node::boot(Boot boot) {
    ASSERT(is_running() && !program_);
    boot_ = std::move(boot);
    std::unique_ptr<SimProgram> made;
    process_->enter([&] {
        made = boot_(*this);
        if (!process_->is_dead()) program_ = std::move(made);
    });
}

void Node::crash(Crash how) {
    ASSERT(is_running());
    shared_.queue.trace(0xc4a54, static_cast<uint64_t>(how));
    crash_change_ = 0;
    power_cuts_ += how == Crash::power_cut;
    process_->die(how);
    shared_.network.set_process(options_.address, nullptr);
    if (!process_->is_entered()) bury();
}

void Node::bury() {
    process_->end(program_.get());
    program_.reset();
    process_->release_memory();
    past_.push_back(std::move(process_));
}

void Node::crash_at_change(uint64_t change, Crash how) {
    ASSERT(change > disk_.changes());
    crash_change_ = change;
    crash_how_ = how;
}

void Node::changed() {
    if (crash_change_ != 0 && disk_.changes() >= crash_change_) crash(crash_how_);
}

void Node::restart() {
    ASSERT(!process_);
    start();
    if (boot_) boot(std::move(boot_));
}

void Node::pause(uint64_t nanoseconds) {
    paused_until_ns_ = std::max(paused_until_ns_, shared_.queue.now_ns() + nanoseconds);
}

int64_t Node::wall_ms() const {
    const uint64_t passed_ms = (shared_.queue.now_ns() - Queue::start_ns) / 1'000'000;
    return shared_.options.wall_ms + wall_shift_ms_ + static_cast<int64_t>(passed_ms);
}

void Node::write(Level level, std::string_view line) {
    shared_.queue.trace(hash64(as_bytes(line)));
    if (shared_.options.print_log) fmt::print(stderr, "{} {}\n", options_.address, line);
    if (shared_.lines.size() == SimWorld::lines_max)
        shared_.lines.erase(shared_.lines.begin(), shared_.lines.begin() + SimWorld::lines_max / 2);
    shared_.lines.push_back({options_.address, level, std::string(line)});
}

}  // namespace millrace::sim
