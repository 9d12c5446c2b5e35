// How a description becomes an encoder, a decoder and a line of text: the visitors of `fields`.
//
// Included by the few files that instantiate Codec<T>; users of a message need only millrace/wire.h.
#pragma once
#include <bit>
#include <charconv>

#include "millrace/wire.h"

namespace millrace::wire {

inline constexpr size_t string_size_max = 32767;

// ---- Kinds of fields -----------------------------------------------------------------------------------

template <class T> inline constexpr bool is_nullable = false;
template <class T> inline constexpr bool is_nullable<Nullable<T>> = true;
template <class T> inline constexpr bool is_list = false;
template <class T> inline constexpr bool is_list<List<T>> = true;
template <> inline constexpr bool is_list<Bytes> = false;
template <class T>
concept Number = std::is_integral_v<T> || std::is_enum_v<T>;
// Fields of variable size that begin with their length.
template <class T>
concept Sized =
    std::is_same_v<T, String> || std::is_same_v<T, Bytes> || std::is_same_v<T, Records> || is_list<T>;
template <class T>
concept Struct = std::is_class_v<T> && !Sized<T> && !is_nullable<T> && !std::is_same_v<T, Uuid>;

// Whether a tagged field has its default value, and so stays out of the frame.
template <class T> bool has_default(const T& x, const Tag& t) {
    if constexpr (is_nullable<T>) {
        return t.null_is_written ? x && has_default(*x, t) : !x;
    } else if constexpr (Number<T>) {
        return x == static_cast<T>(t.default_number);
    } else if constexpr (Sized<T>) {
        return x.empty();
    } else {
        return x == T{};
    }
}

// ---- Encoder -------------------------------------------------------------------------------------------

class Encoder {
 public:
    Encoder(Writer& out, int16_t version, bool flexible)
        : out_(out), version_(version), flexible_(flexible) {}

    template <class T> void operator()(const char*, const T& x, Presence where = {}) {
        if (!where.versions.has(version_)) return;
        const bool flexible = std::exchange(flexible_, flexible_ && !where.always_classic);
        if constexpr (is_nullable<T>) {
            !x&& version_ < where.null_first ? put(typename T::value_type{}) : put(x);
        } else {
            put(x);
        }
        flexible_ = flexible;
    }
    template <class T>
    void operator()(const char*, const T&, Tag) {}  // put_tags writes them, after the rest.

    template <Number T> void put(T x) {
        if constexpr (std::is_enum_v<T>) {
            out_.fixed(static_cast<std::underlying_type_t<T>>(x));
        } else {
            out_.fixed(x);
        }
    }
    void put(bool x) { out_.fixed<uint8_t>(x); }
    void put(double x) { out_.fixed(std::bit_cast<uint64_t>(x)); }
    void put(const Uuid& x) { out_.raw(x.bytes); }
    void put(String x) {
        x = x.substr(0, string_size_max);
        put_length<int16_t>(static_cast<int64_t>(x.size()));
        out_.raw(as_bytes(x));
    }
    void put(Bytes x) {
        put_length<int32_t>(static_cast<int64_t>(x.size()));
        out_.raw(x);
    }
    void put(const Records& x) {
        put_length<int32_t>(static_cast<int64_t>(x.size()));
        for (Bytes piece : x.pieces()) out_.splice(piece);
    }
    template <class T>
        requires is_list<List<T>>
    void put(List<T> xs) {
        put_length<int32_t>(static_cast<int64_t>(xs.size()));
        for (const T& x : xs) put(x);
    }
    template <class T> void put(const Nullable<T>& x) {
        if constexpr (Struct<T>) {
            out_.fixed<int8_t>(x ? 1 : -1);
        } else if (!x) {
            std::is_same_v<T, String> ? put_length<int16_t>(-1) : put_length<int32_t>(-1);
        }
        if (x) put(*x);
    }
    template <Struct T> void put(const T& x) {
        T::fields(x, *this);
        if (flexible_) put_tags(x);
    }

