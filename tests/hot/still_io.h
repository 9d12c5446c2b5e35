// An Io with nothing behind it: files keep no bytes, sockets are fed by hand, time stands still but for what
// a turn adds.
//
// What is measured on it is the broker's own work, the same to the digit at each run: for counting
// instructions and allocations. Every write is taken whole in the next turn. One shard; nothing is lasting.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "millrace/io.h"

namespace millrace {

class StillIo final : public Io, LogSink {
 public:
    static constexpr size_t receive_buffer_size = 64 << 10;  // As a real shard's.
    static constexpr uint16_t receive_buffer_count = 64;
    static constexpr uint64_t turn_ns = 10'000;
    static constexpr size_t kept_of_piece = 256;

    StillIo();
    StillIo(const StillIo&) = delete;

    // ---- By hand.
    // One turn: what was submitted or posted before it is done. False when nothing was.
    bool turn();
    // Lets the timers of the next `nanoseconds` come.
    void pass(uint64_t nanoseconds);
    // A client comes to the listener: its descriptor.
    int connect();
    // Its bytes arrive in the next turn, a buffer full at a time.
    void deliver(int fd, Bytes bytes);
    // What was sent to it since it was last taken; of each piece the beginning.
    const std::vector<uint8_t>& sent(int fd) const { return sockets_.at(fd).sent; }
    void take_sent(int fd) { sockets_.at(fd).sent.clear(); }
    uint64_t sent_bytes() const { return sent_bytes_; }
    uint64_t replies() const { return replies_; }  // Whole ones, to all.

    // ---- Io.
    void submit(Op& op) override;
    void cancel(Op& op) override;
    void give_back(ReceiveBuffer buffer) override;
    void post(ShardId to, Letter& letter) override;
    uint64_t now_ns() const override { return now_ns_; }
    int64_t wall_ms() const override { return 1'767'225'600'000 + static_cast<int64_t>(now_ns_ / 1'000'000); }
    uint64_t random() override { return random_ = random_ * 6364136223846793005 + 1442695040888963407; }
    ShardId shard() const override { return ShardId{0}; }
    uint16_t shard_count() const override { return 1; }
    std::string local_address(int) const override { return "127.0.0.1:9092"; }
    std::string peer_address(int) const override { return "127.0.0.1:50000"; }
    Logger& log() override { return log_; }

 private:
    struct Ended {
        Op* op;
        int32_t value;
    };
    struct Socket {
        Op* receiving = nullptr;
        std::vector<uint8_t> sent;
        size_t reply_left = 0;  // Of the reply whose beginning was sent.
    };

    void write(Level, std::string_view) override {}
    int32_t execute(Op& op);
    int32_t open(Op& op);
    int32_t send(Op& op);
    void count_replies(Socket& socket, Bytes bytes);
    void finish(Op& op, int32_t value);
    bool deliver_timers();
    bool deliver_ended();

    uint64_t now_ns_ = 1'000'000'000, random_ = 1, sent_bytes_ = 0, replies_ = 0;
    Logger log_;
    std::set<std::string> paths_;
    std::vector<Op*> submitted_, doing_;
    std::vector<Ended> ended_;  // Lasting ops and timers.
    std::multimap<uint64_t, Op*> timers_;
    Letter* first_letter_ = nullptr;
    Letter** last_letter_ = &first_letter_;
    Op* accepting_ = nullptr;
    std::map<int, Socket> sockets_;
    int next_fd_ = 3;
    std::vector<std::unique_ptr<uint8_t[]>> buffers_;
    std::vector<uint16_t> free_buffers_;
};

}  // namespace millrace
