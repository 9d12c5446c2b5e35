// How much room the disk has: looked at by whoever writes, never while nothing is written.
//
// What always holds: it is low from the moment when less than the reserve is available until a little more
// than the reserve is, so that it does not change its mind with every file. Owned by the shard's Storage.
#pragma once
#include "millrace/io.h"

namespace millrace {

class SpaceWatch {
 public:
    // A reserve of -1 follows the disk's size: see StorageConfig.
    SpaceWatch(Io& io, std::string directory, int64_t reserve_bytes)
        : io_(io), directory_(std::move(directory)), configured_(reserve_bytes) {}

    // A disk that does not tell is as it was. `dirty`: bytes that were taken and may still need room in
    // files.
    Task<> look(uint64_t dirty);
    // True when it is time to look again: others write to the disk, too. When more has come than was left it
    // is low at once: the look may be long in coming, behind writes.
    bool note_appended(size_t bytes) {
        appended_ += bytes;
        if (appended_ > left_) low_ = asked_ = true;
        return is_due();
    }
    void ask_again() { asked_ = true; }
    bool is_due() const {
        return asked_ || appended_ >= look_after_bytes_ ||
               (appended_ > 0 && io_.now_ns() >= looked_ns_ + look_after_ns);
    }

    bool is_low() const { return low_; }
    // An eighth of what is left above the reserve, so that files do not grow into it at one stroke.
    uint64_t limit_ahead(uint64_t bytes) const {
        const uint64_t left = available() > reserve() ? available() - reserve() : 0;
        return std::min(bytes, std::max(left / 8 / step_min, uint64_t{1}) * step_min);
    }
    uint64_t available() const { return space_.available; }
    uint64_t reserve() const;

 private:
    static constexpr uint64_t look_after_ns = 500'000'000;
    static constexpr uint64_t step_min = 64 << 10, step_max = 64 << 20;

    Io& io_;
    const std::string directory_;
    const int64_t configured_;
    DiskSpace space_;
    bool low_ = false, asked_ = false;
    uint64_t appended_ = 0, look_after_bytes_ = step_min;  // Since the last look.
    uint64_t left_ = UINT64_MAX;                           // Above the reserve then, without what is dirty.
    uint64_t looked_ns_ = 0;
};

}  // namespace millrace
