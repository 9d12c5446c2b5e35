// XXH3-64, the checksum of everything on disk that is not Kafka's format.
#include <xxhash.h>

#include "millrace/base.h"

namespace millrace {

uint64_t hash64(Bytes bytes, uint64_t seed) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed); }

}  // namespace millrace
