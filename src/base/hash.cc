// XXH3-64, the checksum of everything on disk that is not Kafka's format.
//
// Compiled here rather than taken from the library, which is built for any x86-64: with AVX2 it is 2.5 times
// as fast, and AVX-512 adds nothing.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "millrace/base.h"

namespace millrace {

uint64_t hash64(Bytes bytes, uint64_t seed) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed); }

}  // namespace millrace
