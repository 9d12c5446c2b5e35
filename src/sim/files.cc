// File operations as system calls would carry them out, descriptor by descriptor.
#include "files.h"

#include <cerrno>

namespace millrace::sim {

bool Files::is_change(const Op& op) {
    switch (op.kind) {
        case Op::Kind::open: return op.flags & Op::create;
        case Op::Kind::write:
        case Op::Kind::sync:
        case Op::Kind::allocate:
        case Op::Kind::truncate:
        case Op::Kind::rename:
        case Op::Kind::remove:
        case Op::Kind::make_directory:
        case Op::Kind::sync_directory: return true;
        default: return false;
    }
}

int32_t Files::execute(Op& op, int fd) {
    if (op.kind == Op::Kind::open) return open(op, fd);
    if (op.path) return on_path(op);
    return owns(op.fd) ? on_descriptor(op) : -EBADF;
}

int32_t Files::open(const Op& op, int fd) {
    const int32_t inode = disk_.files().open(op.path, op.flags);
    if (inode < 0) return inode;
    open_[fd] = {inode, op.flags};
    return fd;
}

int32_t Files::close(int fd) {
    const auto it = open_.find(fd);
    if (it == open_.end()) return -EBADF;
    disk_.files().release(it->second.inode);
    open_.erase(it);
    return 0;
}

void Files::close_all() {
    while (!open_.empty()) close(open_.begin()->first);
}

int32_t Files::on_descriptor(Op& op) {
    const Descriptor descriptor = open_.at(op.fd);
    const bool writes = op.kind != Op::Kind::read && op.kind != Op::Kind::sync;
    if (writes && !(descriptor.flags & Op::read_write)) return -EBADF;
    if (misaligned(op, descriptor)) return -EINVAL;
    auto* const data = static_cast<uint8_t*>(op.data);
    const auto durable = op.flags & Op::durable ? Durable::yes : Durable::no;
    switch (op.kind) {
        case Op::Kind::read: return disk_.read(descriptor.inode, op.offset, {data, op.size});
        case Op::Kind::write: return disk_.write(descriptor.inode, op.offset, {data, op.size}, durable);
        case Op::Kind::sync: return disk_.sync(descriptor.inode);
        case Op::Kind::allocate: return disk_.allocate(descriptor.inode, op.offset, op.size);
        case Op::Kind::truncate: return disk_.files().truncate(descriptor.inode, op.size);
        default: return -EINVAL;
    }
}

int32_t Files::on_path(Op& op) {
    FileSystem& files = disk_.files();
    switch (op.kind) {
        case Op::Kind::rename: return files.rename(op.path, op.target);
        case Op::Kind::remove: return files.remove(op.path);
        case Op::Kind::make_directory: return files.make_directory(op.path);
        case Op::Kind::list: return files.list(op.path, *op.names);
        case Op::Kind::stat: return files.stat(op.path, *op.info);
        case Op::Kind::sync_directory: return files.sync_directory(op.path);
        case Op::Kind::disk_space: break;
        default: return -EINVAL;
    }
    const uint64_t total = files.capacity_bytes(), used = files.used_bytes();
    *op.space = {.total = total, .available = total > used ? total - used : 0};
    return 0;
}

bool Files::misaligned(const Op& op, const Descriptor& descriptor) const {
    if (!(descriptor.flags & Op::direct)) return false;
    if (op.kind != Op::Kind::read && op.kind != Op::Kind::write) return false;
    const uint64_t mask = disk_.options().direct_alignment - 1;
    return ((reinterpret_cast<uintptr_t>(op.data) | op.size | op.offset) & mask) != 0;
}

void Files::crash(Op& op, Crash how) {
    if (!is_change(op)) return;
    if (op.kind != Op::Kind::write) {
        constexpr int nobodys_fd = INT32_MAX;
        if (disk_.crash_coin() && execute(op, nobodys_fd) == nobodys_fd) close(nobodys_fd);
        return;
    }
    if (!owns(op.fd) || misaligned(op, open_.at(op.fd))) return;
    const auto durable = op.flags & Op::durable ? Durable::yes : Durable::no;
    const Bytes bytes{static_cast<const uint8_t*>(op.data), op.size};
    disk_.crash_write(open_.at(op.fd).inode, op.offset, bytes, durable, how);
}

}  // namespace millrace::sim