 private:
    struct TagCounter {
        int16_t version;
        uint32_t count = 0;

        template <class T> void operator()(const char*, const T&, Presence = {}) {}
        template <class T> void operator()(const char*, const T& x, Tag t) {
            count += t.versions.has(version) && !has_default(x, t);
        }
    };
    struct TagWriter {
        Encoder& encoder;

        template <class T> void operator()(const char*, const T&, Presence = {}) {}
        template <class T> void operator()(const char*, const T& x, Tag t) {
            if (t.versions.has(encoder.version_) && !has_default(x, t)) encoder.put_tag(t.number, x);
        }
    };
    template <Struct T> void put_tags(const T& x) {
        TagCounter counter{version_};
        T::fields(x, counter);
        out_.uvarint(counter.count);
        if (counter.count == 0) return;
        TagWriter writer{*this};
        T::fields(x, writer);
    }
    template <class T> void put_tag(uint32_t number, const T& x) {
        out_.uvarint(number);
        const size_t start = out_.begin_sized();
        put_tagged(x);
        out_.end_sized(start);
    }
    template <class T> void put_tagged(const T& x) { put(x); }
    // A nullable struct says in a tag by a uvarint what it says elsewhere by an int8.
    template <Struct T> void put_tagged(const Nullable<T>& x) {
        out_.uvarint(x ? 1 : 0);
        if (x) put(*x);
    }

    template <class Classic> void put_length(int64_t length) {
        if (flexible_) {
            out_.uvarint(static_cast<uint32_t>(length + 1));
        } else {
            out_.fixed(static_cast<Classic>(length));
        }
    }

    Writer& out_;
    const int16_t version_;
    bool flexible_;
};

// ---- Decoder -------------------------------------------------------------------------------------------

// The fewest bytes that a field can take in a version: what a count is checked against before it is believed.
class LeastSize {
 public:
    LeastSize(int16_t version, bool flexible) : version_(version), flexible_(flexible) {}

    template <class T> void operator()(const char*, const T&, Presence where = {}) {
        if (where.versions.has(version_)) size_ += of<T>();
    }
    template <class T> void operator()(const char*, const T&, Tag) {}

    template <class T> size_t of() const {
        if constexpr (is_nullable<T>) {
            if constexpr (Struct<typename T::value_type>) return 1;
            return of<typename T::value_type>();
        } else if constexpr (std::is_same_v<T, String>) {
            return flexible_ ? 1 : 2;
        } else if constexpr (Sized<T>) {
            return flexible_ ? 1 : 4;
        } else if constexpr (Struct<T>) {
            return of_struct<T>();
        } else {
            return sizeof(T);
        }
    }

 private:
    template <Struct T> size_t of_struct() const {
        LeastSize inner{version_, flexible_};
        const T sample{};
        T::fields(sample, inner);
        return inner.size_ + (flexible_ ? 1 : 0);
    }

    const int16_t version_;
    const bool flexible_;
    size_t size_ = 0;
};

// Reads bytes that may be anything. The first bad read marks it failed and leaves it at the end; every later
// read gives a zero. Look at ok() once, when all is read.
class Decoder {
 public:
    Decoder(Bytes bytes, int16_t version, bool flexible, Arena& memory)
        : at_(bytes.data()),
          end_(at_ + bytes.size()),
          memory_(memory),
          version_(version),
          flexible_(flexible) {}

    bool ok() const { return ok_; }
    size_t left() const { return static_cast<size_t>(end_ - at_); }
    Bytes rest() const { return {at_, left()}; }

    template <class T> void operator()(const char*, T& x, Presence where = {}) {
        if (!where.versions.has(version_)) return;
        const bool flexible = std::exchange(flexible_, flexible_ && !where.always_classic);
        get(x);
        flexible_ = flexible;
        if constexpr (is_nullable<T>) {
            if (!x && version_ < where.null_first) fail();
        }
    }
    template <class T> void operator()(const char*, T&, Tag) {}  // get_tags reads them, after the rest.

