// Cutting requests out of received bytes.
#include "frames.h"

namespace millrace {
namespace {

constexpr size_t head_size = 4;

// A connection's only request is let in up to this size: to hold it back would cost as much, and what others
// wait for may be in it (a follower's fetch ends their produce).
constexpr size_t always_in_max = 64 << 10;

// What a request takes that comes in pieces.
size_t memory_of(size_t size) {
    constexpr size_t step = 1024;
    return (size + step - 1) / step * step;
}

// What somebody says first who does not speak Kafka.
std::string_view foreign_tongue(const uint8_t* head) {
    const std::string_view word{reinterpret_cast<const char*>(head), head_size};
    if (head[0] == 0x16 && head[1] == 0x03) return "TLS handshake on a plaintext port";
    for (const std::string_view method :
         {"GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE", "PATC", "CONN", "TRAC", "PRI "})
        if (word == method) return "HTTP request on the Kafka port";
    if (word == "SSH-") return "SSH on the Kafka port";
    return {};
}

}  // namespace

// ---- Memory --------------------------------------------------------------------------------------------

ReceivedPiece* InputMemory::take() {
    if (spare_.empty()) return std::make_unique<ReceivedPiece>().release();
    ReceivedPiece* chunk = spare_.back().release();
    spare_.pop_back();
    return chunk;
}

ReceivedPiece* InputMemory::lend(ReceiveBuffer buffer, Bytes bytes) {
    ReceivedPiece* chunk = take();
    chunk->bytes = bytes, chunk->buffer = buffer, chunk->users = 1;
    lent_++;
    return chunk;
}

ReceivedPiece* InputMemory::own(std::vector<uint8_t> bytes) {
    ReceivedPiece* chunk = take();
    chunk->owned = std::move(bytes);
    chunk->bytes = chunk->owned, chunk->users = 1;
    owned_bytes_ += chunk->owned.capacity();
    return chunk;
}

void InputMemory::drop(ReceivedPiece* chunk) {
    ASSERT(chunk->users > 0);
    if (--chunk->users > 0) return;
    if (chunk->buffer) {
        ASSERT(lent_ > 0);
        lent_--;
        io_.give_back(*chunk->buffer);
    }
    ASSERT(owned_bytes_ >= chunk->owned.capacity());
    owned_bytes_ -= chunk->owned.capacity();
    unreserve(chunk->reserved);
    keep(std::move(chunk->owned));
    std::unique_ptr<ReceivedPiece> spare{chunk};
    *chunk = {};
    if (spare_.size() < spare_max) spare_.push_back(std::move(spare));
}

void InputMemory::unreserve(size_t size) {
    ASSERT(reserved_bytes_ >= size);
    reserved_bytes_ -= size;
    if (size > 0 && waiting_ > 0 && on_room_) on_room_();
}

void InputMemory::set_room(uint64_t bytes) {
    const bool is_more = bytes > std::exchange(room_bytes_, bytes);
    if (is_more && waiting_ > 0 && on_room_) on_room_();
}

void InputMemory::end_wait() {
    ASSERT(waiting_ > 0);
    waiting_--;
    if (waiting_ > 0 && on_room_) on_room_();
}

void InputMemory::keep(std::vector<uint8_t> memory) {
    const bool fits = memory.capacity() >= kept_size_min && memory.capacity() <= kept_size_max;
    if (!fits || kept_.size() == kept_max) return;
    memory.clear();
    kept_.push_back(std::move(memory));
}

std::vector<uint8_t> InputMemory::take_memory() {
    if (kept_.empty()) return {};
    std::vector<uint8_t> memory = std::move(kept_.back());
    kept_.pop_back();
    return memory;
}

// ---- Cutting -------------------------------------------------------------------------------------------

FrameCutter::~FrameCutter() { clear(); }

void FrameCutter::clear() {
    if (current_) memory_.drop(std::exchange(current_, nullptr));
    memory_.count(-static_cast<int64_t>(partial_.capacity() + stash_.capacity()));
    std::exchange(partial_, {}), std::exchange(stash_, {});  // Assigning {} would keep the memory.
    position_ = 0;
    memory_.unreserve(std::exchange(reserved_, 0));
    end_wait();
}

void FrameCutter::add(ReceiveBuffer buffer, Bytes bytes) {
    ASSERT(!bytes.empty());
    if (!current_) {
        current_ = memory_.lend(buffer, bytes);
        position_ = 0;
        return;
    }
    const size_t before = stash_.capacity();
    stash_.insert(stash_.end(), bytes.begin(), bytes.end());
    memory_.count(static_cast<int64_t>(stash_.capacity() - before));
    memory_.give_back(buffer);
}

std::vector<uint8_t> FrameCutter::take_rest() {
    std::vector<uint8_t> bytes{partial_};
    bytes.insert(bytes.end(), rest().begin(), rest().end());
    bytes.insert(bytes.end(), stash_.begin(), stash_.end());
    clear();
    return bytes;
}

void FrameCutter::begin_with(std::vector<uint8_t> bytes) {
    ASSERT(!current_ && partial_.empty());
    if (!bytes.empty()) current_ = memory_.own(std::move(bytes));
}

bool FrameCutter::next(Frame& frame) {
    ASSERT(!frame.chunk);
    while (trouble_.empty()) {
        if (rest().empty() && !advance()) return false;
        const Bytes at_hand = rest();
        if (partial_.empty() && at_hand.size() >= head_size) {
            if (!check_size(at_hand.data())) return false;
            const size_t size = head_size + load_big<uint32_t>(at_hand.data());
            if (at_hand.size() >= size) {
                give(frame, at_hand.subspan(head_size, size - head_size));
                position_ += size;
                return true;
            }
        }
        if (!may_begin() || !fill_partial()) return false;
        if (const auto size = needed(); size && partial_.size() == *size) {
            give_partial(frame);
            return true;
        }
    }
    return false;
}

// Everything of current_ was taken: on to what came after it.
bool FrameCutter::advance() {
    if (current_) memory_.drop(std::exchange(current_, nullptr));
    position_ = 0;
    if (stash_.empty()) return false;
    memory_.count(-static_cast<int64_t>(stash_.capacity()));
    current_ = memory_.own(std::exchange(stash_, {}));
    return true;
}

// Of the request that partial_ begins, size bytes included; nothing before those are complete.
std::optional<size_t> FrameCutter::needed() const {
    if (partial_.size() < head_size) return std::nullopt;
    return head_size + load_big<uint32_t>(partial_.data());
}

// Sets the memory aside for the request that begins, or says that it waits. Its head needs none.
bool FrameCutter::may_begin() {
    if (reserved_ > 0) return true;
    const bool at_head = partial_.empty() && rest().size() >= head_size;
    const auto size = at_head ? head_size + load_big<uint32_t>(rest().data()) : needed();
    if (!size) return true;
    const size_t wanted = memory_of(*size);
    const bool always = wanted <= always_in_max && reserved_frames_ == 0;
    if (waits() && !always) return false;
    if (!always && wanted > memory_.limits().largest())
        return trouble_ = "request larger than the memory for requests", false;
    if (!always && (memory_.waiting() > 0 || !memory_.has_room(wanted))) {
        waits_for_ = wanted;
        memory_.begin_wait();
        return false;
    }
    end_wait();
    memory_.reserve(reserved_ = wanted);
    return true;
}

bool FrameCutter::let_in() {
    ASSERT(waits() && reserved_ == 0);
    if (!memory_.has_room(waits_for_)) return false;
    memory_.reserve(reserved_ = waits_for_);
    end_wait();
    return true;
}

void FrameCutter::end_wait() {
    if (std::exchange(waits_for_, 0) > 0) memory_.end_wait();
}

bool FrameCutter::check_size(const uint8_t* head) {
    const auto size = load_big<int32_t>(head);
    const bool good = size > 0 && static_cast<uint32_t>(size) <= memory_.limits().request_bytes_max;
    if (!good && first_) trouble_ = foreign_tongue(head);
    if (!good && trouble_.empty()) trouble_ = size <= 0 ? "request size not positive" : "request too large";
    first_ = false;
    return good;
}

// Takes what is at hand for the one request that has begun.
bool FrameCutter::fill_partial() {
    const bool knew_size = needed().has_value();
    const size_t want = needed().value_or(head_size);
    const Bytes taken = rest().first(std::min(rest().size(), want - partial_.size()));
    grow_partial(partial_.size() + taken.size(), want);
    partial_.insert(partial_.end(), taken.begin(), taken.end());
    position_ += taken.size();
    return knew_size || !needed() || check_size(partial_.data());
}

// Memory that an earlier request in pieces has left, where there is some.
void FrameCutter::take_spare() {
    std::vector<uint8_t> memory = memory_.take_memory();
    if (memory.capacity() <= partial_.capacity()) return;
    memory.assign(partial_.begin(), partial_.end());
    memory_.count(static_cast<int64_t>(memory.capacity() - partial_.capacity()));
    if (memory.capacity() > reserved_) memory_.reserve(memory.capacity() - reserved_);
    reserved_ = std::max(reserved_, memory.capacity());
    partial_ = std::move(memory);
}

// At most doubles, and goes beyond what the request needs by less than a step: so that what it leaves behind
// does for the next one.
void FrameCutter::grow_partial(size_t size, size_t needed) {
    if (reserved_ > 0 && partial_.capacity() <= head_size) take_spare();
    const size_t before = partial_.capacity();
    if (size <= before) return;
    const size_t wanted = std::max(size, std::min(needed, 2 * before));
    partial_.reserve(size > head_size ? memory_of(wanted) : wanted);
    memory_.count(static_cast<int64_t>(partial_.capacity() - before));
}

void FrameCutter::give(Frame& frame, Bytes bytes) {
    const bool is_view = bytes.size() > Frame::small_max && (!current_->buffer || memory_.may_view());
    if (is_view) {
        frame.bytes = bytes;
        frame.chunk = current_;
        current_->users++;
    } else if (bytes.size() > Frame::small_max) {
        frame.chunk = memory_.own({bytes.begin(), bytes.end()});
        frame.bytes = frame.chunk->bytes;
        memory_.reserve(frame.chunk->reserved = bytes.size());
        reserved_frames_++;
    } else {
        std::memcpy(frame.small.data(), bytes.data(), bytes.size());
        frame.bytes = {frame.small.data(), bytes.size()};
    }
}

void FrameCutter::give_partial(Frame& frame) {
    memory_.count(-static_cast<int64_t>(partial_.capacity()));
    frame.chunk = memory_.own(std::exchange(partial_, {}));
    frame.bytes = frame.chunk->bytes.subspan(head_size);
    frame.chunk->reserved = std::exchange(reserved_, 0);
    ASSERT(frame.chunk->reserved > 0);
    reserved_frames_++;
}

void FrameCutter::park(Frame* frame) {
    if (frame && frame->chunk && frame->chunk->buffer) {
        ReceivedPiece* copy = memory_.own({frame->bytes.begin(), frame->bytes.end()});
        memory_.drop(std::exchange(frame->chunk, copy));
        frame->bytes = copy->bytes;
        memory_.reserve(copy->reserved = copy->bytes.size());
        reserved_frames_++;
    }
    if (!current_ || !current_->buffer) return;
    if (rest().empty()) return void(advance());
    ReceivedPiece* copy = memory_.own({rest().begin(), rest().end()});
    memory_.drop(std::exchange(current_, copy));
    position_ = 0;
}

void FrameCutter::release(Frame& frame) {
    if (frame.chunk && frame.chunk->reserved > 0) reserved_frames_--;
    if (frame.chunk) memory_.drop(std::exchange(frame.chunk, nullptr));
    frame.bytes = {};
}

}  // namespace millrace
