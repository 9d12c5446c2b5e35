// The bytes of one record inside a batch: reading that never leaves its bounds, and writing.
//
// record = varint length of the rest, int8 attributes, varlong timestamp delta, varint offset delta,
// varint key size (negative: null) key, varint value size value, varint header count, headers.
#pragma once
#include "millrace/base.h"

namespace millrace {

// A place in bytes. Reading beyond the end fails for good and gives zero.
class RecordBytes {
 public:
    RecordBytes(const uint8_t* begin, const uint8_t* end) : p_(begin), end_(end) {}
    explicit RecordBytes(Bytes bytes) : RecordBytes(bytes.data(), bytes.data() + bytes.size()) {}

    bool failed() const { return failed_; }
    size_t left() const { return static_cast<size_t>(end_ - p_); }
    const uint8_t* place() const { return p_; }

    int32_t varint() {
        const auto x = static_cast<uint32_t>(number(5));
        return static_cast<int32_t>((x >> 1) ^ (0 - (x & 1)));
    }
    int64_t varlong() {
        const uint64_t x = number(10);
        return static_cast<int64_t>((x >> 1) ^ (0 - (x & 1)));
    }
    void skip(size_t size) {
        if (size > left()) return fail();
        p_ += size;
    }
    void fail() { failed_ = true, p_ = end_; }

 private:
    uint64_t number(int bytes_max);

    const uint8_t* p_;
    const uint8_t* end_;
    bool failed_ = false;
};

// Where the parts of one record lie.
struct RecordParts {
    int64_t timestamp_delta;
    int32_t offset_delta;
    int32_t key_size;  // Negative: null.
    const uint8_t* key;
    int32_t value_size;  // Negative: null.
    const uint8_t* value;
    int32_t header_count;
    Bytes headers;
    const uint8_t* behind;  // The next record. Null: this one is malformed, and nothing above means anything.
};

// `count` headers and nothing behind them.
bool headers_are_sound(RecordBytes headers, int32_t count);

// One record of any form. It must keep to its length.
RecordParts read_any_record(Bytes from);

// A number of one or two bytes, without its zig-zag; more bytes give `number_too_long`.
inline constexpr uint32_t number_too_long = UINT32_MAX;
[[gnu::always_inline]] inline uint32_t read_short_number(const uint8_t*& p) {
    const uint32_t first = *p++;
    if (first < 0x80) return first;
    const uint32_t second = *p++;
    if (second >= 0x80) [[unlikely]]
        return number_too_long;
    return (first & 0x7f) | second << 7;
}
[[gnu::always_inline]] inline int32_t unzigzag(uint32_t x) {
    return static_cast<int32_t>((x >> 1) ^ (0 - (x & 1)));
}

// The form that nearly all records have: no headers, no number above two bytes, not at the very end of the
// bytes. `behind` is null when it has another form, or is malformed.
[[gnu::always_inline]] inline RecordParts read_plain_record(const uint8_t* p, const uint8_t* end) {
    constexpr ptrdiff_t head_size_max = 2 + 1 + 2 + 2 + 2, value_size_max = 2;
    RecordParts parts;
    parts.behind = nullptr;
    if (end - p < head_size_max) [[unlikely]]
        return parts;
    const uint32_t size = read_short_number(p);
    if ((size & 1) || size / 2 > static_cast<size_t>(end - p)) [[unlikely]]  // number_too_long is odd, too.
        return parts;
    const uint8_t* const behind = p + size / 2;
    p++;  // Attributes.
    const uint32_t timestamp = read_short_number(p), offset = read_short_number(p),
                   key = read_short_number(p);
    parts.timestamp_delta = unzigzag(timestamp);
    parts.offset_delta = unzigzag(offset);
    parts.key_size = unzigzag(key);
    parts.key = p;
    const ptrdiff_t key_size = std::max(parts.key_size, 0);
    const bool too_long = timestamp == number_too_long || offset == number_too_long || key == number_too_long;
    if (too_long || behind - p < key_size || end - p - key_size < value_size_max) [[unlikely]]
        return parts;
    p += key_size;
    const uint32_t value = read_short_number(p);
    parts.value_size = unzigzag(value);
    parts.value = p;
    // Behind the value exactly one byte is left: no headers.
    const ptrdiff_t value_size = std::max(parts.value_size, 0);
    if (value == number_too_long || behind - p - 1 != value_size || behind[-1] != 0) [[unlikely]]
        return parts;
    parts.header_count = 0;
    parts.headers = {behind, size_t{0}};
    parts.behind = behind;
    return parts;
}

// The record that `from` begins with; `behind` is null if it is malformed.
[[gnu::always_inline]] inline RecordParts read_record(Bytes from) {
    const RecordParts parts = read_plain_record(from.data(), from.data() + from.size());
    if (parts.behind) [[likely]]
        return parts;
    return read_any_record(from);
}

// ---- Writing -------------------------------------------------------------------------------------------

inline uint64_t zigzag(int64_t x) { return (static_cast<uint64_t>(x) << 1) ^ static_cast<uint64_t>(x >> 63); }

inline size_t varlong_size(int64_t x) {
    return (static_cast<size_t>(63 - __builtin_clzll(zigzag(x) | 1)) / 7) + 1;
}

// Returns the place after it. A varint is the varlong of the same number.
inline uint8_t* write_varlong(uint8_t* to, int64_t number) {
    uint64_t x = zigzag(number);
    for (; x >= 0x80; x >>= 7) *to++ = static_cast<uint8_t>(x | 0x80);
    *to++ = static_cast<uint8_t>(x);
    return to;
}

}  // namespace millrace
