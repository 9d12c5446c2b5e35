// The partition of a key as Java's clients choose it, so that all clients agree where a key lives.
#include "millrace/client.h"

namespace millrace::client {

namespace {

uint32_t load_little(const uint8_t* p) {
    return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

}  // namespace

// MurmurHash2, 32 bits, with the seed of Kafka's clients.
uint32_t murmur2(Bytes bytes) {
    constexpr uint32_t seed = 0x9747b28c, m = 0x5bd1e995;
    constexpr int r = 24;
    uint32_t h = seed ^ static_cast<uint32_t>(bytes.size());
    for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
        uint32_t k = load_little(bytes.data()) * m;
        k = (k ^ k >> r) * m;
        h = h * m ^ k;
    }
    if (bytes.size() == 3) h ^= uint32_t{bytes[2]} << 16;
    if (bytes.size() >= 2) h ^= uint32_t{bytes[1]} << 8;
    if (!bytes.empty()) h = (h ^ bytes[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

int32_t partition_of_key(Bytes key, int32_t partition_count) {
    ASSERT(partition_count > 0);
    return static_cast<int32_t>(murmur2(key) & 0x7fffffff) % partition_count;
}

}  // namespace millrace::client
