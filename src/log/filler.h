// A batch of a given size for given offsets that holds nothing: what stands in the place of records that were
// given up.
//
// It is a control batch of a type that nobody knows, so that every client steps over it; it has one record,
// whose value is zeros.
#pragma once
#include <vector>

#include "millrace/batch.h"

namespace millrace {

struct Filler {
    uint64_t size = 0;
    Offset first, last;
    Epoch epoch;
};
// Whether there is one of that size.
bool can_make_filler(uint64_t size, int64_t offsets);
std::vector<uint8_t> make_filler(const Filler& filler);

}  // namespace millrace
