// Files of dropped segments, kept for new ones: what was written once is written again without the file
// system having to note new extents.
//
// What always holds: a file is given only to a segment that begins at or above all offsets that were ever in
// it. So every batch left in it has an offset below the segment's own, and no recovery can take it for one of
// the segment's. Nothing here outlives the process. Owned by the shard's Storage.
#pragma once
#include <string>
#include <vector>

#include "files.h"

namespace millrace {

class RecycledFiles {
 public:
    struct Limits {
        size_t files = 0;
        uint64_t bytes = 0;  // A larger file is cut to what is left.
        uint64_t least = 0;  // Smaller ones are not worth it.
    };
    // They lie in ROOT/recycled/SHARD.
    RecycledFiles(Io& io, const std::string& root, Limits limits);

    // Moves a file in; all offsets in it are below `until`. False: there is no room, or it is too small. The
    // caller makes the change of its own directory durable before anything else of it may be relied on.
    Task<Result<bool>> keep(std::string path, Offset until);

    // Renames one into place for a segment that begins at `base`, and returns its size; 0: none fits. The
    // caller makes it durable.
    struct Wish {
        std::string path;
        Offset base;
        uint64_t size_max = 0;
    };
    Task<Result<uint64_t>> take(Wish wish);

    // Deletes all: the disk is full.
    Task<Result<>> clear();
    // Deletes what earlier processes left, before any is kept here.
    Task<Result<>> remove_leftovers();
    bool empty() const { return files_.empty(); }
    uint64_t taken() const { return taken_; }

 private:
    struct File {
        std::string path;
        uint64_t size = 0;
        Offset until;
    };
    Io& io_;
    const std::string parent_, directory_;
    const Limits limits_;
    std::vector<File> files_;
    uint64_t bytes_ = 0, named_ = 0, taken_ = 0;
    size_t held_ = 0;  // Being moved in.
    bool made_ = false;
};

}  // namespace millrace
