// Every implementation of CRC-32C against the definition, and known values.
#include "../../src/base/crc32c.h"

#include <doctest/doctest.h>
#include <xxhash.h>

namespace millrace {
namespace {

struct Implementation {
    const char* name;
    crc::Function function;
    bool available;
};

const Implementation implementations[] = {
    {"portable", crc::portable, true},
    {"interleaved", crc::interleaved, crc::has_interleaved()},
    {"folded", crc::folded, crc::has_folded()},
    {"chosen", crc32c, true},
};

// One bit after the other, as the definition has it.
uint32_t by_definition(Bytes bytes, uint32_t crc) {
    crc = ~crc;
    for (uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

struct Random {
    uint64_t state = 42;
    uint64_t operator()(uint64_t below) {
        state = state * 6364136223846793005 + 1442695040888963407;
        return (state >> 33) % below;
    }
};

std::vector<uint8_t> random_bytes(size_t size) {
    Random random;
    std::vector<uint8_t> bytes(size);
    for (auto& byte : bytes) byte = static_cast<uint8_t>(random(256));
    return bytes;
}

TEST_CASE("known checksums come out (RFC 3720)") {
    const std::vector<uint8_t> zeros(32), ones(32, 0xff);
    for (const auto& [name, function, available] : implementations) {
        if (!available) continue;
        CAPTURE(name);
        CHECK(function(as_bytes("123456789"), 0) == 0xe3069283);
        CHECK(function(zeros, 0) == 0x8a9136aa);
        CHECK(function(ones, 0) == 0x62a8ab43);
        CHECK(function({}, 0) == 0);
    }
}

TEST_CASE("every implementation agrees with the definition at any length, alignment and seed") {
    const auto data = random_bytes(40'000);
    for (const auto& [name, function, available] : implementations) {
        if (!available) continue;
        CAPTURE(name);
        Random random;
        for (int i = 0; i < 1500; i++) {
            const size_t at = random(64);
            const size_t size = i < 1200 ? static_cast<size_t>(i) : random(39'000);
            const auto seed = static_cast<uint32_t>(random(1ull << 31));
            const Bytes bytes = Bytes(data).subspan(at, size);
            REQUIRE(function(bytes, seed) == by_definition(bytes, seed));
        }
    }
}

TEST_CASE("a checksum may be continued at any byte") {
    const auto data = random_bytes(3000);
    const uint32_t whole = by_definition(data, 0);
    for (const auto& [name, function, available] : implementations) {
        if (!available) continue;
        CAPTURE(name);
        for (size_t cut = 0; cut <= data.size(); cut += 7) {
            const uint32_t first = function(Bytes(data).first(cut), 0);
            REQUIRE(function(Bytes(data).subspan(cut), first) == whole);
        }
    }
}

TEST_CASE("hash64 depends on bytes and seed") {
    CHECK(hash64(as_bytes("")) == 0x2d06800538d394c2);  // XXH3's published value.
    CHECK(hash64(as_bytes("a")) != hash64(as_bytes("b")));
    CHECK(hash64(as_bytes("a"), 1) != hash64(as_bytes("a"), 2));
    std::vector<uint8_t> bytes(200'000);
    for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(i * i >> 3);
    for (const size_t size : {1, 16, 72, 128, 240, 241, 1024, 4096, 131'072, 200'000})
        for (const uint64_t seed : {0, 7})
            CHECK(hash64(Bytes(bytes).first(size), seed) == XXH3_64bits_withSeed(bytes.data(), size, seed));
}

}  // namespace
}  // namespace millrace
