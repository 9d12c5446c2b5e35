// One process's open files: carries out file operations, and leaves them half done at a crash.
#pragma once
#include <map>

#include "disk.h"
#include "millrace/io.h"

namespace millrace::sim {

class Files {
 public:
    explicit Files(Disk& disk) : disk_(disk) {}

    static bool is_file_kind(Op::Kind kind) { return kind >= Op::Kind::open; }
    // What changes the disk: the crash points.
    static bool is_change(const Op& op);
    size_t open_count() const { return open_.size(); }
    bool owns(int fd) const { return open_.contains(fd); }

    // As the system call; an open takes `fd`.
    int32_t execute(Op& op, int fd);
    int32_t close(int fd);
    // Under way when the node crashed: it takes place wholly, partly or not at all.
    void crash(Op& op, Crash how);
    void close_all();

 private:
    struct Descriptor {
        InodeNumber inode;
        uint32_t flags;
    };
    int32_t open(const Op& op, int fd);
    int32_t on_descriptor(Op& op);
    int32_t on_path(Op& op);
    bool misaligned(const Op& op, const Descriptor& descriptor) const;

    Disk& disk_;
    std::map<int, Descriptor> open_;
};

}  // namespace millrace::sim
