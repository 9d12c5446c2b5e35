// UringIo: the shard's Io on io_uring. One per shard, made and used on that shard's thread only.
//
// A turn: publish letters, hand new submissions to the kernel (sleeping there when nothing else is to do),
// read the clocks, deliver completions, then what was finished without the kernel, timers, letters. Nothing
// is delivered inside submit; the hot path allocates nothing.
#pragma once
#include <memory>

#include <liburing.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "mailbox.h"
#include "millrace/io.h"
#include "receive_pool.h"
#include "timers.h"

namespace millrace {

class UringIo final : public Io {
 public:
    struct Options {
        ShardId shard;
        PostOffice& post;
        LogSink& sink;
        Level log_level = Level::info;
        uint64_t spin_ns = 0;
        uint16_t receive_buffers = ReceivePool::buffer_count;
    };
    explicit UringIo(const Options& options);
    UringIo(const UringIo&) = delete;
    ~UringIo();

    // Makes the ring, on the thread that will turn it. 0 or a negative errno.
    int open();
    // One turn; sleeps when there is nothing to do.
    void turn();

    void submit(Op& op) override;
    void cancel(Op& op) override;
    void give_back(ReceiveBuffer buffer) override { pool_.give_back(buffer); }
    void post(ShardId to, Letter& letter) override;

    uint64_t now_ns() const override { return now_ns_; }
    int64_t wall_ms() const override { return wall_ms_; }
    uint64_t random() override;

    ShardId shard() const override { return shard_; }
    uint16_t shard_count() const override { return post_.shard_count(); }
    uint32_t busy_percent(ShardId shard) const override { return post_.busy_percent(shard); }
    std::string local_address(int fd) const override;
    std::string peer_address(int fd) const override;
    Logger& log() override { return log_; }

    void register_buffer(IoBuffer& buffer) override;
    void unregister_buffer(IoBuffer& buffer) override;
    IoStatistics statistics() const override;
    MemoryUse memory_use() override;
    void trim_memory() override;

 private:
    // What a completion belongs to: an op's address, or one of these. wake_failed + n: of the shard n.
    enum Tag : uint64_t { ignored = 0, bell = 1, woken = 2, wake_failed = 16, tag_max = 4095 };
    struct Completion {
        uint64_t user_data;
        int32_t value;
        uint32_t flags;
    };

    // What an entry of the submission queue points to until the kernel has taken it.
    union Aside {
        msghdr message;
        sockaddr_storage address;
    };
    struct Finished {
        Op* op;
        Outcome outcome;
    };
    struct Postponed {  // For want of a submission queue entry.
        Op* op;
        bool is_cancel;
    };

    // setup.cc
    int open_best_ring();
    void probe();

    // ring.cc
    void start(Op& op);
    void queue(Op& op);
    io_uring_sqe* take_entry();
    void prepare(io_uring_sqe& entry, Op& op);
    void prepare_cancel(io_uring_sqe& entry, Op& op);
    void arm_bell();
    void wake(ShardId peer);
    void finish(Op& op, Outcome outcome);
    void finish_later(Op& op, int32_t value);
    void complete(const Completion& completion);
    void complete_op(Op& op, int32_t value, uint32_t flags);
    void complete_own(uint64_t tag);
    void received(Op& op, int32_t value, uint32_t flags);
    void accepted(Op& op, int32_t value, uint32_t flags);
    void rearm_or_end(Op& op);

    // turn.cc
    void enter_kernel();
    void enter_if_needed();
    void enter(uint32_t wait_for, std::optional<uint64_t> timeout_ns);
    uint32_t completions_ready() const;
    uint32_t entries_waiting() const;
    bool kernel_has_news() const;
    bool has_work() const;
    bool spin();
    void sleep();
    void publish_letters();
    void read_clocks();
    void tell_how_busy();
    void retry_postponed();
    void deliver_completions();
    void deliver_finished();
    void deliver_timers(uint64_t added_end);
    void deliver_letters(Letter* own);
    void deliver_chain(Letter* letter);

    // files.cc
    void start_file(Op& op);
    void prepare_file(io_uring_sqe& entry, Op& op);
    void prepare_transfer(io_uring_sqe& entry, Op& op);
    void prepare_directory_sync(io_uring_sqe& entry, Op& op);
    void complete_file(Op& op, int32_t value);
    void complete_open(Op& op, int32_t value);
    void complete_remove(Op& op, int32_t value);
    void complete_allocate(Op& op, int32_t value);
    void complete_directory_sync(Op& op, int32_t value);

    // sockets.cc
    void start_socket(Op& op);
    void prepare_socket(io_uring_sqe& entry, Op& op);
    void prepare_send(io_uring_sqe& entry, Op& op);
    void prepare_connect(io_uring_sqe& entry, Op& op);
    void complete_connect(Op& op, int32_t value);

    Aside& aside(const io_uring_sqe& entry) { return asides_[&entry - ring_.sq.sqes]; }

    const ShardId shard_;
    PostOffice& post_;
    Logger log_;
    const uint64_t spin_ns_;
    io_uring ring_{};
    bool is_open_ = false;
    bool ring_fd_registered_ = false;
    bool has_ftruncate_ = false;
    bool has_fixed_buffers_ = false;
    bool told_no_direct_ = false;
    bool told_not_registered_ = false;

    static constexpr uint32_t completions_per_turn = 256;
    uint64_t now_ns_ = 0;
    int64_t wall_ms_ = 0;
    static constexpr uint32_t calls_saved_max = 2;  // In a row.
    uint32_t calls_saved_ = 0;
    uint64_t bell_count_ = 0;
    bool bell_armed_ = false;
    // How often waits ended soon, of late: spinning pays from spin_pays on.
    static constexpr int spin_pays = 4, spin_score_max = 8;
    int spin_score_ = 0;
    uint64_t slept_ns_ = 0, busy_since_ns_ = 0;  // Of the time that busy_percent will tell of.

    std::unique_ptr<Aside[]> asides_;
    ReceivePool pool_;
    Timers timers_;
    Outboxes outboxes_;
    Letter* own_newest_ = nullptr;  // Posted to this shard itself; newest first.
    std::vector<Finished> finished_, delivering_;
    std::vector<Postponed> postponed_;
    std::vector<uint32_t> free_registered_;
    IoStatistics statistics_;

    static constexpr size_t random_count = 32;
    std::array<uint64_t, random_count> random_;
    size_t random_used_ = random_count;
};

// sockets.cc. "127.0.0.1:9092", "[::1]:9092", "localhost:9092", ":9092" -> address and its length; 0: bad
// text.
socklen_t parse_address(const char* text, sockaddr_storage& address);
std::string address_text(const sockaddr_storage& address);

}  // namespace millrace
