// Small files and single steps on files.
#include "files.h"

#include <cerrno>

#include "layout.h"

namespace millrace {

Error storage_error(int32_t outcome) {
    return outcome == -ENOSPC || outcome == -EDQUOT ? disk_full : Error::kafka_storage_error;
}

namespace {

Result<> result_of(int32_t outcome) {
    if (outcome < 0) return storage_error(outcome);
    return {};
}

}  // namespace

Task<int32_t> write_whole(Io& io, OpArguments arguments) {
    int32_t n = 0;
    for (uint32_t tries = 0; tries <= short_writes_max; tries++) {
        n = co_await Once{io, Op::Kind::write, arguments};
        if (n <= 0 || static_cast<uint64_t>(n) == arguments.size) break;
    }
    co_return n;
}

namespace {

// The kernel may return less than asked: asks again until all came, the end, or an error.
Task<Result<size_t>> read_all(Io& io, int fd, uint64_t offset, MutableBytes to) {
    size_t done = 0;
    while (done < to.size()) {
        const OpArguments a{
            .fd = fd, .data = to.data() + done, .size = to.size() - done, .offset = offset + done};
        const int32_t n = co_await Once{io, Op::Kind::read, a};
        if (n < 0) co_return storage_error(n);
        if (n == 0) break;
        done += static_cast<size_t>(n);
    }
    co_return done;
}

Task<Result<>> write_all(Io& io, int fd, uint64_t offset, Bytes bytes) {
    if (bytes.empty()) co_return Result<>{};
    const OpArguments a{
        .fd = fd, .data = const_cast<uint8_t*>(bytes.data()), .size = bytes.size(), .offset = offset};
    const int32_t n = co_await write_whole(io, a);
    if (n < 0) co_return storage_error(n);
    if (static_cast<size_t>(n) != bytes.size()) co_return Error::kafka_storage_error;
    co_return Result<>{};
}

}  // namespace

Task<Result<int>> open_file(Io& io, OpenOptions options) {
    const OpArguments a{.flags = options.flags, .path = options.path.c_str()};
    const int32_t fd = co_await Once{io, Op::Kind::open, a};
    if (fd == -ENOENT) co_return Error::resource_not_found;
    if (fd < 0) co_return storage_error(fd);
    co_return fd;
}

Task<> close_file(Io& io, int fd) { co_await Once{io, Op::Kind::close, {.fd = fd}}; }

Task<Result<std::vector<uint8_t>>> read_file(Io& io, std::string path, size_t size_max) {
    const auto info = co_await file_info(io, path);
    if (!info) co_return info.error();
    if (!*info) co_return Error::resource_not_found;
    if ((*info)->size > size_max) co_return Error::kafka_storage_error;
    auto end = co_await read_end(io, std::move(path), size_max);
    if (!end) co_return end.error();
    co_return std::move(end->bytes);
}

Task<Result<FileEnd>> read_end(Io& io, std::string path, size_t bytes_max) {
    const auto info = co_await file_info(io, path);
    if (!info) co_return info.error();
    if (!*info) co_return Error::resource_not_found;
    const auto fd = co_await open_file(io, {.path = path, .flags = Op::read_only});
    if (!fd) co_return fd.error();
    FileEnd end{.size = (*info)->size, .bytes = {}};
    end.bytes.resize(std::min<uint64_t>(end.size, bytes_max));
    const auto size = co_await read_all(io, *fd, end.size - end.bytes.size(), end.bytes);
    co_await close_file(io, *fd);
    if (!size) co_return size.error();
    end.bytes.resize(*size);
    co_return end;
}

namespace {

// Writes, flushes if asked, and closes in any case.
Task<Result<>> fill_and_close(Io& io, int fd, uint64_t offset, Bytes bytes, Sync sync) {
    auto written = co_await write_all(io, fd, offset, bytes);
    if (written && sync == Sync::yes) {
        const int32_t synced = co_await Once{io, Op::Kind::sync, {.fd = fd}};
        written = result_of(synced);
    }
    co_await close_file(io, fd);
    co_return written;
}

}  // namespace

namespace {

Task<Result<>> write_aside(Io& io, std::string path, std::vector<uint8_t> bytes, Sync sync) {
    auto removed = co_await remove_file(io, path);
    if (!removed) co_return removed;
    const auto fd = co_await open_file(io, {.path = path, .flags = Op::read_write | Op::create});
    if (!fd) co_return fd.error();
    co_return co_await fill_and_close(io, *fd, 0, bytes, sync);
}

}  // namespace

Task<Result<>> write_file(Io& io, std::string path, std::vector<uint8_t> bytes, Sync sync) {
    const std::string temporary = path + ".tmp";
    auto written = co_await write_aside(io, temporary, std::move(bytes), sync);
    if (!written) co_return written;
    co_return co_await rename_file(io, temporary, path);
}

Task<Result<>> write_two_files(Io& io, FilePart first, FilePart second) {
    std::vector<Task<Result<>>> asides;
    for (const FilePart* file : {&first, &second})
        asides.push_back(write_aside(io, file->path + ".tmp", file->bytes, Sync::yes));
    const auto written = co_await gather(std::move(asides));
    for (const Result<>& one : written)
        if (!one) co_return one;
    auto renamed = co_await rename_file(io, first.path + ".tmp", first.path);
    if (renamed) renamed = co_await rename_file(io, second.path + ".tmp", second.path);
    co_return renamed;
}

Task<Result<>> write_part(Io& io, FilePart part, Sync sync) {
    const auto fd = co_await open_file(io, {.path = part.path, .flags = Op::read_write | Op::create});
    if (!fd) co_return fd.error();
    co_return co_await fill_and_close(io, *fd, part.offset, part.bytes, sync);
}

Task<Result<>> make_directory(Io& io, std::string path) {
    const int32_t n = co_await Once{io, Op::Kind::make_directory, {.path = path.c_str()}};
    co_return result_of(n == -EEXIST ? 0 : n);
}

Task<Result<>> sync_directory(Io& io, std::string path) {
    const int32_t n = co_await Once{io, Op::Kind::sync_directory, {.path = path.c_str()}};
    co_return result_of(n);
}

Task<Result<>> make_root(Io& io, std::string path) {
    const auto known = co_await file_info(io, path);
    if (!known) co_return known.error();
    auto made = co_await make_directory(io, path);
    const size_t slash = path.rfind('/');
    if (!made || *known) co_return made;
    if (slash == std::string::npos) co_return co_await sync_directory(io, ".");
    co_return co_await sync_directory(io, slash == 0 ? "/" : path.substr(0, slash));
}

Task<Result<>> rename_file(Io& io, std::string from, std::string to) {
    const int32_t n = co_await Once{io, Op::Kind::rename, {.path = from.c_str(), .target = to.c_str()}};
    co_return result_of(n);
}

Task<Result<>> remove_file(Io& io, std::string path) {
    const int32_t n = co_await Once{io, Op::Kind::remove, {.path = path.c_str()}};
    co_return result_of(n == -ENOENT ? 0 : n);
}

Task<Result<>> remove_tree(Io& io, std::string path) {
    auto names = co_await list_directory(io, path);
    if (!names) co_return names.error();
    for (const std::string& name : *names) {
        auto removed = co_await remove_file(io, path + "/" + name);
        if (!removed) co_return removed;
    }
    co_return co_await remove_file(io, path);
}

Task<Result<std::vector<std::string>>> list_directory(Io& io, std::string path) {
    std::vector<std::string> names;
    const int32_t n = co_await Once{io, Op::Kind::list, {.path = path.c_str(), .names = &names}};
    if (n == -ENOENT) co_return std::vector<std::string>{};
    if (n < 0) co_return storage_error(n);
    co_return names;
}

Task<Result<std::optional<FileInfo>>> file_info(Io& io, std::string path) {
    FileInfo info;
    const int32_t n = co_await Once{io, Op::Kind::stat, {.path = path.c_str(), .info = &info}};
    if (n == -ENOENT) co_return std::optional<FileInfo>{};
    if (n < 0) co_return storage_error(n);
    co_return std::optional{info};
}

namespace {

constexpr size_t piece_max = 1 << 20;

// Reads an aligned piece; what lies behind the end of the file is zero. A short read is followed by another
// from its last block on; only several without progress are the end.
Task<Result<>> read_blocks(Io& io, int fd, uint64_t position, IoBuffer& buffer, size_t size) {
    constexpr int tries_max = 4;
    size_t done = 0;
    for (int tries = 0; done < size && tries < tries_max;) {
        const size_t from = align_down(done);
        const OpArguments a{.fd = fd,
                            .data = buffer.data() + from,
                            .size = size - from,
                            .offset = position + from,
                            .buffer = &buffer};
        const int32_t n = co_await Once{io, Op::Kind::read, a};
        if (n < 0) co_return storage_error(n);
        const size_t reached = from + static_cast<size_t>(n);
        if (reached > done) tries = 0;
        if (reached <= done) tries++;
        done = std::max(done, reached);
    }
    std::fill(buffer.data() + done, buffer.data() + size, uint8_t{0});
    co_return Result<>{};
}

Task<Result<>> write_blocks(Io& io, int fd, uint64_t position, IoBuffer& buffer, size_t size) {
    const OpArguments a{.fd = fd,
                        .data = buffer.data(),
                        .size = size,
                        .offset = position,
                        .flags = Op::durable,
                        .buffer = &buffer};
    const int32_t n = co_await write_whole(io, a);
    if (n < 0) co_return storage_error(n);
    if (static_cast<size_t>(n) != size) co_return Error::kafka_storage_error;
    co_return Result<>{};
}

}  // namespace

Task<Result<>> direct_read(Io& io, int fd, uint64_t position, MutableBytes to) {
    if (to.empty()) co_return Result<>{};
    const uint64_t last = align_up(position + to.size());
    IoBuffer buffer{std::min(piece_max, last - align_down(position))};
    for (uint64_t at = align_down(position); at < last; at += buffer.size()) {
        const size_t size = std::min<uint64_t>(buffer.size(), last - at);
        auto read = co_await read_blocks(io, fd, at, buffer, size);
        if (!read) co_return read;
        const uint64_t from = std::max(at, position), until = std::min(at + size, position + to.size());
        std::copy_n(buffer.data() + (from - at), until - from, to.data() + (from - position));
    }
    co_return Result<>{};
}

Task<Result<>> direct_write(Io& io, int fd, uint64_t position, Bytes bytes) {
    if (bytes.empty()) co_return Result<>{};
    const uint64_t end = position + bytes.size(), last = align_up(end);
    IoBuffer buffer{std::min(piece_max, last - align_down(position))};
    for (uint64_t at = align_down(position); at < last; at += buffer.size()) {
        const size_t size = std::min<uint64_t>(buffer.size(), last - at);
        if (at < position || at + size > end) {
            auto read = co_await read_blocks(io, fd, at, buffer, size);
            if (!read) co_return read;
        }
        const uint64_t from = std::max(at, position), until = std::min(at + size, end);
        std::copy_n(bytes.data() + (from - position), until - from, buffer.data() + (from - at));
        auto written = co_await write_blocks(io, fd, at, buffer, size);
        if (!written) co_return written;
    }
    co_return Result<>{};
}

}  // namespace millrace