    template <Number T> void get(T& x) {
        if constexpr (sizeof(T) == 1) {
            x = static_cast<T>(*take(1));
        } else if constexpr (std::is_enum_v<T>) {
            x = static_cast<T>(load_big<std::underlying_type_t<T>>(take(sizeof(T))));
        } else {
            x = load_big<T>(take(sizeof(T)));
        }
    }
    void get(bool& x) { x = *take(1) != 0; }
    void get(double& x) { x = std::bit_cast<double>(load_big<uint64_t>(take(8))); }
    void get(Uuid& x) { std::memcpy(x.bytes.data(), take(16), 16); }
    template <Sized T> void get(T& x) {
        Nullable<T> read;
        get(read);
        if (!read) return fail();
        x = *read;
    }
    void get(Nullable<String>& x) {
        const int64_t length = get_length<int16_t>();
        if (length > static_cast<int64_t>(string_size_max)) fail();
        x.reset();
        if (auto bytes = get_bytes(length)) x = as_text(*bytes);
    }
    void get(Nullable<Bytes>& x) { x = get_bytes(get_length<int32_t>()); }
    void get(Nullable<Records>& x) {
        x.reset();
        if (auto bytes = get_bytes(get_length<int32_t>())) x = Records{*bytes};
    }
    template <class T> void get(Nullable<List<T>>& xs) {
        xs.reset();
        const int64_t count = get_length<int32_t>();
        if (count < 0) return;
        if (!is_plausible<T>(static_cast<uint64_t>(count))) return fail();
        xs = memory_.make<T>(static_cast<size_t>(count));
        for (T& x : *xs) {
            get(x);
            if (!ok_) return;
        }
    }
    template <Struct T> void get(Nullable<T>& x) {
        int8_t marker;
        get(marker);
        x.reset();
        if (marker >= 0 && ok_) get(x.emplace(T{}));
    }
    template <Struct T> void get(T& x) {
        T::fields(x, *this);
        if (flexible_) get_tags(x);
    }
    uint32_t uvarint() {
        uint32_t x = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            const uint8_t byte = *take(1);
            if (shift == 28 && byte > 0x0f) break;
            x |= static_cast<uint32_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return x;
        }
        fail();
        return 0;
    }

 private:
    struct TagReader {
        Decoder& decoder;
        uint32_t number;
        bool known = false;

        template <class T> void operator()(const char*, T&, Presence = {}) {}
        template <class T> void operator()(const char*, T& x, Tag t) {
            if (t.number != number || !t.versions.has(decoder.version_)) return;
            known = true;
            decoder.get_tagged(x);
        }
    };
    template <Struct T> void get_tags(T& x) {
        if (const uint32_t count = uvarint()) get_some_tags(x, count);
    }
    template <Struct T> [[gnu::noinline]] void get_some_tags(T& x, uint32_t count) {
        int64_t previous = -1;
        for (uint32_t i = 0; i < count && ok_; i++) {
            TagReader reader{*this, uvarint()};
            const uint32_t size = uvarint();
            if (reader.number <= previous || size > left()) return fail();
            previous = reader.number;
            const uint8_t* const after = at_ + size;
            const uint8_t* const end = std::exchange(end_, after);
            T::fields(x, reader);
            if (reader.known && at_ != after) ok_ = false;
            end_ = end;
            at_ = ok_ ? after : end_;
        }
    }
    template <class T> void get_tagged(T& x) { get(x); }
    template <Struct T> void get_tagged(Nullable<T>& x) {
        const uint32_t marker = uvarint();
        x.reset();
        if (marker != 0) get(x.emplace(T{}));
    }

