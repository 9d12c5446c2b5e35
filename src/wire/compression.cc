// gzip, snappy, lz4 and zstd through their libraries, with output limits of our own.
//
// Contexts are made at first use and kept; a large output buffer is not kept beyond the next call.
#include "millrace/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_decompressBound
#include <zlib.h>
#include <zstd.h>

namespace millrace {
namespace {

constexpr size_t kept_size_max = 1 << 20;
constexpr size_t first_size = 64 << 10;

// The head of a snappy stream as Java writes it: magic, version 1, lowest compatible version 1.
constexpr uint8_t xerial_head[16] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
constexpr size_t xerial_magic_size = 8;
constexpr size_t xerial_block_size = 32 << 10;

bool begins_with_xerial_magic(Bytes bytes) {
    return bytes.size() >= sizeof xerial_head &&
           std::memcmp(bytes.data(), xerial_head, xerial_magic_size) == 0;
}

const char* chars(Bytes bytes) { return reinterpret_cast<const char*>(bytes.data()); }

// Grows up to a limit, never beyond. Its bytes are not initialised before they are written.
class Output {
 public:
    void start(uint64_t limit, size_t capacity) {
        size_ = 0;
        limit_ = limit;
        trim();
        reserve(std::max<size_t>(capacity, 1));
    }
    // A large buffer goes when what is in it is not needed any more.
    void trim() {
        if (capacity_ > kept_size_max) data_.reset(), size_ = capacity_ = 0;
    }
    // False above the limit, and where there is no memory.
    bool reserve(size_t capacity) {
        if (capacity <= capacity_) return capacity <= limit_;
        if (capacity > limit_) return false;
        std::unique_ptr<uint8_t[]> larger{new (std::nothrow) uint8_t[capacity]};
        if (!larger) return false;
        if (size_) std::memcpy(larger.get(), data_.get(), size_);
        data_ = std::move(larger), capacity_ = capacity;
        return true;
    }
    // Doubles while it is small. A large one takes the address space of all that it may ever be: what is not
    // written costs nothing, and nothing is there twice. False when it is as large as it may be.
    bool grow() {
        if (usable() >= limit_) return false;
        if (capacity_ >= kept_size_max) return reserve(limit_);
        return reserve(std::min<uint64_t>(limit_, 2 * std::max(capacity_, first_size)));
    }
    void reserve_at_most(uint64_t capacity) { reserve(std::min(capacity, limit_)); }
    MutableBytes room() { return {data_.get() + size_, usable() - size_}; }
    void add(size_t size) {
        ASSERT(size <= usable() - size_);
        size_ += size;
    }
    Bytes bytes() const { return {data_.get(), size_}; }

 private:
    size_t usable() const { return std::min<uint64_t>(capacity_, limit_); }

    std::unique_ptr<uint8_t[]> data_;
    size_t capacity_ = 0;
    size_t size_ = 0;
    uint64_t limit_ = 0;
};

}  // namespace

std::optional<Codec> codec_from_code(int code) {
    if (code < 0 || code > 4) return {};
    return static_cast<Codec>(code);
}

std::string_view codec_name(Codec codec) {
    static constexpr std::string_view names[] = {"uncompressed", "gzip", "snappy", "lz4", "zstd"};
    return names[static_cast<int>(codec)];
}

std::optional<Codec> codec_from_name(std::string_view name) {
    if (name == "none") return Codec::none;
    for (int code = 0; code <= 4; code++)
        if (codec_name(static_cast<Codec>(code)) == name) return static_cast<Codec>(code);
    return {};
}

// ---- Decompressing -------------------------------------------------------------------------------------

struct Decompressor::State {
    Output output;
    z_stream gzip{};
    bool gzip_ready = false;
    LZ4F_dctx* lz4 = nullptr;
    ZSTD_DCtx* zstd = nullptr;

