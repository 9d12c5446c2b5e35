// The codecs: round trips, limits, malformed input.
#include "millrace/compression.h"

#include <doctest/doctest.h>

namespace millrace {
namespace {

constexpr Codec codecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

std::vector<uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Words in no order: they compress well, but not to nothing.
std::vector<uint8_t> sample(size_t size) {
    static constexpr std::string_view words[] = {"partition ", "offset ", "epoch ", "leader "};
    std::vector<uint8_t> bytes;
    for (uint32_t state = 12345; bytes.size() < size; state = state * 1664525 + 1013904223) {
        const std::string_view word = words[state >> 30];
        bytes.insert(bytes.end(), word.begin(), word.end());
    }
    bytes.resize(size);
    return bytes;
}

TEST_CASE("what was compressed comes back, at every size and level") {
    Compressor compressor;
    Decompressor decompressor;
    for (Codec codec : codecs)
        for (size_t size : {0, 1, 100, 32767, 32768, 32769, 65536, 300'000})
            for (auto level :
                 {std::optional<int>{}, std::optional(1), std::optional(9), std::optional(100)}) {
                CAPTURE(codec_name(codec));
                CAPTURE(size);
                const auto plain = sample(size);
                const auto compressed = copy(compressor.compress(codec, plain, level));
                if (size > 1000) CHECK(compressed.size() < plain.size());
                const auto back = decompressor.decompress(codec, compressed);
                REQUIRE(back.ok());
                CHECK(std::ranges::equal(*back, plain));
            }
}

TEST_CASE("compressed bytes that are cut off anywhere are refused") {
    Compressor compressor;
    Decompressor decompressor;
    const auto plain = sample(5000);
    for (Codec codec : codecs) {
        CAPTURE(codec_name(codec));
        const auto compressed = copy(compressor.compress(codec, plain));
        for (size_t size = 0; size < compressed.size(); size++) {
            const auto back = decompressor.decompress(codec, Bytes(compressed).first(size));
            // A snappy stream may end after its head or a block.
            if (back.ok()) CHECK((codec == Codec::snappy && back->size() < plain.size()));
        }
    }
}

TEST_CASE("several members, frames and streams in a row are one text") {
    Compressor compressor;
    Decompressor decompressor;
    const auto plain = sample(1000);
    for (Codec codec : codecs) {
        CAPTURE(codec_name(codec));
        auto twice = copy(compressor.compress(codec, plain));
        const auto once = twice;
        twice.insert(twice.end(), once.begin(), once.end());
        const auto back = decompressor.decompress(codec, twice);
        REQUIRE(back.ok());
        CHECK(back->size() == 2 * plain.size());
    }
}

TEST_CASE("a raw snappy block without the stream's head is read") {
    const std::vector<uint8_t> raw{5, 4 << 2, 'h', 'e', 'l', 'l', 'o'};  // Size 5, one literal of 5.
    Decompressor decompressor;
    const auto back = decompressor.decompress(Codec::snappy, raw);
    REQUIRE(back.ok());
    CHECK(as_text(*back) == "hello");
}

TEST_CASE("output stops at its limit") {
    Compressor compressor;
    Decompressor decompressor;
    const std::vector<uint8_t> zeros(3 << 20);
    for (Codec codec : codecs) {
        CAPTURE(codec_name(codec));
        const auto compressed = copy(compressor.compress(codec, zeros));
        const DecompressLimits exact{.size_max = zeros.size(), .size_free = zeros.size(), .ratio_max = 1};
        CHECK(decompressor.decompress(codec, compressed, exact).ok());
        const DecompressLimits short_by_one{
            .size_max = zeros.size() - 1, .size_free = zeros.size(), .ratio_max = 1};
        CHECK(decompressor.decompress(codec, compressed, short_by_one).error() == Error::message_too_large);
        const DecompressLimits ratio{.size_max = zeros.size(), .size_free = 1, .ratio_max = 2};
        CHECK(decompressor.decompress(codec, compressed, ratio).error() == Error::message_too_large);
    }
}

TEST_CASE("a snappy block that claims to be huge takes no memory") {
    const std::vector<uint8_t> huge{0xff, 0xff, 0xff, 0xff, 0x0f, 0};
    Decompressor decompressor;
    CHECK(decompressor.decompress(Codec::snappy, huge).error() == Error::message_too_large);
}

TEST_CASE("a context is good again after malformed input") {
    Compressor compressor;
    Decompressor decompressor;
    const auto plain = sample(1000);
    for (Codec codec : codecs) {
        const auto compressed = copy(compressor.compress(codec, plain));
        CHECK(!decompressor.decompress(codec, Bytes(compressed).first(compressed.size() / 2)).ok());
        CHECK(!decompressor.decompress(codec, plain).ok());
        CHECK(decompressor.decompress(codec, compressed).ok());
    }
}

TEST_CASE("codecs have Kafka's numbers and names") {
    CHECK(codec_from_code(4) == Codec::zstd);
    CHECK(!codec_from_code(5));
    CHECK(!codec_from_code(-1));
    for (Codec codec : codecs) CHECK(codec_from_name(codec_name(codec)) == codec);
    CHECK(codec_from_name("uncompressed") == Codec::none);
    CHECK(codec_from_name("none") == Codec::none);
    CHECK(!codec_from_name("brotli"));
}

}  // namespace
}  // namespace millrace
