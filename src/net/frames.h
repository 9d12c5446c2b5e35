// Cuts a connection's bytes into requests, each contiguous.
//
// A request that lies whole in a receive buffer is a view of it, and the buffer goes back when the last such
// request is done; a small one is copied, since a parked request must not hold 64 KiB; one that came in
// pieces is put together in memory of its own, which grows as bytes arrive. All of that memory is set aside
// when its size is known, or its bytes wait: what was begun can always end. Owned by the shard.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "millrace/io.h"

namespace millrace {

// Bytes that requests look into: a receive buffer or memory of our own. Counts who looks.
struct ReceivedPiece {
    Bytes bytes;
    std::optional<ReceiveBuffer> buffer;
    std::vector<uint8_t> owned;
    size_t reserved = 0;  // Of the budget, for a request.
    uint32_t users = 0;
};

// What the connections of one shard share for what they receive.
class InputMemory {
 public:
    struct Limits {
        uint32_t request_bytes_max;
        uint64_t owned_bytes_max;
        uint32_t views_max;
        uint64_t alone_bytes_max = 0;
        uint64_t largest() const { return std::max(owned_bytes_max, alone_bytes_max); }
    };
    InputMemory(Io& io, const Limits& limits)
        : io_(io), limits_(limits), room_bytes_(limits.owned_bytes_max) {}
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
    void count(int64_t bytes) { owned_bytes_ += bytes; }
    uint64_t owned_bytes() const { return static_cast<uint64_t>(owned_bytes_); }
    uint32_t lent() const { return lent_; }

    // The budget of requests, whole and in pieces. What waits to be a request is outside of it: it would keep
    // others from ending.
    // One that is larger than the budget is let in alone.
    bool has_room(size_t size) const { return reserved_bytes_ + size <= room_bytes_ || reserved_bytes_ == 0; }
    // A part of the budget, while memory is short; or all of it again.
    void set_room(uint64_t bytes);
    void trim() { spare_.clear(), kept_.clear(); }
    void reserve(size_t size) { reserved_bytes_ += size; }
    void unreserve(size_t size);
    uint64_t reserved_bytes() const { return reserved_bytes_; }
    // Of cutters. While there are any, nobody else is let in before them.
    uint32_t waiting() const { return waiting_; }
    void begin_wait() { waiting_++; }
    void end_wait();
    // Called when some of those that wait may be let in.
    void on_room(std::function<void()> call) { on_room_ = std::move(call); }

 private:
    ReceivedPiece* take();
    void keep(std::vector<uint8_t> memory);

    static constexpr size_t spare_max = 256;
    static constexpr size_t kept_max = 16, kept_size_min = 1 << 10, kept_size_max = 128 << 10;
    Io& io_;
    Limits limits_;
    uint32_t lent_ = 0;
    uint64_t owned_bytes_ = 0;
    uint64_t reserved_bytes_ = 0, room_bytes_;
    uint32_t waiting_ = 0;
    std::function<void()> on_room_;
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

    // The next request comes in pieces and needs more memory than is free.
    bool waits() const { return waits_for_ > 0; }
    // Lets the request that waits in; false when there is no room yet. Whose turn it is, the caller knows.
    bool let_in();
    // Memory is set aside for a request that has not come whole.
    bool is_inside() const { return reserved_ > 0; }
    void clear();

 private:
    Bytes rest() const { return current_ ? current_->bytes.subspan(position_) : Bytes{}; }
    bool advance();
    std::optional<size_t> needed() const;
    bool may_begin();
    void end_wait();
    bool check_size(const uint8_t* head);
    bool fill_partial();
    void take_spare();
    void grow_partial(size_t size, size_t needed);
    void give(Frame& frame, Bytes bytes);
    void give_partial(Frame& frame);

    InputMemory& memory_;
    ReceivedPiece* current_ = nullptr;  // Where the next byte is; none: nothing is at hand.
    size_t position_ = 0;
    std::vector<uint8_t> partial_;  // The beginning of a request, its size bytes first.
    std::vector<uint8_t> stash_;    // Came after current_.
    size_t reserved_ = 0;           // For the whole of what partial_ begins.
    size_t waits_for_ = 0;          // What must be free before it may begin.
    uint32_t reserved_frames_ = 0;  // Given, not released, and of the budget.
    std::string_view trouble_;
    bool first_ = true;  // Nothing was cut yet: whoever is at the other end may not speak Kafka.
};

}  // namespace millrace
