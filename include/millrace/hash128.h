// A hash so wide that two keys with the same one are not met.
#pragma once
#include "millrace/base.h"

namespace millrace {

struct Hash128 {
    uint64_t low = 0, high = 0;
    bool operator==(const Hash128&) const = default;
};
// XXH3-128.
Hash128 hash128(Bytes bytes);

}  // namespace millrace
