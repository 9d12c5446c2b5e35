// Kafka's messages: what a description is, and the bytes it becomes.
//
// A message is a plain struct with a `static constexpr Api api` and ONE `static void fields(auto& self, auto&
// v)` that names every field once, in wire order, with the versions that carry it. The messages themselves
// are in millrace/wire/. They own nothing: decoded strings and bytes are views of the frame, lists lie in an
// Arena.
#pragma once
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base.h"

namespace millrace::wire {

using String = std::string_view;
template <class T> using List = std::span<T>;
template <class T> using Nullable = std::optional<T>;

// ---- Descriptions --------------------------------------------------------------------------------------

// A range of versions; both ends count.
struct Versions {
    int16_t first = 0;
    int16_t last = std::numeric_limits<int16_t>::max();

    constexpr bool has(int version) const { return first <= version && version <= last; }
};
inline constexpr int16_t never = std::numeric_limits<int16_t>::max();

// Where a field is on the wire: since(3), until(7), between(8, 10); all versions when nothing is said.
struct Presence {
    Versions versions;
    int16_t null_first = 0;       // A null is malformed below this version.
    bool always_classic = false;  // Keeps the old form of lengths in flexible versions too.

    constexpr Presence null_since(int16_t first) const { return {versions, first, always_classic}; }
    constexpr Presence classic() const { return {versions, null_first, true}; }
};
constexpr Presence since(int16_t first) { return {.versions = {.first = first}}; }
constexpr Presence until(int16_t last) { return {.versions = {.last = last}}; }
constexpr Presence between(int16_t first, int16_t last) { return {.versions = {first, last}}; }

// A field of a struct's tag section (KIP-482): left out while it has its default value, which for numbers is
// said here again. A description lists its tagged fields by ascending number.
struct Tag {
    uint32_t number;
    Versions versions;
    int64_t default_number = 0;
    bool null_is_written = false;  // The default of a nullable field is the empty value, not null.
};
constexpr Tag tag(uint32_t number, Presence where, int64_t default_number = 0) {
    return {number, where.versions, default_number};
}
constexpr Tag tag_with_null(uint32_t number, Presence where) { return {number, where.versions, 0, true}; }

struct Api {
    int16_t key;       // The API's key; of an internal record its type, -1 where it has none.
    const char* name;  // Kafka's name of the API, e.g. "Produce".
    Versions versions;
    int16_t flexible_since = 0;  // First version with compact lengths and tags; `never` where there is none.

    constexpr bool flexible(int version) const { return version >= flexible_since; }
};

// ---- Records -------------------------------------------------------------------------------------------

// Record batches inside a message, as bytes that are not looked into. A response may give them in several
// pieces, such as adjacent ranges of a log; decoded records are always one piece.
class Records {
 public:
    Records() = default;
    Records(Bytes whole) : whole_(whole), size_(whole.size()) {}
    // The list of pieces must live as long as this.
    explicit Records(std::span<const Bytes> pieces) : pieces_(pieces) {
        for (Bytes piece : pieces) size_ += piece.size();
    }

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::span<const Bytes> pieces() const { return pieces_.empty() ? std::span{&whole_, 1} : pieces_; }
    // The bytes, where they are known to be one piece: after decoding.
    Bytes whole() const { return ASSERT(pieces().size() == 1), pieces()[0]; }

 private:
    Bytes whole_;
    std::span<const Bytes> pieces_;
    size_t size_ = 0;
};

// ---- Writer --------------------------------------------------------------------------------------------

// Appends big-endian bytes to a buffer that grows and is kept by clear(), so that a steady state allocates
// nothing. Large pieces of records are not copied but noted, to be sent from where they are: what they point
// to must live until the bytes are sent. Movable: a reply takes its writer along until it is sent.
class Writer {
 public:
    // Shorter pieces are copied: a part of a gathered send costs more.
    static constexpr size_t splice_size_min = 512;

    Writer() = default;

    // Bytes written so far, spliced ones included.
    size_t size() const { return used_ + spliced_; }
    void clear() { used_ = 0, spliced_ = 0, splices_.clear(); }
    // Everything written; only while nothing is spliced in.
    Bytes view() const { return ASSERT(splices_.empty()), Bytes{buffer_.get(), used_}; }
    bool is_spliced() const { return !splices_.empty(); }
    // Everything written, in order, as parts of a gathered send; valid until the next write. Adds to `out`.
    void append_pieces(std::vector<Bytes>& out) const;
    // Everything written, in one new vector: for tests and rare uses.
    std::vector<uint8_t> copy() const;

