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

    // Zig-zag; the two shortest forms inline, since nearly every number in a record has one of them.
    int32_t varint() {
        if (left() >= 2) [[likely]] {
            const uint32_t first = p_[0];
            if (first < 0x80) return p_ += 1, unzigzag(first);
            const uint32_t second = p_[1];
            if (second < 0x80) return p_ += 2, unzigzag((first & 0x7f) | second << 7);
        } else if (left() == 1 && p_[0] < 0x80) {
            return unzigzag(uint32_t{*p_++});
        }
        return unzigzag(static_cast<uint32_t>(long_form(5)));
    }
    int64_t varlong() {
        if (left() >= 2) [[likely]] {
            const uint64_t first = p_[0];
            if (first < 0x80) return p_ += 1, unzigzag(first);
            const uint64_t second = p_[1];
            if (second < 0x80) return p_ += 2, unzigzag((first & 0x7f) | second << 7);
        }
        return unzigzag(long_form(10));
    }
    void skip(size_t size) {
        if (size > left()) return fail();
        p_ += size;
    }
    void fail() { failed_ = true, p_ = end_; }

 private:
    template <class U> static std::make_signed_t<U> unzigzag(U x) {
        return static_cast<std::make_signed_t<U>>((x >> 1) ^ (U{0} - (x & 1)));
    }
    uint64_t long_form(int bytes_max);

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
};

// `count` headers and nothing behind them.
bool headers_are_sound(RecordBytes headers, int32_t count);

// The next record; `from` has failed if it is malformed or does not keep to its length.
inline RecordParts read_record(RecordBytes& from) {
    RecordParts parts;
    const int32_t size = from.varint();
    RecordBytes in(from.place(), from.place() + (size < 0 || size_t(size) > from.left() ? 0 : size));
    in.skip(1);  // Attributes: none are in use.
    parts.timestamp_delta = in.varlong();
    parts.offset_delta = in.varint();
    parts.key_size = in.varint();
    parts.key = in.place();
    if (parts.key_size > 0) in.skip(static_cast<size_t>(parts.key_size));
    parts.value_size = in.varint();
    parts.value = in.place();
    if (parts.value_size > 0) in.skip(static_cast<size_t>(parts.value_size));
    parts.header_count = in.varint();
    parts.headers = {in.place(), in.left()};
    const bool bare = parts.header_count == 0 && in.left() == 0;
    if (in.failed() || (!bare && !headers_are_sound(in, parts.header_count)))
        from.fail();
    else
        from.skip(static_cast<size_t>(size));
    return parts;
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
