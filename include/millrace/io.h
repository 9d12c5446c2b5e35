// The one seam between the broker and the world.
//
// Everything above this file asks for I/O by submitting an Op and is told by `done`. Two classes implement
// Io: UringIo (src/io/ring.h) and SimIo (src/sim/sim_io.h). Nothing above it may make a system call, read a
// clock, draw a random number or start a thread.
//
// Rules that keep a simulated run exact: an Io never completes an op inside submit; everything that is
// random comes from random(); a completion is delivered on the shard that submitted.
//
// Both worlds agree on this too:
// - Ops are independent: two ops under way at once may happen in either order, also on one fd. Who needs an
//   order awaits. Close an fd only when nothing is under way on it: closing ends no op.
// - All that an op points to (path, data, pieces, names ...) stays as it is until done.
// - A lasting op says more = true with each good value, and ends with one more = false: value 0 (a receive:
//   the peer ended or the socket was shut down) or a negative errno. After a cancel, what had already
//   happened is still told first; then -ECANCELED. An accept that failed (-EMFILE ...) has ended: wait a
//   little, arm again.
// - A cancelled op is done with -ECANCELED if it had not happened yet, else with what happened. A file op
//   that has begun is not interrupted.
#pragma once
#include <string>
#include <vector>

#include "millrace/base.h"
#include "millrace/log_line.h"
#include "millrace/task.h"

namespace millrace {

// ---- Memory that the kernel may touch ------------------------------------------------------------------

// Aligned memory (4,096) for file I/O and large sends. It counts the operations under way on it: freeing it
// while one is under way aborts in every build, since no sanitizer sees the kernel read freed memory.
class IoBuffer {
 public:
    static constexpr size_t alignment = 4096;

    IoBuffer() = default;
    explicit IoBuffer(size_t size);  // A multiple of the alignment. The bytes are zero.
    // A part of another one, which stays where it is and outlives it; operations count on both.
    IoBuffer(IoBuffer& whole, size_t offset, size_t size);
    IoBuffer(IoBuffer&& other) noexcept;
    IoBuffer& operator=(IoBuffer&& other) noexcept;
    ~IoBuffer();

    uint8_t* data() { return data_; }
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }
    MutableBytes bytes() { return {data_, size_}; }
    explicit operator bool() const { return data_ != nullptr; }
    bool in_flight() const { return flights_ > 0; }

    // Empty where there is no memory for it. Smaller ones than mapped_size_min do not fail on Linux, which
    // ends the process first.
    static IoBuffer try_make(size_t size);
    static constexpr size_t mapped_size_min = 128 << 10;

    // Gives the pages of a part back to the kernel; it reads as zeros then. Both numbers are multiples of the
    // alignment; the buffer is of mapped_size_min or more, not registered, and no op is under way there.
    void forget(size_t offset, size_t size);

    // Asks the kernel to back it by huge pages from here on, where it has some: fewer to look up and to pin.
    // Worth it from huge_page_size up; such a buffer is aligned to that.
    static constexpr size_t huge_page_size = 2 << 20;
    void prefer_huge_pages();

    // Called by the Io around every op that names this buffer; and by whoever lends it out for longer.
    void fly() {
        flights_++;
        if (whole_) whole_->fly();
    }
    void land() {
        ASSERT(flights_ > 0);
        flights_--;
        if (whole_) whole_->land();
    }

    // As the kernel knows the memory; below 0: it was not registered.
    int32_t registration() const { return whole_ ? whole_->registration() : registered_index; }
    int32_t registered_index = -1;  // Set by an Io that registered it with the kernel.

 private:
    void take(IoBuffer& other);
    void release();

    uint8_t* data_ = nullptr;
    size_t size_ = 0;
    uint32_t flights_ = 0;
    IoBuffer* whole_ = nullptr;  // Owns the memory, when this is a part.
};

// One of the shard's provided receive buffers, by number; goes back with Io::give_back.
using ReceiveBuffer = Strong<struct ReceiveBufferTag, uint16_t>;

// ---- Operations ----------------------------------------------------------------------------------------

// As a system call would say it: a count or a file descriptor, or a negative errno.
struct Outcome {
    int32_t value = 0;
    bool more = false;     // A lasting op (accept, receive) that will call done again.
    Bytes data;            // What was received; valid until its buffer is given back.
    ReceiveBuffer buffer;  // Meaningful when value > 0 on a receive.
};

struct FileInfo {
    uint64_t size = 0;
    bool is_directory = false;
};
struct DiskSpace {
    uint64_t total = 0, available = 0;
};
struct Piece {  // One part of a gathered send; the layout of struct iovec.
    const void* data;
    size_t size;
};

