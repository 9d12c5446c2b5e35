// What every module stands on: asserts, errors, results, bytes, strong numbers, the arena.
//
// No I/O, no clock, no static mutable state. Everything here may be used from any shard.
#pragma once
#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/error.h"

namespace millrace {

// ---- Asserts -------------------------------------------------------------------------------------------
// Always on. About our own mistakes only: bytes from outside are parsed or refused, never asserted.

[[noreturn]] void assert_failed(const char* condition, const char* file, int line);

#define ASSERT(condition) \
    (static_cast<bool>(condition) ? void(0) : ::millrace::assert_failed(#condition, __FILE__, __LINE__))

// ---- Bytes ---------------------------------------------------------------------------------------------

// Views: whoever hands one over says how long the memory lives.
using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Big-endian numbers at p, which need not be aligned.
template <class T> T load_big(const uint8_t* p) {
    std::make_unsigned_t<T> x;
    std::memcpy(&x, p, sizeof x);
    if constexpr (sizeof x == 2) x = __builtin_bswap16(x);
    if constexpr (sizeof x == 4) x = __builtin_bswap32(x);
    if constexpr (sizeof x == 8) x = __builtin_bswap64(x);
    return static_cast<T>(x);
}
template <class T> void store_big(uint8_t* p, T value) {
    auto x = static_cast<std::make_unsigned_t<T>>(value);
    if constexpr (sizeof x == 2) x = __builtin_bswap16(x);
    if constexpr (sizeof x == 4) x = __builtin_bswap32(x);
    if constexpr (sizeof x == 8) x = __builtin_bswap64(x);
    std::memcpy(p, &x, sizeof x);
}

// ---- Results -------------------------------------------------------------------------------------------
// A value, or the Kafka error that says why there is none. Nothing is mapped on the way up.

template <class T = void> class [[nodiscard]] Result {
 public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(error) { ASSERT(error != Error::none); }

    bool ok() const { return value_.has_value(); }
    explicit operator bool() const { return ok(); }
    Error error() const { return error_; }  // Error::none when ok.

    T& operator*() { return ASSERT(ok()), *value_; }
    const T& operator*() const { return ASSERT(ok()), *value_; }
    T* operator->() { return ASSERT(ok()), &*value_; }
    const T* operator->() const { return ASSERT(ok()), &*value_; }

 private:
    std::optional<T> value_;
    Error error_ = Error::none;
};

template <> class [[nodiscard]] Result<void> {
 public:
    Result() = default;
    Result(Error error) : error_(error) {}  // Error::none is a good one.

    bool ok() const { return error_ == Error::none; }
    explicit operator bool() const { return ok(); }
    Error error() const { return error_; }

 private:
    Error error_ = Error::none;
};

// ---- Strong numbers ------------------------------------------------------------------------------------
// Different numbers have different types; only sums and differences that mean something compile.

template <class Tag, class Rep> struct Strong {
    Rep value{};

    constexpr Strong() = default;
    constexpr explicit Strong(Rep x) : value(x) {}
    constexpr auto operator<=>(const Strong&) const = default;

    constexpr Strong operator+(Rep n) const { return Strong{static_cast<Rep>(value + n)}; }
    constexpr Strong operator-(Rep n) const { return Strong{static_cast<Rep>(value - n)}; }
    constexpr Rep operator-(Strong other) const { return static_cast<Rep>(value - other.value); }
    constexpr Strong& operator++() { return ++value, *this; }
    constexpr Strong& operator+=(Rep n) { return value += n, *this; }
};

using Offset = Strong<struct OffsetTag, int64_t>;       // A record's place in its partition.
using Position = Strong<struct PositionTag, uint64_t>;  // A byte's place in a segment file.
using Epoch = Strong<struct EpochTag, int32_t>;         // Leader epoch.
using NodeId = Strong<struct NodeIdTag, int32_t>;
using ShardId = Strong<struct ShardIdTag, uint16_t>;
using ProducerId = Strong<struct ProducerIdTag, int64_t>;

// A partition's dense number on the cluster, given once by the metadata log and never reused.
// The home shard of a partition on a node is slot mod shards. Slot 0 is the metadata log.
using Slot = Strong<struct SlotTag, uint32_t>;

// message.timestamp.type: who stamps records. Its number is a bit of a record batch's attributes.
enum class TimestampType : uint8_t { create_time, log_append_time };

struct Uuid {
    std::array<uint8_t, 16> bytes{};

    constexpr auto operator<=>(const Uuid&) const = default;
    bool is_zero() const { return *this == Uuid{}; }
    // Kafka's text form: URL-safe base64 without padding, 22 characters.
    std::string to_text() const;
    static std::optional<Uuid> from_text(std::string_view text);
};

// ---- Arena ---------------------------------------------------------------------------------------------
// Memory that lives as long as one request. Nothing in it is destroyed: only trivially destructible types.
// Owned by one shard at a time; it may be handed to another shard together with what points into it.

class Arena {
 public:
    Arena() = default;
    Arena(Arena&&) = default;
    Arena& operator=(Arena&&) = default;

    // `count` value-initialised elements; never null, even for none.
    template <class T> std::span<T> make(size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        auto* p = static_cast<T*>(take(count * sizeof(T), alignof(T)));
        for (size_t i = 0; i < count; i++) new (p + i) T{};
        return {p, count};
    }
    Bytes copy(Bytes bytes);
    std::string_view copy(std::string_view text) { return as_text(copy(as_bytes(text))); }

    // Uninitialised memory, aligned.
    void* take(size_t size, size_t align);
    // Forgets everything; keeps the first block, so that a steady state allocates nothing.
    void reset();
    // Bytes that were handed out since the last reset.
    size_t used() const { return used_total_; }

 private:
    static constexpr size_t block_size = 16 << 10;
    struct Block {
        std::unique_ptr<uint8_t[]> data;
        size_t size;
    };
    std::vector<Block> blocks_;
    size_t used_ = 0;  // In the last block.
    size_t used_total_ = 0;
};

// ---- Checksums -----------------------------------------------------------------------------------------

// CRC-32C (Castagnoli) of bytes, continuing from `crc` (0 to begin); the form that record batches carry.
// Picks the fastest implementation the processor has, once.
uint32_t crc32c(Bytes bytes, uint32_t crc = 0);

// XXH3-64, for everything of our own on disk.
uint64_t hash64(Bytes bytes, uint64_t seed = 0);

}  // namespace millrace

template <class Tag, class Rep> struct std::hash<millrace::Strong<Tag, Rep>> {
    size_t operator()(millrace::Strong<Tag, Rep> x) const { return std::hash<Rep>{}(x.value); }
};
template <> struct std::hash<millrace::Uuid> {
    size_t operator()(const millrace::Uuid& id) const {
        uint64_t high, low;
        std::memcpy(&high, id.bytes.data(), 8);
        std::memcpy(&low, id.bytes.data() + 8, 8);
        return high * 0x9e3779b97f4a7c15 ^ low;
    }
};
