// Cuts a connection's bytes into requests, each contiguous.
//
// A request that lies whole in a receive buffer is a view of it, and the buffer goes back when the last such
// request is done; a small one is copied, since a parked request must not hold 64 KiB; one that came in
// pieces is put together in memory of its own, which grows as bytes arrive. Owned by the shard.
#pragma once
#include <optional>
#include <vector>

#include "millrace/io.h"

namespace millrace {

// Bytes that requests look into: a receive buffer or memory of our own. Counts who looks.
struct ReceivedPiece {
    Bytes bytes;
    std::optional<ReceiveBuffer> buffer;
    std::vector<uint8_t> owned;
    uint32_t users = 0;
};

// What the connections of one shard share for what they receive.
class InputMemory {
 public:
    struct Limits {
        uint32_t request_bytes_max;
        uint64_t owned_bytes_max;
        uint32_t views_max;
    };
    InputMemory(Io& io, const Limits& limits) : io_(io), limits_(limits) {}
    InputMemory(const InputMemory&) = delete;

    // Both have one user to begin with.
    ReceivedPiece* lend(ReceiveBuffer buffer, Bytes bytes);
    ReceivedPiece* own(std::vector<uint8_t> bytes);
    void drop(ReceivedPiece* chunk);
    // Empty memory that an earlier request in pieces has left behind, perhaps none; not counted yet.
    std::vector<uint8_t> take_memory();
    void give_back(ReceiveBuffer buffer) { io_.give_back(buffer); }

    const Limits& limits() const { return limits_; }
    // Receive buffers in use beyond the moment: a request may look into one more only below the limit.
    bool may_view() const { return lent_ <= limits_.views_max; }
    bool has_room(size_t size) const { return owned_bytes_ + size <= limits_.owned_bytes_max; }
    void count(int64_t bytes) { owned_bytes_ += bytes; }
    uint64_t owned_bytes() const { return static_cast<uint64_t>(owned_bytes_); }
    uint32_t lent() const { return lent_; }

 private:
    ReceivedPiece* take();
    void keep(std::vector<uint8_t> memory);

    static constexpr size_t spare_max = 256;
    static constexpr size_t kept_max = 16, kept_size_min = 1 << 10, kept_size_max = 128 << 10;
    Io& io_;
    Limits limits_;
    uint32_t lent_ = 0;
    uint64_t owned_bytes_ = 0;
    std::vector<std::unique_ptr<ReceivedPiece>> spare_;
    std::vector<std::vector<uint8_t>> kept_;
};

// One request without its size bytes. Stays where it is: small ones lie inside.
struct Frame {
    static constexpr size_t small_max = 512;

    Frame() = default;
    Frame(const Frame&) = delete;

    Bytes bytes;
    ReceivedPiece* chunk = nullptr;  // What the bytes lie in, when they do not lie in `small`.
    std::array<uint8_t, small_max> small;
};

class FrameCutter {
 public:
    explicit FrameCutter(InputMemory& memory) : memory_(memory) {}
    FrameCutter(const FrameCutter&) = delete;
    ~FrameCutter();

    // More bytes, in a buffer that it takes over. While earlier ones wait they are copied.
    void add(ReceiveBuffer buffer, Bytes bytes);
    // The next whole request into `frame`, which is empty; false when there is none, or the bytes are bad.
    bool next(Frame& frame);
    // Why no request can follow, in a few words; empty while all is well.
    std::string_view trouble() const { return trouble_; }

    // All that was received and not cut yet; it goes on where another cutter begins with it.
    std::vector<uint8_t> take_rest();
    void begin_with(std::vector<uint8_t> bytes);

    // Requests cannot be taken for now: holds no receive buffer meanwhile, neither itself nor through
    // `frame`.
    void park(Frame* frame);
    void release(Frame& frame);
    bool has_bytes() const { return current_ != nullptr; }
    size_t incomplete_bytes() const { return partial_.size(); }
    void clear();

 private:
    Bytes rest() const { return current_ ? current_->bytes.subspan(position_) : Bytes{}; }
    bool advance();
    std::optional<size_t> needed();
    bool check_size(const uint8_t* head);
    bool fill_partial();
    void take_spare();
    bool grow_partial(size_t size, size_t needed);
    void give(Frame& frame, Bytes bytes);
    void give_partial(Frame& frame);

    InputMemory& memory_;
    ReceivedPiece* current_ = nullptr;  // Where the next byte is; none: nothing is at hand.
    size_t position_ = 0;
    std::vector<uint8_t> partial_;  // The beginning of a request, its size bytes first.
    std::vector<uint8_t> stash_;    // Came after current_.
    std::string_view trouble_;
    bool first_ = true;  // Nothing was cut yet: whoever is at the other end may not speak Kafka.
};

}  // namespace millrace
