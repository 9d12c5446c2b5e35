// A partition as its leader sees it: appends in order, the high watermark, and who waits for it.
//
// With one replica the high watermark is what this node has flushed, or with durability=memory appended. What
// always holds: it never goes back; consumers see nothing above it; a produce that waits is answered once, in
// the order of the appends. Owned by the partition's home shard.
#pragma once
#include <memory>

#include "millrace/deadlines.h"
#include "millrace/fifo.h"
#include "millrace/io.h"
#include "millrace/log.h"

namespace millrace {

// What a producer waits for. The numbers are Kafka's.
enum class Acks : int16_t {
    all = -1,    // Flushed on enough replicas, received by all that are in sync.
    none = 0,    // Nothing.
    leader = 1,  // The leader's device has it: it survives a killed process.
};

inline constexpr uint64_t no_deadline = UINT64_MAX;

class FetchWatch;

class Partition final : private LogListener {
 public:
    // `log` must outlive it.
    Partition(Log& log, Deadlines& deadlines, Epoch leader_epoch);
    ~Partition();
    Partition(const Partition&) = delete;

    Log& log() { return log_; }
    const LogSpec& spec() const { return log_.spec(); }
    Epoch leader_epoch() const { return leader_epoch_; }
    // A later leadership begins, at end(). The log learns of it with the first append.
    void lead(Epoch epoch);
    // OffsetForLeaderEpoch (KIP-101): also of epochs that left nothing in the log, or lost it in a crash.
    EpochEnd epoch_end(Epoch epoch) const;
    Offset log_start() const { return log_.log_start(); }
    Offset end() const { return log_.end(); }
    // Below it: as safe as the topic's durability asks, and visible to consumers.
    Offset high_watermark() const { return log_.safe(); }
    // Below it no transaction is open: the limit of read_committed.
    Offset last_stable_offset() const { return high_watermark(); }

    // What a client's idea of the leader's epoch (KIP-320; -1: it has none) makes of its request: none,
    // fenced_leader_epoch when it is of the past, unknown_leader_epoch when it is of the future.
    Error check_epoch(Epoch asked) const;

    // One validated batch (its timestamps patched). Fails as Log::append, and after resign with the error
    // that was given there.
    Result<Appended> append(Bytes batch);

    // Ends when everything below `next` is as safe as `acks` asks. request_timed_out at the deadline (the
    // records stay), or why the partition failed meanwhile.
    Task<Result<>> acknowledged(Offset next, Acks acks, uint64_t deadline_ns);

    // What requests have cost, roughly, in bytes: what the shards' balance compares.
    uint64_t work() const { return work_; }
    void add_work(uint64_t bytes) { work_ += work_per_request + bytes; }

    // Lets every parked fetch go and look again.
    void wake_fetches();
    // Answers every waiter with `error` and refuses appends: the partition is deleted, or led elsewhere.
    void resign(Error error);

 private:
    friend class FetchWatch;
    class AckWait;
    struct Appending {
        Offset next;
        uint32_t size;
    };

    // Below it: what acks=1 asks.
    Offset at_leader() const { return std::max(log_.written(), log_.safe()); }
    void on_progress(Log& log) override;
    void on_failed(Log& log, Error error) override;
    Offset cleanable_end(const Log&) const override { return last_stable_offset(); }
    struct Alarm final : Deadlines::Entry {
        explicit Alarm(Partition& partition) : partition(partition) {}
        void on_deadline() override { partition.end_overdue(); }
        Partition& partition;
        uint64_t at_ns = 0;  // While it is set.
    };

    void answer_waits();
    void set_alarm(uint64_t at_ns);
    void end_overdue();
    void tell_watches();
    Error refusal() const;

    static constexpr uint64_t work_per_request = 16 << 10;

    Log& log_;
    Deadlines& deadlines_;
    uint64_t work_ = 0;
    Epoch leader_epoch_;
    Error resigned_ = Error::none;
    Fifo<AckWait*> waits_written_, waits_committed_;  // In the order of the appends.
    // Not later than the earliest deadline of those that wait. Left as it is when they are answered: it then
    // comes for nothing, once.
    Alarm alarm_{*this};
    Fifo<Appending> uncommitted_;  // Sizes of what is not below the high watermark.
    Offset seen_high_watermark_;
    std::vector<FetchWatch*> watches_;
};

// A parked fetch on this shard: over partitions that live here, until enough bytes are new, the deadline has
// come, or somebody ends it (KIP-41's purgatory, in small). Await it at most once.
class FetchWatch final : private Deadlines::Entry {
 public:
    explicit FetchWatch(int64_t bytes_needed) : bytes_needed_(bytes_needed) {}
    ~FetchWatch();

    // Before it is awaited.
    void add(Partition& partition);
    void set_deadline(Deadlines& deadlines, uint64_t at_ns) { deadlines.set(*this, at_ns); }
    // Wakes the waiter, also one that comes later.
    void end();

    bool await_ready() const { return ended_; }
    void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
    void await_resume() const {}

 private:
    friend class Partition;
    void on_deadline() override { end(); }
    void gained(int64_t bytes);
    void forget(Partition& partition);

    int64_t bytes_needed_;
    bool ended_ = false;
    std::vector<Partition*> partitions_;
    std::coroutine_handle<> waiter_;
};

}  // namespace millrace
