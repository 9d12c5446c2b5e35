// Files: which submission each op becomes, what is done in several steps, what is done without the ring.
//
// list, stat and disk_space are plain system calls inside submit (metadata, at start-up and in slow paths);
// their outcomes are told in the next turn like all others.
#include <algorithm>
#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ring.h"
#include "uring_abi.h"

namespace millrace {

namespace {

constexpr mode_t file_mode = 0644, directory_mode = 0755;

constexpr uint64_t transfer_max = 1u << 30;  // Of one read or write; above it is short.

// Stages, in io_private. A directory's sync is opened in the first; its fd + 1 stands for the second.
constexpr uint64_t first_try = 0, second_try = 1;

int open_flags(const Op& op) {
    int flags = O_CLOEXEC | (op.flags & Op::read_write ? O_RDWR : O_RDONLY);
    if (op.flags & Op::create) flags |= O_CREAT;
    if (op.flags & Op::exclusive) flags |= O_EXCL;
    if (op.flags & Op::direct) flags |= O_DIRECT;
    return flags;
}

int32_t list_directory(const Op& op) {
    DIR* directory = opendir(op.path);
    if (!directory) return -errno;
    op.names->clear();
    while (const dirent* entry = readdir(directory)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") op.names->emplace_back(name);
    }
    closedir(directory);
    std::sort(op.names->begin(), op.names->end());
    return 0;
}

int32_t look_up(const Op& op) {
    struct stat facts;
    if (stat(op.path, &facts) < 0) return -errno;
    *op.info = {.size = static_cast<uint64_t>(facts.st_size), .is_directory = S_ISDIR(facts.st_mode)};
    return 0;
}

int32_t measure_disk(const Op& op) {
    struct statvfs facts;
    if (statvfs(op.path, &facts) < 0) return -errno;
    *op.space = {.total = uint64_t{facts.f_blocks} * facts.f_frsize,
                 .available = uint64_t{facts.f_bavail} * facts.f_frsize};
    return 0;
}

int32_t set_length(int fd, uint64_t size) { return ftruncate(fd, static_cast<off_t>(size)) < 0 ? -errno : 0; }

// For file systems that cannot allocate: the size at least.
int32_t extend(int fd, uint64_t size) {
    struct stat facts;
    if (fstat(fd, &facts) < 0) return -errno;
    return static_cast<uint64_t>(facts.st_size) < size ? set_length(fd, size) : 0;
}

}  // namespace

void UringIo::start_file(Op& op) {
    switch (op.kind) {
        case Op::Kind::list: return finish_later(op, list_directory(op));
        case Op::Kind::stat: return finish_later(op, look_up(op));
        case Op::Kind::disk_space: return finish_later(op, measure_disk(op));
        case Op::Kind::truncate:
            if (!has_ftruncate_) return finish_later(op, set_length(op.fd, op.size));
            return queue(op);
        default: return queue(op);
    }
}

void UringIo::prepare_file(io_uring_sqe& entry, Op& op) {
    switch (op.kind) {
        case Op::Kind::open:
            return io_uring_prep_openat(&entry, AT_FDCWD, op.path, open_flags(op), file_mode);
        case Op::Kind::read:
        case Op::Kind::write: return prepare_transfer(entry, op);
        case Op::Kind::sync: return io_uring_prep_fsync(&entry, op.fd, IORING_FSYNC_DATASYNC);
        case Op::Kind::allocate:
            return io_uring_prep_fallocate(&entry, op.fd, 0, static_cast<off_t>(op.offset),
                                           static_cast<off_t>(op.size));
        case Op::Kind::truncate:
            return io_uring_prep_rw(uring_abi::op_ftruncate, &entry, op.fd, nullptr, 0, op.size);
        case Op::Kind::rename:
            return io_uring_prep_renameat(&entry, AT_FDCWD, op.path, AT_FDCWD, op.target, 0);
        case Op::Kind::remove:
            return io_uring_prep_unlinkat(&entry, AT_FDCWD, op.path,
                                          op.io_private == second_try ? AT_REMOVEDIR : 0);
        case Op::Kind::make_directory:
            return io_uring_prep_mkdirat(&entry, AT_FDCWD, op.path, directory_mode);
        case Op::Kind::sync_directory: return prepare_directory_sync(entry, op);
        default: ASSERT(!"not an op of files");
    }
}

void UringIo::prepare_transfer(io_uring_sqe& entry, Op& op) {
    if (op.buffer) {
        const auto* data = static_cast<const uint8_t*>(op.data);
        ASSERT(data >= op.buffer->data());
        ASSERT(data + op.size <= op.buffer->data() + op.buffer->size());
    }
    const auto size = static_cast<unsigned>(std::min<uint64_t>(op.size, transfer_max));
    const bool is_fixed = op.buffer && op.buffer->registration() >= 0;
    const bool is_read = op.kind == Op::Kind::read;
    const auto code = is_read ? (is_fixed ? IORING_OP_READ_FIXED : IORING_OP_READ)
                              : (is_fixed ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE);
    io_uring_prep_rw(code, &entry, op.fd, op.data, size, op.offset);
    if (is_fixed) entry.buf_index = static_cast<uint16_t>(op.buffer->registration());
    if (!is_read && (op.flags & Op::durable)) entry.rw_flags = RWF_DSYNC;
}

void UringIo::prepare_directory_sync(io_uring_sqe& entry, Op& op) {
    if (op.io_private == first_try)
        return io_uring_prep_openat(&entry, AT_FDCWD, op.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    io_uring_prep_fsync(&entry, static_cast<int>(op.io_private) - 1, 0);
}

void UringIo::complete_file(Op& op, int32_t value) {
    switch (op.kind) {
        case Op::Kind::open: return complete_open(op, value);
        case Op::Kind::remove: return complete_remove(op, value);
        case Op::Kind::allocate: return complete_allocate(op, value);
        case Op::Kind::sync_directory: return complete_directory_sync(op, value);
        default: return finish(op, {.value = value});
    }
}

void UringIo::complete_open(Op& op, int32_t value) {
    if (value != -EINVAL || !(op.flags & Op::direct)) return finish(op, {.value = value});
    if (!std::exchange(told_no_direct_, true))
        log_.warn("io", "file system has no O_DIRECT: using the page cache", {{"path", op.path}});
    statistics_.buffered_opens++;
    // The failed try has created the file already: it is ours, since another's would have been -EEXIST.
    op.flags &= ~uint32_t{Op::direct | Op::exclusive};
    queue(op);
}

void UringIo::complete_remove(Op& op, int32_t value) {
    if (value != -EISDIR || op.io_private == second_try) return finish(op, {.value = value});
    op.io_private = second_try;
    queue(op);
}

void UringIo::complete_allocate(Op& op, int32_t value) {
    if (value == -EOPNOTSUPP) value = extend(op.fd, op.offset + op.size);
    finish(op, {.value = value});
}

void UringIo::complete_directory_sync(Op& op, int32_t value) {
    if (op.io_private == first_try) {
        if (value < 0) return finish(op, {.value = value});
        op.io_private = static_cast<uint64_t>(value) + 1;
        return queue(op);
    }
    ::close(static_cast<int>(op.io_private) - 1);
    finish(op, {.value = value});
}

}  // namespace millrace
