// The four codecs of record batches: gzip, snappy, lz4, zstd. Compressed bytes come from outside: whatever
// they hold, decompression ends, stays below its limit, and answers with an error when they are malformed.
//
// A Decompressor or Compressor keeps its contexts and buffer between calls; it belongs to one shard.
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "millrace/base.h"

namespace millrace {

// The numbers of a batch's attributes, bits 0-2.
enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

std::optional<Codec> codec_from_code(int code);
// Kafka's word in compression.type: "uncompressed", "gzip", "snappy", "lz4", "zstd". "none" is read too.
std::string_view codec_name(Codec codec);
std::optional<Codec> codec_from_name(std::string_view name);

// Output may take min(size_max, max(size_free, input * ratio_max)) bytes.
struct DecompressLimits {
    uint64_t size_max = 128 << 20;
    uint64_t size_free = 4 << 20;
    uint64_t ratio_max = 200;

    uint64_t bound(size_t input_size) const {
        return std::min(size_max, std::max(size_free, input_size * ratio_max));
    }
};

// Holds no memory before the first batch that is compressed.
class Decompressor {
 public:
    Decompressor();
    Decompressor(Decompressor&&) noexcept;
    ~Decompressor();

    // The plain bytes, valid until the next call (Codec::none gives `input` back, uncopied).
    // Snappy: a xerial stream or one raw block. Gzip: several members. lz4, zstd: several frames.
    // invalid_record: malformed, cut off, or with bytes left over. message_too_large: above the limit.
    Result<Bytes> decompress(Codec codec, Bytes input, DecompressLimits limits = {});

 private:
    struct State;
    std::unique_ptr<State> state_;
};

class Compressor {
 public:
    Compressor();
    Compressor(Compressor&&) noexcept;
    ~Compressor();

    // The compressed bytes, valid until the next call. `level` as in compression.<codec>.level; without one
    // Kafka's default (gzip -1, lz4 9, zstd 3). A level out of the codec's range is moved into it.
    Bytes compress(Codec codec, Bytes plain, std::optional<int> level = {});

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace millrace
