// CRC-32C three ways, and the choice between them, made once by what the processor says it can do.
//
// Polynomials are bit-reflected: in a 32-bit word bit 31 stands for x^0. Pure functions; any core.
#include "crc32c.h"

#include <immintrin.h>

namespace millrace {
namespace crc {
namespace {

constexpr uint32_t polynomial = 0x82f63b78;

// ---- Tables --------------------------------------------------------------------------------------------

struct Tables {
    uint32_t at[8][256];
};

constexpr Tables make_tables() {
    Tables tables{};
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? polynomial : 0);
        tables.at[0][byte] = crc;
    }
    for (int i = 1; i < 8; i++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            const uint32_t before = tables.at[i - 1][byte];
            tables.at[i][byte] = (before >> 8) ^ tables.at[0][before & 255];
        }
    return tables;
}

constexpr Tables tables = make_tables();

// ---- Constants -----------------------------------------------------------------------------------------

// x^n modulo the polynomial.
consteval uint32_t power(uint64_t n) {
    uint32_t value = 0x80000000;
    for (; n; n--) value = (value >> 1) ^ (value & 1 ? polynomial : 0);
    return value;
}

// Multiplying two reflected words leaves one factor x too many, and a crc32 of the product multiplies by
// x^32: so this moves a checksum forward over `bytes` bytes.
consteval uint64_t shift_over(uint64_t bytes) { return power(8 * bytes - 33); }

// To fold 128 bits forward over `bytes` bytes: the earlier 64 bits (low), then the later ones (high).
consteval uint64_t fold_low(uint64_t bytes) { return uint64_t{power(8 * bytes + 32)} << 1; }
consteval uint64_t fold_high(uint64_t bytes) { return uint64_t{power(8 * bytes - 32)} << 1; }

uint64_t load64(const uint8_t* p) {
    uint64_t x;
    std::memcpy(&x, p, 8);
    return x;
}

// ---- The crc32 instruction -----------------------------------------------------------------------------

[[gnu::target("sse4.2")]] uint32_t chain(const uint8_t* p, size_t size, uint32_t crc) {
    uint64_t state = crc;
    for (; size >= 8; p += 8, size -= 8) state = _mm_crc32_u64(state, load64(p));
    crc = static_cast<uint32_t>(state);
    if (size & 4) {
        uint32_t x;
        std::memcpy(&x, p, 4);
        crc = _mm_crc32_u32(crc, x), p += 4;
    }
    if (size & 2) {
        uint16_t x;
        std::memcpy(&x, p, 2);
        crc = _mm_crc32_u16(crc, x), p += 2;
    }
    return size & 1 ? _mm_crc32_u8(crc, *p) : crc;
}

[[gnu::target("sse4.2,pclmul")]] uint64_t multiply(uint64_t a, uint64_t b) {
    const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(a)),
                                                 _mm_cvtsi64_si128(static_cast<int64_t>(b)), 0);
    return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

// Three chains over 3 * stride bytes: the instruction takes three cycles and may start every cycle.
template <size_t stride>
[[gnu::target("sse4.2,pclmul")]] uint32_t three_chains(const uint8_t* p, uint32_t crc) {
    static_assert(stride % 8 == 0);
    uint64_t a = crc, b = 0, c = 0;
    for (const uint8_t* end = p + stride; p != end; p += 8) {
        a = _mm_crc32_u64(a, load64(p));
        b = _mm_crc32_u64(b, load64(p + stride));
        c = _mm_crc32_u64(c, load64(p + 2 * stride));
    }
    const uint64_t moved = multiply(a, shift_over(2 * stride)) ^ multiply(b, shift_over(stride));
    return static_cast<uint32_t>(_mm_crc32_u64(0, moved) ^ c);
}

template <size_t stride>
[[gnu::target("sse4.2,pclmul")]] uint32_t consume(const uint8_t*& p, size_t& size, uint32_t crc) {
    for (; size >= 3 * stride; p += 3 * stride, size -= 3 * stride) crc = three_chains<stride>(p, crc);
    return crc;
}

// ---- Folding 64-byte registers -------------------------------------------------------------------------

