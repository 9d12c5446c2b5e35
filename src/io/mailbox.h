// Letters from shard to shard through shared memory: one Mailbox per ordered pair, and who sleeps.
//
// A mailbox is a chain of letters linked by themselves: no memory of its own, no limit but the letters that
// exist. The sender collects a chain and publishes it with one exchange; the receiver takes all and turns it
// round. No wake-up is lost: a sleeper says so, then looks again; a sender publishes, then looks whether the
// peer sleeps; a full fence lies between the two steps on both sides.
#pragma once
#include <atomic>
#include <vector>

#include "millrace/io.h"

namespace millrace {

class alignas(64) Mailbox {
 public:
    // By the sender. The chain runs from the newest to the oldest letter.
    void publish(Letter& newest, Letter& oldest);
    // By the receiver: all of them, from the oldest to the newest; null when there is none.
    Letter* take_all();
    bool is_empty() const { return newest_.load(std::memory_order_acquire) == nullptr; }

 private:
    std::atomic<Letter*> newest_{nullptr};
};

// What the shards of one process share. Made before the threads; the fds of a shard before its peers turn.
class PostOffice {
 public:
    explicit PostOffice(uint16_t shards);
    PostOffice(const PostOffice&) = delete;
    ~PostOffice();

    // False when the process had not enough file descriptors: nothing else may be called then.
    bool is_ready() const;
    uint16_t shard_count() const { return static_cast<uint16_t>(shards_.size()); }
    Mailbox& mailbox(ShardId from, ShardId to) { return boxes_[from.value * shards_.size() + to.value]; }

    // By the shard itself: true when nothing lies in its boxes, so that it may sleep; then it must say
    // wake_up after the sleep.
    bool fall_asleep(ShardId self);
    void wake_up(ShardId self);
    // By a sender, after publishing: true when the peer sleeps and this caller is the one to wake it.
    bool must_wake(ShardId to);
    bool has_mail(ShardId self);

    // How busy a shard was of late; it says so itself, anybody may ask.
    void set_busy_percent(ShardId self, uint32_t percent);
    uint32_t busy_percent(ShardId shard) const {
        return shards_[shard.value].busy_percent.load(std::memory_order_relaxed);
    }

    // From any thread: ends the shard's sleep through its event fd.
    void ring_bell(ShardId shard);
    int event_fd(ShardId shard) const { return shards_[shard.value].event_fd; }
    int ring_fd(ShardId shard) const { return shards_[shard.value].ring_fd; }
    void set_ring_fd(ShardId shard, int fd) { shards_[shard.value].ring_fd = fd; }

 private:
    struct alignas(64) Shard {
        std::atomic<bool> asleep{false};
        std::atomic<uint32_t> busy_percent{0};
        int event_fd = -1;
        int ring_fd = -1;
    };
    std::vector<Shard> shards_;
    std::vector<Mailbox> boxes_;
};

// What one shard has to send to the others but has not published yet. Belongs to that shard.
class Outboxes {
 public:
    explicit Outboxes(uint16_t shards) : chains_(shards) {}

    void add(ShardId to, Letter& letter);
    // Publishes every chain; calls wake(ShardId) for each peer that sleeps.
    template <class Wake> void publish(PostOffice& post, ShardId self, const Wake& wake) {
        if (waiting_.empty()) return;
        for (ShardId to : waiting_) publish_chain(post, self, to);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        for (ShardId to : waiting_)
            if (post.must_wake(to)) wake(to);
        waiting_.clear();
    }
    bool is_empty() const { return waiting_.empty(); }

 private:
    struct Chain {
        Letter* newest = nullptr;
        Letter* oldest = nullptr;
    };
    void publish_chain(PostOffice& post, ShardId self, ShardId to);

    std::vector<Chain> chains_;
    std::vector<ShardId> waiting_;  // Whose chain is not empty.
};

}  // namespace millrace
