// Low or not: see the header.
#include "space.h"

namespace millrace {

uint64_t SpaceWatch::reserve() const {
    constexpr uint64_t ballast = 256 << 20;
    if (configured_ >= 0) return static_cast<uint64_t>(configured_);
    return std::min(space_.total / 100 + ballast, space_.total / 16);
}

Task<> SpaceWatch::look(uint64_t dirty) {
    DiskSpace seen;
    appended_ = 0, looked_ns_ = io_.now_ns(), asked_ = false;
    const int32_t outcome =
        co_await Once{io_, Op::Kind::disk_space, {.path = directory_.c_str(), .space = &seen}};
    if (outcome < 0) co_return;
    space_ = seen;
    const uint64_t kept = reserve(), slack = std::min<uint64_t>(kept / 4, step_max);
    low_ = space_.available < kept + (low_ ? slack : 0);
    const uint64_t left = space_.available > kept ? space_.available - kept : 0;
    look_after_bytes_ = std::clamp(left / 8, step_min, step_max);
    left_ = kept == 0 ? UINT64_MAX : left - std::min(left, dirty);
}

}  // namespace millrace