    ~State() {
        if (gzip_ready) inflateEnd(&gzip);
        LZ4F_freeDecompressionContext(lz4);
        ZSTD_freeDCtx(zstd);
    }
    Error run(Codec codec, Bytes input);
    Error run_gzip(Bytes input);
    Error run_snappy(Bytes input);
    Error run_snappy_block(Bytes input);
    Error run_lz4(Bytes input);
    Error run_zstd(Bytes input);
};

Error Decompressor::State::run(Codec codec, Bytes input) {
    switch (codec) {
        case Codec::gzip: return run_gzip(input);
        case Codec::snappy: return run_snappy(input);
        case Codec::lz4: return run_lz4(input);
        case Codec::zstd: return run_zstd(input);
        case Codec::none: break;
    }
    return Error::unsupported_compression_type;
}

Error Decompressor::State::run_gzip(Bytes input) {
    constexpr int gzip_only = 15 + 16;
    if (!gzip_ready) {
        ASSERT(inflateInit2(&gzip, gzip_only) == Z_OK);
        gzip_ready = true;
    }
    ASSERT(inflateReset(&gzip) == Z_OK);
    gzip.next_in = const_cast<uint8_t*>(input.data());
    gzip.avail_in = static_cast<uInt>(input.size());
    for (;;) {
        if (output.room().empty() && !output.grow()) return Error::message_too_large;
        const MutableBytes room = output.room();
        gzip.next_out = room.data();
        gzip.avail_out = static_cast<uInt>(room.size());
        const int code = inflate(&gzip, Z_NO_FLUSH);
        output.add(room.size() - gzip.avail_out);
        if (code == Z_STREAM_END) {
            if (gzip.avail_in == 0) return Error::none;
            inflateReset(&gzip);  // The next member.
        } else if (code != Z_OK && !(code == Z_BUF_ERROR && gzip.avail_out == 0)) {
            return Error::invalid_record;
        }
    }
}

Error Decompressor::State::run_snappy_block(Bytes input) {
    size_t size = 0;
    if (!snappy::GetUncompressedLength(chars(input), input.size(), &size)) return Error::invalid_record;
    while (output.room().size() < size)
        if (!output.grow()) return Error::message_too_large;
    auto* to = reinterpret_cast<char*>(output.room().data());
    if (!snappy::RawUncompress(chars(input), input.size(), to)) return Error::invalid_record;
    output.add(size);
    return Error::none;
}

Error Decompressor::State::run_snappy(Bytes input) {
    // Old librdkafka sends one raw block without the stream's head.
    if (!begins_with_xerial_magic(input)) return run_snappy_block(input);
    while (!input.empty()) {
        if (begins_with_xerial_magic(input)) {
            input = input.subspan(sizeof xerial_head);  // Also between streams that were put together.
            continue;
        }
        if (input.size() < 4) return Error::invalid_record;
        const auto size = load_big<uint32_t>(input.data());
        if (size > input.size() - 4) return Error::invalid_record;
        const Error error = run_snappy_block(input.subspan(4, size));
        if (error != Error::none) return error;
        input = input.subspan(4 + size);
    }
    return Error::none;
}

Error Decompressor::State::run_lz4(Bytes input) {
    if (!lz4) ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION)));
    LZ4F_resetDecompressionContext(lz4);
    size_t wanted = 1;  // 0 at the end of a frame.
    while (!input.empty() || wanted != 0) {
        if (output.room().empty() && !output.grow()) return Error::message_too_large;
        const MutableBytes room = output.room();
        size_t made = room.size(), taken = input.size();
        wanted = LZ4F_decompress(lz4, room.data(), &made, input.data(), &taken, nullptr);
        if (LZ4F_isError(wanted)) return Error::invalid_record;
        if (made == 0 && taken == 0) return Error::invalid_record;  // Cut off.
        output.add(made);
        input = input.subspan(taken);
    }
    return Error::none;
}

// In one go, so that no window of the size that the frame claims is set aside.
Error Decompressor::State::run_zstd(Bytes input) {
    if (!zstd) zstd = ZSTD_createDCtx();
    ASSERT(zstd);
    const uint64_t bound = ZSTD_decompressBound(input.data(), input.size());
    if (bound == ZSTD_CONTENTSIZE_ERROR || input.empty()) return Error::invalid_record;
    while (output.room().size() < bound && output.grow()) {}
    const MutableBytes room = output.room();
    const size_t size = ZSTD_decompressDCtx(zstd, room.data(), room.size(), input.data(), input.size());
    if (ZSTD_isError(size)) return room.size() < bound ? Error::message_too_large : Error::invalid_record;
    output.add(size);
    return Error::none;
}

Decompressor::Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Result<Bytes> Decompressor::decompress(Codec codec, Bytes input, DecompressLimits limits) {
    if (codec == Codec::none) {
        if (state_) state_->output.trim();
        return input;
    }
    if (input.size() > INT32_MAX) return Error::message_too_large;
    const uint64_t bound = std::max<uint64_t>(1, limits.bound(input.size()));
    if (!state_) state_ = std::make_unique<State>();
    state_->output.start(bound, std::min<uint64_t>(bound, std::max(first_size, 4 * input.size())));
    const Error error = state_->run(codec, input);
    if (error != Error::none) return error;
    ASSERT(state_->output.bytes().size() <= bound);
    return state_->output.bytes();
}

// ---- Compressing ---------------------------------------------------------------------------------------

struct Compressor::State {
    Output output;
    z_stream gzip{};
    int gzip_level = 0;
    bool gzip_ready = false;
    LZ4F_cctx* lz4 = nullptr;
    ZSTD_CCtx* zstd = nullptr;