struct Op {
    enum class Kind : uint8_t {
        // Sockets. Addresses are text: "127.0.0.1:9092", "[::1]:9092".
        // ":9092" is every address, "localhost" 127.0.0.1; other names stand in /etc/hosts, or: -EINVAL.
        listen,    // path = address (port 0: any), flags (Listen) -> fd. SO_REUSEPORT, TCP_NODELAY.
        accept,    // Lasting. fd = listener -> fd of each connection.
        connect,   // path = address -> fd. TCP_NODELAY.
        receive,   // Lasting. 0 = the peer has ended, -ENOBUFS = out of buffers: give some back, arm again.
        send,      // pieces, piece_count (at most 1,024) -> bytes sent; short when the connection ends.
        shutdown,  // Both ways; ends a receive under way with 0.
        close,
        // Time. size = nanoseconds from now; value 0, or -ECANCELED.
        sleep,
        // Files. Paths are below the data directory's root in a simulation, ordinary paths otherwise.
        open,            // path, flags (Open) -> fd.
        read,            // data, size, offset -> bytes read (0 at the end), may be short.
        write,           // data, size, offset, flags (Write) -> bytes written, may be short.
        sync,            // fdatasync.
        allocate,        // offset, size: fallocate with the size set.
        truncate,        // size = new length.
        rename,          // path -> target, which is replaced.
        remove,          // path: a file, or an empty directory.
        make_directory,  // path.
        list,            // path -> names (without . and ..), sorted.
        stat,            // path -> info.
        sync_directory,  // path: makes renames, creations and removals in it durable.
        disk_space,      // path -> space.
    };
    // `direct` by-passes the page cache: address, size and offset of every read and write are multiples of
    // 4,096. Where the file system has none, the file is opened without and the bit is cleared in `flags`.
    enum Open : uint32_t { read_only = 0, read_write = 1, create = 2, exclusive = 4, direct = 8 };
    // -EADDRINUSE when anyone listens there already. Without, sockets of one user share the port.
    enum Listen : uint32_t { sole = 1 };
    enum Write : uint32_t { durable = 1 };  // RWF_DSYNC.
    // As the offset of a read or write: where the last one ended. For pipes and terminals (stdin, stdout).
    static constexpr uint64_t at_cursor = ~uint64_t{0};

    Kind kind;
    int fd = -1;
    void* data = nullptr;
    uint64_t size = 0;
    uint64_t offset = 0;
    uint32_t flags = 0;
    const Piece* pieces = nullptr;
    uint32_t piece_count = 0;
    const char* path = nullptr;
    const char* target = nullptr;
    std::vector<std::string>* names = nullptr;
    FileInfo* info = nullptr;
    DiskSpace* space = nullptr;
    IoBuffer* buffer = nullptr;  // The buffer that `data` lies in, where it lies in one.

    // Called on the submitting shard, in a later turn than submit. An op may be destroyed inside its own
    // done once `more` is false.
    virtual void done(Outcome outcome) = 0;

    Op(const Op&) = delete;

 protected:
    explicit Op(Kind kind) : kind(kind) {}
    ~Op() = default;

 public:
    // For the Io's own bookkeeping while the op is under way.
    bool under_way = false;
    uint64_t io_private = 0;
};

// Something that one shard gives to another. Owned by the sender until delivered; delivery runs on the
// receiving shard. Letters from one shard to another arrive in the order in which they were posted.
class Letter {
 public:
    virtual void deliver() = 0;
    Letter* next_letter = nullptr;  // For the mailbox.

 protected:
    ~Letter() = default;
};

// What the process holds, and what its control group does (without what the kernel can drop from its own
// caches); 0: not known.
struct MemoryUse {
    uint64_t resident_bytes = 0;
    uint64_t group_bytes = 0, group_max = 0;
};

// How short memory is: caches go at `tight`, producers and readers are slowed down at `scarce`.
enum class MemoryPressure : uint8_t { none, tight, scarce };

// Whoever keeps memory that he can do without.
class MemoryUser {
 public:
    // Holds until it is set again. Told again and again while memory is short.
    virtual void set_pressure(MemoryPressure) {}
    // Lets go of what is only kept for later use.
    virtual void trim() = 0;

 protected:
    ~MemoryUser() = default;
};

// What an Io has done since it began. A simulated one leaves them at 0.
struct IoStatistics {
    uint64_t turns = 0;
    uint64_t enters = 0;  // io_uring_enter calls.
    uint64_t submissions = 0;
    uint64_t completions = 0;
    uint64_t overflows = 0;       // Times that the completion queue had overflowed: should stay 0.
    uint64_t sleeps = 0;          // Waits in the kernel.
    uint64_t spins = 0;           // Waits in user memory ...
    uint64_t spins_paid = 0;      // ... that saved a sleep.
    uint64_t letters = 0;         // Delivered.
    uint64_t wakes = 0;           // Peers woken.
    uint64_t buffers_short = 0;   // Receives that found no buffer.
    uint64_t buffers_lent = 0;    // Receive buffers not given back at this moment.
    uint64_t buffered_opens = 0;  // Files opened without O_DIRECT although asked for.
    uint64_t registered_bytes = 0;
};

