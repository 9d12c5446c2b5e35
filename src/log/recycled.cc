// Files of dropped segments, kept for new ones.
#include "recycled.h"

#include "layout.h"

namespace millrace {

namespace {

Task<Result<>> cut(Io& io, std::string path, uint64_t size) {
    const auto fd = co_await open_file(io, {.path = std::move(path), .flags = Op::read_write});
    if (!fd) co_return fd.error();
    const int32_t n = co_await Once{io, Op::Kind::truncate, {.fd = *fd, .size = size}};
    co_await close_file(io, *fd);
    if (n < 0) co_return storage_error(n);
    co_return Result<>{};
}

}  // namespace

RecycledFiles::RecycledFiles(Io& io, const std::string& root, Limits limits)
    : io_(io),
      parent_(root + "/recycled"),
      directory_(parent_ + "/" + std::to_string(io.shard().value)),
      limits_(limits) {}

Task<Result<bool>> RecycledFiles::keep(std::string path, Offset until) {
    const auto info = co_await file_info(io_, path);
    if (!info) co_return info.error();
    // Counted before anything is waited for: another log may come meanwhile.
    const uint64_t room = limits_.bytes - bytes_;
    const uint64_t size = align_down(std::min(*info ? (*info)->size : 0, room));
    if (files_.size() + held_ >= limits_.files || size < limits_.least) co_return false;
    bytes_ += size, held_++;
    File file{.path = directory_ + "/" + std::to_string(named_++), .size = size, .until = until};
    Result<> result;
    if (!made_) result = co_await make_directory(io_, parent_);
    if (!made_ && result) result = co_await make_directory(io_, directory_);
    made_ |= result.ok();
    if (result && size < (*info)->size) result = co_await cut(io_, path, size);
    if (result) result = co_await rename_file(io_, path, file.path);
    held_--;
    if (!result) {
        bytes_ -= size;
        co_return result.error();
    }
    files_.push_back(std::move(file));
    co_return true;
}

Task<Result<uint64_t>> RecycledFiles::take(Wish wish) {
    const File* best = nullptr;
    for (const File& file : files_)
        if (file.until <= wish.base && file.size <= wish.size_max && (!best || file.size > best->size))
            best = &file;
    if (!best) co_return uint64_t{0};
    const File file = *best;
    files_.erase(files_.begin() + (best - files_.data()));
    bytes_ -= file.size;
    taken_++;
    const auto renamed = co_await rename_file(io_, file.path, std::move(wish.path));
    if (!renamed) co_return renamed.error();
    co_return file.size;
}

Task<Result<>> RecycledFiles::clear() {
    while (!files_.empty()) {
        const File file = std::move(files_.back());
        files_.pop_back();
        bytes_ -= file.size;
        auto removed = co_await remove_file(io_, file.path);
        if (!removed) co_return removed;
    }
    co_return Result<>{};
}

Task<Result<>> RecycledFiles::remove_leftovers() {
    ASSERT(files_.empty() && held_ == 0);
    co_return co_await remove_tree(io_, directory_);
}

}  // namespace millrace