    ~State() {
        if (gzip_ready) deflateEnd(&gzip);
        LZ4F_freeCompressionContext(lz4);
        ZSTD_freeCCtx(zstd);
    }
    void run_gzip(Bytes plain, int level);
    void run_snappy(Bytes plain);
    void run_lz4(Bytes plain, int level);
    void run_zstd(Bytes plain, int level);
    void start(size_t bound) { output.start(bound, bound); }
};

void Compressor::State::run_gzip(Bytes plain, int level) {
    constexpr int gzip_format = 15 + 16, memory_level = 8;
    if (gzip_ready && gzip_level != level) deflateEnd(&gzip), gzip_ready = false;
    if (!gzip_ready) {
        ASSERT(deflateInit2(&gzip, level, Z_DEFLATED, gzip_format, memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
        gzip_ready = true, gzip_level = level;
    }
    ASSERT(deflateReset(&gzip) == Z_OK);
    start(deflateBound(&gzip, plain.size()));
    const MutableBytes room = output.room();
    gzip.next_in = const_cast<uint8_t*>(plain.data()), gzip.avail_in = static_cast<uInt>(plain.size());
    gzip.next_out = room.data(), gzip.avail_out = static_cast<uInt>(room.size());
    ASSERT(deflate(&gzip, Z_FINISH) == Z_STREAM_END);
    output.add(room.size() - gzip.avail_out);
}

void Compressor::State::run_snappy(Bytes plain) {
    const size_t blocks = plain.size() / xerial_block_size + 1;
    start(sizeof xerial_head + blocks * (4 + snappy::MaxCompressedLength(xerial_block_size)));
    std::memcpy(output.room().data(), xerial_head, sizeof xerial_head);
    output.add(sizeof xerial_head);
    while (!plain.empty()) {
        const Bytes block = plain.first(std::min(plain.size(), xerial_block_size));
        uint8_t* to = output.room().data();
        size_t size = 0;
        snappy::RawCompress(chars(block), block.size(), reinterpret_cast<char*>(to) + 4, &size);
        store_big<uint32_t>(to, static_cast<uint32_t>(size));
        output.add(4 + size);
        plain = plain.subspan(block.size());
    }
}

void Compressor::State::run_lz4(Bytes plain, int level) {
    if (!lz4) ASSERT(!LZ4F_isError(LZ4F_createCompressionContext(&lz4, LZ4F_VERSION)));
    LZ4F_preferences_t wishes{};
    wishes.frameInfo.blockSizeID = LZ4F_max64KB;
    wishes.frameInfo.blockMode = LZ4F_blockIndependent;
    wishes.compressionLevel = level;
    start(LZ4F_compressFrameBound(plain.size(), &wishes));
    const auto add = [this](size_t size) {
        ASSERT(!LZ4F_isError(size));
        output.add(size);
    };
    add(LZ4F_compressBegin(lz4, output.room().data(), output.room().size(), &wishes));
    add(LZ4F_compressUpdate(lz4, output.room().data(), output.room().size(), plain.data(), plain.size(),
                            nullptr));
    add(LZ4F_compressEnd(lz4, output.room().data(), output.room().size(), nullptr));
}

void Compressor::State::run_zstd(Bytes plain, int level) {
    if (!zstd) zstd = ZSTD_createCCtx();
    ASSERT(zstd);
    start(ZSTD_compressBound(plain.size()));
    const MutableBytes room = output.room();
    const size_t size = ZSTD_compressCCtx(zstd, room.data(), room.size(), plain.data(), plain.size(), level);
    ASSERT(!ZSTD_isError(size));
    output.add(size);
}

Compressor::Compressor() : state_(std::make_unique<State>()) {}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;

Bytes Compressor::compress(Codec codec, Bytes plain, std::optional<int> level) {
    ASSERT(plain.size() <= INT32_MAX);
    // Kafka's default of lz4 is called 9 and means the fast compressor; 10 and up are the slow one's levels.
    constexpr int lz4_default = 9, lz4_fast = 0, lz4_last = 12;
    switch (codec) {
        case Codec::none: return plain;
        case Codec::gzip: state_->run_gzip(plain, level ? std::clamp(*level, -1, 9) : -1); break;
        case Codec::snappy: state_->run_snappy(plain); break;
        case Codec::lz4: {
            const bool fast = level.value_or(lz4_default) == lz4_default;
            state_->run_lz4(plain, fast ? lz4_fast : std::clamp(*level, 1, lz4_last));
            break;
        }
        case Codec::zstd:
            state_->run_zstd(plain, std::clamp(level.value_or(3), ZSTD_minCLevel(), ZSTD_maxCLevel()));
            break;
    }
    return state_->output.bytes();
}

}  // namespace millrace