template <uint64_t bytes>
[[gnu::target("sse4.2,pclmul,avx512f,avx512vl,avx512bw,avx512dq,vpclmulqdq")]] __m512i fold(__m512i x,
                                                                                            __m512i next) {
    const __m512i factors =
        _mm512_set_epi64(int64_t(fold_high(bytes)), int64_t(fold_low(bytes)), int64_t(fold_high(bytes)),
                         int64_t(fold_low(bytes)), int64_t(fold_high(bytes)), int64_t(fold_low(bytes)),
                         int64_t(fold_high(bytes)), int64_t(fold_low(bytes)));
    const __m512i low = _mm512_clmulepi64_epi128(x, factors, 0x00);
    const __m512i high = _mm512_clmulepi64_epi128(x, factors, 0x11);
    return _mm512_ternarylogic_epi64(low, high, next, 0x96);
}

[[gnu::target("sse4.2,pclmul,avx512f,avx512vl,avx512bw,avx512dq,vpclmulqdq")]] __m512i load512(
    const uint8_t* p) {
    return _mm512_loadu_si512(p);
}

// The checksum of size bytes, at least 512; `size` becomes what is left at the end (below 64).
[[gnu::target("sse4.2,pclmul,avx512f,avx512vl,avx512bw,avx512dq,vpclmulqdq")]] uint32_t fold_all(
    const uint8_t*& p, size_t& size, uint32_t crc) {
    constexpr int lanes = 8;
    __m512i x[lanes];
    for (int i = 0; i < lanes; i++) x[i] = load512(p + 64 * i);
    x[0] = _mm512_xor_si512(x[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(crc))));
    p += 64 * lanes, size -= 64 * lanes;
    for (; size >= 64 * lanes; p += 64 * lanes, size -= 64 * lanes)
        for (int i = 0; i < lanes; i++) x[i] = fold<64 * lanes>(x[i], load512(p + 64 * i));
    for (int i = 0; i < 4; i++) x[i] = fold<256>(x[i], x[i + 4]);
    for (; size >= 256; p += 256, size -= 256)
        for (int i = 0; i < 4; i++) x[i] = fold<256>(x[i], load512(p + 64 * i));
    for (int i = 0; i < 2; i++) x[i] = fold<128>(x[i], x[i + 2]);
    __m512i all = fold<64>(x[0], x[1]);
    for (; size >= 64; p += 64, size -= 64) all = fold<64>(all, load512(p));
    alignas(64) uint8_t last[64];
    _mm512_store_si512(last, all);
    return chain(last, sizeof last, 0);
}

}  // namespace

uint32_t portable(Bytes bytes, uint32_t crc) {
    const uint8_t* p = bytes.data();
    size_t size = bytes.size();
    const auto& t = tables.at;
    crc = ~crc;
    for (; size >= 8; p += 8, size -= 8) {
        const uint64_t x = load64(p) ^ crc;
        crc = t[7][x & 255] ^ t[6][x >> 8 & 255] ^ t[5][x >> 16 & 255] ^ t[4][x >> 24 & 255] ^
              t[3][x >> 32 & 255] ^ t[2][x >> 40 & 255] ^ t[1][x >> 48 & 255] ^ t[0][x >> 56];
    }
    for (; size; p++, size--) crc = (crc >> 8) ^ t[0][(crc ^ *p) & 255];
    return ~crc;
}

[[gnu::target("sse4.2,pclmul")]] uint32_t interleaved(Bytes bytes, uint32_t crc) {
    const uint8_t* p = bytes.data();
    size_t size = bytes.size();
    crc = ~crc;
    crc = consume<5440>(p, size, crc);
    crc = consume<1344>(p, size, crc);
    crc = consume<336>(p, size, crc);
    crc = consume<64>(p, size, crc);
    return ~chain(p, size, crc);
}

[[gnu::target("sse4.2,pclmul")]] uint32_t folded(Bytes bytes, uint32_t crc) {
    if (bytes.size() < 512) return interleaved(bytes, crc);
    const uint8_t* p = bytes.data();
    size_t size = bytes.size();
    crc = fold_all(p, size, ~crc);
    return ~chain(p, size, crc);
}

bool has_interleaved() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

bool has_folded() {
    __builtin_cpu_init();
    return has_interleaved() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("vpclmulqdq");
}

namespace {

Function fastest() {
    if (has_folded()) return folded;
    return has_interleaved() ? interleaved : portable;
}

const Function chosen = fastest();

}  // namespace
}  // namespace crc

uint32_t crc32c(Bytes bytes, uint32_t crc) { return crc::chosen(bytes, crc); }

}  // namespace millrace
