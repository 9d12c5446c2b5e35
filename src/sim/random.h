// xoshiro256**: one stream per purpose, so that a draw more in one place moves nothing in another.
#pragma once
#include <bit>

#include "millrace/base.h"
#include "millrace/sim.h"

namespace millrace::sim {

// The next seed of a chain: well mixed, so that neighbouring inputs give unrelated streams.
inline uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t x = a + 0x9e3779b97f4a7c15 * (b + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

class Random {
 public:
    explicit Random(uint64_t seed) {
        for (size_t i = 0; i < 4; i++) state_[i] = mix(seed, i);
    }

    uint64_t next() {
        const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0], state_[3] ^= state_[1], state_[1] ^= state_[2], state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }
    // Below `bound`, which is not zero. The bias of a remainder does not matter here.
    uint64_t below(uint64_t bound) {
        ASSERT(bound > 0);
        return next() % bound;
    }
    uint64_t between(Between range) {
        ASSERT(range.least <= range.most);
        return range.least + below(range.most - range.least + 1);
    }
    // True `per_million` times in a million. Draws nothing when it cannot be true.
    bool chance(uint32_t per_million) { return per_million != 0 && below(1'000'000) < per_million; }

 private:
    std::array<uint64_t, 4> state_;
};

}  // namespace millrace::sim
