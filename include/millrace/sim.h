// The simulated twin of the world behind io.h: several nodes with disks, a network and one clock, from one
// seed. The same seed and the same calls give the same trace, to the bit.
//
// Everything here belongs to the thread that made the SimWorld. Nothing waits: time passes from event to
// event.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/base.h"
#include "millrace/io.h"
#include "millrace/log_line.h"
#include "millrace/task.h"

namespace millrace {

// ---- What may go wrong, and how slow things are -------------------------------------------------------
// Chances are in events per million operations; 0 is never.

struct Between {
    uint64_t least = 0, most = 0;  // Both can occur.
};

struct DiskOptions {
    uint64_t capacity_bytes = uint64_t{1} << 40;
    uint32_t direct_alignment = 4096;  // Of memory, size and offset with Op::direct; else -EINVAL.

    Between read_ns{20'000, 200'000};
    Between write_ns{20'000, 300'000};
    Between sync_ns{40'000, 1'000'000};
    Between metadata_ns{5'000, 100'000};  // Open, rename, list ...
    uint32_t spike = 0;                   // An operation takes spike_ns more.
    Between spike_ns{10'000'000, 500'000'000};

    uint32_t read_error = 0;   // -EIO.
    uint32_t write_error = 0;  // -EIO; a part may have been written.
    uint32_t sync_error = 0;   // -EIO; unsynced sectors may never reach the medium, whatever later syncs say.
    uint32_t short_read = 0;
    uint32_t short_write = 0;
    uint32_t torn_at_kill = 0;       // A write under way at a kill leaves a part, not all or nothing.
    uint32_t bit_flip = 0;           // A read finds one bit of its range flipped, for good.
    uint32_t lost_write = 0;         // Acknowledged, never written.
    uint32_t misdirected_write = 0;  // Acknowledged, written elsewhere in the same file.
};

// What a disk has done to its node since the beginning.
struct DiskFaults {
    uint64_t read_errors = 0, write_errors = 0, sync_errors = 0;
    uint64_t short_reads = 0, short_writes = 0;
    uint64_t full = 0;  // ENOSPC, or a write cut short for want of room.
    uint64_t torn = 0;  // Writes under way at a crash of which a part is there.
    uint64_t lost_writes = 0, misdirected_writes = 0;
    uint64_t broken_pages = 0;
};

struct NetworkOptions {
    Between latency_ns{20'000, 500'000};  // One way.
    Between letter_ns{200, 30'000};       // Between shards of a node.
    uint64_t bytes_per_second = 10'000'000'000;
    uint64_t window_bytes =
        256 << 10;  // Accepted from the sender and not yet taken by the receiver, per direction.
    uint64_t piece_max = 64 << 10;  // Streams are cut into random pieces up to this.
    uint16_t receive_buffers = 64;  // Per shard.
    uint32_t receive_buffer_size = 16 << 10;
    uint32_t backlog_max = 4096;  // Connections not yet accepted, per listener.
    uint64_t connect_timeout_ns = 10'000'000'000;

    uint32_t reset = 0;       // A send breaks its connection.
    uint32_t short_send = 0;  // Fewer bytes are accepted than the window allows.
    uint32_t lapse = 0;       // A lasting op ends (more = false) with an outcome that is no error.
    // A power cut leaves a connection half open: the peer hears nothing until it has sent something and the
    // node is up again. Otherwise it is reset at once, as at a kill.
    uint32_t half_open = 0;
};

struct NodeOptions {
    uint16_t shards = 1;
    std::string address;  // "10.0.0.7"; empty: "10.0.0.N", N from 1 in the order of making.
    DiskOptions disk;
};

struct SimOptions {
    uint64_t seed = 1;
    NetworkOptions network;
    uint32_t memory_short = 0;            // A look at the memory finds the control group at its limit.
    int64_t wall_ms = 1'767'225'600'000;  // The wall clock at the beginning: 2026-01-01.
    bool print_log = false;               // Log lines to stderr too.
    bool print_trace = false;             // One line per completion to stderr.
};

// ---- A node's disk, as a test sees it -----------------------------------------------------------------
// Paths are below the disk's root; a leading "/" changes nothing. What is read here is what a process would
// read: the cached state, whether durable or not.

class SimDisk {
 public:
    virtual DiskOptions& options() = 0;  // May be changed at any time.
    virtual bool exists(std::string_view path) const = 0;
    virtual std::vector<std::string> names(std::string_view directory) const = 0;  // Sorted; none if absent.
    virtual std::vector<uint8_t> contents(std::string_view path) const = 0;        // Empty if absent.
    // Makes the file, and the directories above it, with these bytes, durably.
    virtual void put(std::string_view path, Bytes bytes) = 0;
    // Changes one byte at rest. The file has that byte.
    virtual void flip(std::string_view path, uint64_t offset, uint8_t mask) = 0;
    // The page that has that byte cannot be read any more (-EIO), until it is written.
    virtual void break_page(std::string_view path, uint64_t offset) = 0;
    virtual uint64_t used_bytes() const = 0;
    // Operations submitted that change the disk (writes, syncs, truncations, renames ...) since the
    // beginning.
    virtual uint64_t changes() const = 0;
    virtual const DiskFaults& faults() const = 0;
    // All unsynced data and directory changes are now durable.
    virtual void sync_all() = 0;