    // -1 for null; a lower number is malformed.
    template <class Classic> int64_t get_length() {
        int64_t length;
        if (flexible_) {
            length = static_cast<int64_t>(uvarint()) - 1;
        } else {
            length = load_big<Classic>(take(sizeof(Classic)));
        }
        if (length < -1) fail();
        return ok_ ? length : -1;
    }
    Nullable<Bytes> get_bytes(int64_t length) {
        if (length < 0 || !ok_) return {};
        if (static_cast<uint64_t>(length) > left()) return fail(), Nullable<Bytes>{};
        return Bytes{take(static_cast<size_t>(length)), static_cast<size_t>(length)};
    }
    // Whether that many elements can be in what is left. The cheap question first: is it little memory
    // anyway?
    template <class T> bool is_plausible(uint64_t count) {
        if (count > left()) return false;
        return count * sizeof(T) <= 8 * left() || count * LeastSize{version_, flexible_}.of<T>() <= left();
    }

    // Always readable: a failed decoder reads zeros.
    const uint8_t* take(size_t size) {
        if (left() < size) [[unlikely]]
            return fail(), zeros.data();
        return std::exchange(at_, at_ + size);
    }
    void fail() { ok_ = false, at_ = end_; }

    static constexpr std::array<uint8_t, 16> zeros{};

    const uint8_t* at_;
    const uint8_t* end_;
    Arena& memory_;
    const int16_t version_;
    bool flexible_;
    bool ok_ = true;
};

// ---- Printer -------------------------------------------------------------------------------------------

class Printer {
 public:
    Printer(std::string& out, int16_t version, size_t size_max)
        : out_(out), version_(version), size_max_(out.size() + size_max) {}

    template <class T> void operator()(const char* name, const T& x, Presence where = {}) {
        if (where.versions.has(version_)) print_field(name, x);
    }
    template <class T> void operator()(const char* name, const T& x, Tag t) {
        if (t.versions.has(version_) && !has_default(x, t)) print_field(name, x);
    }

    template <Struct T> void print(const T& x) {
        open('{');
        T::fields(x, *this);
        close('}');
    }

 private:
    template <class T> void print_field(const char* name, const T& x) {
        if (out_.size() >= size_max_) return;
        separate();
        out_.append(name) += '=';
        print(x);
    }
    template <class T>
        requires is_list<List<T>>
    void print(List<T> xs) {
        open('[');
        for (const T& x : xs) {
            if (out_.size() >= size_max_) break;
            separate();
            print(x);
        }
        close(']');
    }
    template <class T> void print(const Nullable<T>& x) {
        if (!x) return void(out_ += "null");
        print(*x);
    }
    template <std::integral T> void print(T x) { out_ += std::to_string(x); }
    void print(bool x) { out_ += x ? "true" : "false"; }
    void print(double x) { out_ += std::to_string(x); }
    void print(Error x) { out_ += error_name(x); }
    void print(const Uuid& x) { out_ += x.to_text(); }
    void print(Bytes x) { print_size(x.size()); }
    void print(const Records& x) { print_size(x.size()); }
    void print(String x);
    void print_size(size_t size) { ((out_ += '<') += std::to_string(size)) += " bytes>"; }

    void open(char bracket) { out_ += bracket, first_ = true; }
    void close(char bracket) {
        if (out_.size() >= size_max_) out_ += "...";
        out_ += bracket, first_ = false;
    }
    void separate() {
        if (!std::exchange(first_, false)) out_ += ' ';
    }

    std::string& out_;
    const int16_t version_;
    const size_t size_max_;
    bool first_ = true;
};

// ---- The three uses ------------------------------------------------------------------------------------

template <class T> void Codec<T>::encode(Writer& out, const T& message, int16_t version) {
    ASSERT(T::api.versions.has(version));
    Encoder{out, version, T::api.flexible(version)}.put(message);
}

template <class T> bool Codec<T>::decode(Bytes body, int16_t version, Arena& memory, T& message) {
    if (!T::api.versions.has(version)) return false;
    Decoder decoder{body, version, T::api.flexible(version), memory};
    decoder.get(message);
    return decoder.ok();
}

template <class T>
void Codec<T>::print(std::string& out, const T& message, int16_t version, size_t size_max) {
    out.append(T::api.name).append(" v").append(std::to_string(version)).append(" ");
    Printer{out, version, size_max}.print(message);
}

}  // namespace millrace::wire