// One shard's way to the world. All functions belong to that shard.
class Io {
 public:
    // The op is the caller's, and stays where it is until its last done.
    virtual void submit(Op& op) = 0;
    // Asks for an early end; done is still called, with -ECANCELED or with what happened first.
    virtual void cancel(Op& op) = 0;
    // Each buffer that a receive brought, once; on the shard that received.
    virtual void give_back(ReceiveBuffer buffer) = 0;
    // To this shard itself too. Never delivers inside post.
    virtual void post(ShardId to, Letter& letter) = 0;

    virtual uint64_t now_ns() const = 0;  // Monotonic; as of the start of this turn.
    virtual int64_t wall_ms() const = 0;  // Milliseconds since 1970; as of the start of this turn.
    virtual uint64_t random() = 0;        // 64 bits; from the kernel's generator, or from the seed.

    virtual ShardId shard() const = 0;
    virtual uint16_t shard_count() const = 0;
    // The share of its time, of late, that a shard of this process did not sleep: 0 to 100. A simulated one
    // is always idle.
    virtual uint32_t busy_percent(ShardId) const { return 0; }
    // "127.0.0.1:9092"; empty when the socket is gone.
    virtual std::string local_address(int fd) const = 0;
    virtual std::string peer_address(int fd) const = 0;
    virtual Logger& log() = 0;

    // Best effort: makes reads and writes on this long-lived buffer cheaper (a fifth of their
    // CPU) and all its memory resident. Unregister it before it dies, with no op under way on it.
    virtual void register_buffer(IoBuffer&) {}
    virtual void unregister_buffer(IoBuffer&) {}
    virtual IoStatistics statistics() const { return {}; }

    // Reads small files of the kernel: some 5 us, and 50 more where the control group nears its limit.
    virtual MemoryUse memory_use() { return {}; }
    // Gives back what is only kept for later use: receive buffers, what the allocator has free (a
    // millisecond for each 10 MB or so).
    virtual void trim_memory() {}

 protected:
    ~Io() = default;
};

// ---- Awaiting ------------------------------------------------------------------------------------------

// What an op needs; the fields of Op that its kind reads.
struct OpArguments {
    int fd = -1;
    void* data = nullptr;
    uint64_t size = 0;
    uint64_t offset = 0;
    uint32_t flags = 0;
    const Piece* pieces = nullptr;
    uint32_t piece_count = 0;
    const char* path = nullptr;
    const char* target = nullptr;
    std::vector<std::string>* names = nullptr;
    FileInfo* info = nullptr;
    DiskSpace* space = nullptr;
    IoBuffer* buffer = nullptr;
};

// int32_t n = co_await Once{io, Op::Kind::read, {.fd = fd, ...}}: an op that is done once.
class Once final : Op {
 public:
    Once(Io& io, Kind kind, const OpArguments& a) : Op(kind), io_(io) {
        fd = a.fd, data = a.data, size = a.size, offset = a.offset, flags = a.flags;
        pieces = a.pieces, piece_count = a.piece_count, path = a.path, target = a.target;
        names = a.names, info = a.info, space = a.space, buffer = a.buffer;
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        io_.submit(*this);
    }
    int32_t await_resume() const { return value_; }
    // From elsewhere on the same shard, while a coroutine awaits this object.
    void cancel() {
        if (under_way) io_.cancel(*this);
    }

 private:
    void done(Outcome outcome) override {
        value_ = outcome.value;
        waiter_.resume();
    }
    Io& io_;
    int32_t value_ = 0;
    std::coroutine_handle<> waiter_;
};

// co_await sleep_for(io, ns).
inline Once sleep_for(Io& io, uint64_t nanoseconds) { return {io, Op::Kind::sleep, {.size = nanoseconds}}; }

// Outcome o = co_await many.next(): a lasting op. Arms itself again when it lapsed and next() is called.
// Must not be armed when destroyed: shut the socket down and drain until !armed().
class Many final : Op {
 public:
    Many(Io& io, Kind kind, int descriptor) : Op(kind), io_(io) { fd = descriptor; }
    ~Many() { ASSERT(!armed_ || !under_way); }  // An Io that died in a simulated crash has forgotten the op.

    struct Next {
        Many& self;
        bool await_ready() const { return self.first_ < self.outcomes_.size(); }
        void await_suspend(std::coroutine_handle<> waiter) {
            self.waiter_ = waiter;
            if (!self.armed_) {
                self.armed_ = true;
                self.io_.submit(self);
            }
        }
        Outcome await_resume() { return self.take(); }
    };
    Next next() { return {*this}; }
    bool armed() const { return armed_; }
    bool has_more() const { return first_ < outcomes_.size(); }  // next() would not wait.
    void cancel() {
        if (armed_) io_.cancel(*this);
    }

 private:
    Outcome take() {
        const Outcome outcome = outcomes_[first_++];
        if (first_ == outcomes_.size()) outcomes_.clear(), first_ = 0;
        return outcome;
    }
    void done(Outcome outcome) override {
        armed_ = outcome.more;
        outcomes_.push_back(outcome);
        if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
    }
    Io& io_;
    bool armed_ = false;
    std::vector<Outcome> outcomes_;
    size_t first_ = 0;
    std::coroutine_handle<> waiter_;
};

}  // namespace millrace