 protected:
    ~SimDisk() = default;
};

// ---- A node -------------------------------------------------------------------------------------------

enum class Crash : uint8_t {
    kill,       // The process dies: what was written stays, the peers of its sockets are reset.
    power_cut,  // The machine dies: unsynced sectors and directory changes are kept or lost by the dice.
};

class SimNode;

// What runs on a node: made at every start, destroyed at every crash, after all coroutines that were detached
// on the node and with their operations forgotten: destructors run, `done` is never called.
class SimProgram {
 public:
    virtual ~SimProgram() = default;
    // The node has crashed; the coroutines are destroyed next. For parts that hold what belongs to others.
    virtual void let_go() {}
};
using Boot = std::function<std::unique_ptr<SimProgram>(SimNode&)>;

class SimNode {
 public:
    // A shard's way to the world; a new one after every start. The node is running.
    virtual Io& io(uint16_t shard = 0) = 0;
    virtual SimDisk& disk() = 0;
    virtual const std::string& address() const = 0;
    virtual bool is_running() const = 0;
    virtual uint32_t starts() const = 0;  // 1 after add_node.
    virtual uint32_t power_cuts() const = 0;

    // For tests of leaks, over all shards.
    virtual size_t receive_buffers_out() const = 0;
    virtual size_t open_descriptors() const = 0;  // Files, listeners and accepted or connected sockets.

    // Detaches the task on this node, so that a crash destroys it.
    virtual void spawn(Task<> task) = 0;
    // Makes the program now, and again at every restart.
    virtual void boot(Boot boot) = 0;
    virtual SimProgram* program() = 0;

    // From inside a turn of this node, its objects die at the turn's end; nothing they submit till then
    // counts.
    virtual void crash(Crash how) = 0;
    // Crashes by itself when the disk's changes() reaches `change`, while that operation is under way.
    virtual void crash_at_change(uint64_t change, Crash how) = 0;
    // The node is not running: new shards over the surviving disk, then the program.
    virtual void restart() = 0;
    // How many shards it has from the next start on.
    virtual void set_shards(uint16_t shards) = 0;
    // Nothing happens on the node until then; the world goes on.
    virtual void pause(uint64_t nanoseconds) = 0;
    virtual void shift_wall_clock(int64_t milliseconds) = 0;

 protected:
    ~SimNode() = default;
};

// ---- The world ----------------------------------------------------------------------------------------

struct SimLine {
    std::string node;  // Its address.
    Level level;
    std::string text;
};

namespace sim {
class World;
}

class SimWorld {
 public:
    explicit SimWorld(const SimOptions& options = {});
    SimWorld(const SimWorld&) = delete;
    ~SimWorld();

    // Running at once. The reference lasts as long as the world.
    SimNode& add_node(const NodeOptions& options = {});

    // One event. False when nothing is left to happen.
    bool turn();
    // Turns until the condition holds, or `within_ns` have passed, or nothing is left; whether it holds.
    bool run_until(const std::function<bool()>& condition, uint64_t within_ns);
    void run_for(uint64_t nanoseconds);
    // Turns until nothing is left; false when that takes longer than `within_ns`.
    bool run_until_idle(uint64_t within_ns = 3'600'000'000'000);

    uint64_t now_ns() const;
    uint64_t turns() const;
    // Changes with everything that happened: equal for equal seeds and calls.
    uint64_t trace_hash() const;
    // A stream of the seed for the test's own choices.
    uint64_t random();

    NetworkOptions& network();  // May be changed at any time.
    // Bytes and handshakes from one node to the other wait, until healed.
    void cut_link(const SimNode& from, const SimNode& to);
    void heal_link(const SimNode& from, const SimNode& to);

    // The newest lines of all nodes' logs, oldest first; at most lines_max.
    static constexpr size_t lines_max = 100'000;
    const std::vector<SimLine>& lines() const;
    size_t count_lines(Level level) const;
    bool has_line(std::string_view part) const;

 private:
    std::unique_ptr<sim::World> world_;
};

// Runs the task on the node to its end and gives its value; nothing when the node crashed first. A task that
// takes longer aborts.
template <class T> Task<> keep_value(Task<T> task, std::optional<T>& value) { value.emplace(co_await task); }
template <class T>
std::optional<T> run_on(SimWorld& world, SimNode& node, Task<T> task, uint64_t within_ns = 60'000'000'000) {
    std::optional<T> value;
    const uint32_t starts = node.starts();
    const auto is_over = [&] { return value.has_value() || !node.is_running() || node.starts() != starts; };
    node.spawn(keep_value(std::move(task), value));
    const bool ended_in_time = world.run_until(is_over, within_ns);
    ASSERT(ended_in_time);
    return value;
}

// Calls run(1), run(2), ... until it returns false, which says that it ended before that crash point was
// reached; returns how many points there were.
uint64_t each_crash_point(const std::function<bool(uint64_t point)>& run);

}  // namespace millrace