    template <std::integral T> void fixed(T x) {
        if constexpr (sizeof(T) == 1) {
            *room(1) = static_cast<uint8_t>(x);
        } else {
            store_big(room(sizeof(T)), x);
        }
        used_ += sizeof(T);
    }
    void uvarint(uint32_t x) {
        uint8_t* p = room(5);
        uint8_t* const start = p;
        for (; x >= 0x80; x >>= 7) *p++ = static_cast<uint8_t>(x) | 0x80;
        *p++ = static_cast<uint8_t>(x);
        used_ += static_cast<size_t>(p - start);
    }
    void raw(Bytes bytes) {
        uint8_t* p = room(bytes.size());
        if (!bytes.empty()) std::memcpy(p, bytes.data(), bytes.size());
        used_ += bytes.size();
    }
    // Notes the piece instead of copying it, where that pays.
    void splice(Bytes piece);

    // Between the two: a frame, which gets its size in 4 bytes in front of it.
    struct Frame {
        size_t at, size_before;
    };
    Frame begin_frame();
    void end_frame(Frame frame);
    // Between the two: bytes without splices, which get their size in front of them as a uvarint.
    size_t begin_sized() { return fixed<uint8_t>(0), used_; }
    void end_sized(size_t start);

 private:
    struct Splice {
        size_t at;  // Bytes of the buffer that come before it.
        Bytes piece;
    };
    uint8_t* room(size_t size) {
        if (used_ + size > capacity_) [[unlikely]]
            grow(size);
        return buffer_.get() + used_;
    }
    void grow(size_t size);

    std::unique_ptr<uint8_t[]> buffer_;
    size_t used_ = 0;
    size_t capacity_ = 0;
    size_t spliced_ = 0;
    std::vector<Splice> splices_;
};

// ---- Encode, decode, print -----------------------------------------------------------------------------

// What can be done with a message. Compiled once per message, in src/wire/; whoever describes a message of
// its own includes millrace/wire/codec.h and says `template struct Codec<It>;` in one file.
template <class T> struct Codec {
    static void encode(Writer& out, const T& message, int16_t version);
    static bool decode(Bytes body, int16_t version, Arena& memory, T& message);
    static void print(std::string& out, const T& message, int16_t version, size_t size_max);
};

// Appends the body. The version must be one of T::api.versions. A field that the version lacks is left out
// whatever its value; a null that it lacks becomes empty; a string is cut at Kafka's limit of 32,767 bytes.
template <class T> void encode(Writer& out, const T& message, int16_t version) {
    Codec<T>::encode(out, message, version);
}

// The message that `body` begins with, or nothing. What follows it is ignored, as Kafka does: librdkafka
// (2.11) leaves bytes behind Metadata. Takes at most a constant times the size of the body from `memory`.
template <class T> std::optional<T> decode(Bytes body, int16_t version, Arena& memory) {
    std::optional<T> message(std::in_place);
    if (!Codec<T>::decode(body, version, memory, *message)) message.reset();
    return message;
}

// One line for logs and test failures, cut at about size_max; bytes and records are shown as their size.
template <class T> std::string to_text(const T& message, int16_t version, size_t size_max = 2000) {
    std::string out;
    Codec<T>::print(out, message, version, size_max);
    return out;
}

// ---- Internal records ----------------------------------------------------------------------------------

// Keys and values in the coordinators' topics: an int16 (type of a key, version of a value) before the body.
template <class T> void encode_record_key(Writer& out, const T& key) {
    out.fixed(T::api.key);
    encode(out, key, T::api.versions.last);
}
template <class T> void encode_record_value(Writer& out, const T& value, int16_t version) {
    out.fixed(version);
    encode(out, value, version);
}

struct NumberedBody {
    int16_t number;  // The type of a key; the version of a value.
    Bytes body;
};
std::optional<NumberedBody> parse_numbered(Bytes bytes);

// A value in the metadata log: uvarint frame version 1, type, version, then the body.
struct MetadataBody {
    int16_t type;
    int16_t version;
    Bytes body;
};
template <class T> void encode_metadata_record(Writer& out, const T& record, int16_t version) {
    out.uvarint(1);
    out.uvarint(static_cast<uint16_t>(T::api.key));
    out.uvarint(static_cast<uint16_t>(version));
    encode(out, record, version);
}
std::optional<MetadataBody> parse_metadata_record(Bytes bytes);

}  // namespace millrace::wire
