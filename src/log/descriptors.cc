// A bounded cache of open segment files.
#include "descriptors.h"

namespace millrace {

Task<Result<OpenFile*>> Descriptors::acquire(FileKey key, std::string path, Create create) {
    auto known = files_.find(key);
    if (known == files_.end()) {
        const uint32_t flags =
            Op::read_write | Op::direct | (create == Create::yes ? uint32_t{Op::create} : 0u);
        const auto fd = co_await open_file(io_, {.path = path, .flags = flags});
        if (!fd) co_return fd.error();
        known = files_.find(key);
        if (known != files_.end()) closing_.push_back(*fd);  // Somebody else was faster.
        if (known == files_.end())
            known = files_.emplace(key, std::make_unique<OpenFile>(OpenFile{.fd = *fd})).first;
    }
    OpenFile* file = known->second.get();
    file->users++;
    file->used_at = ++uses_;
    co_return file;
}

void Descriptors::release(OpenFile* file) {
    ASSERT(file->users > 0);
    if (--file->users > 0 || !file->forgotten) return;
    closing_.push_back(file->fd);
    std::erase_if(forgotten_, [&](const auto& f) { return f.get() == file; });
}

void Descriptors::forget(FileKey key) {
    const auto known = files_.find(key);
    if (known == files_.end()) return;
    auto file = std::move(known->second);
    files_.erase(known);
    file->forgotten = true;
    if (file->users == 0) return closing_.push_back(file->fd);
    forgotten_.push_back(std::move(file));
}

bool Descriptors::wants_trim() const {
    if (!closing_.empty()) return true;
    return files_.size() > max_ && std::any_of(files_.begin(), files_.end(),
                                               [](const auto& file) { return file.second->users == 0; });
}

Task<> Descriptors::trim() {
    while (files_.size() > max_) {
        auto unused = files_.end();
        for (auto it = files_.begin(); it != files_.end(); ++it) {
            const bool longer = unused == files_.end() || it->second->used_at < unused->second->used_at;
            if (it->second->users == 0 && longer) unused = it;
        }
        if (unused == files_.end()) break;
        closing_.push_back(unused->second->fd);
        files_.erase(unused);
    }
    while (!closing_.empty()) {
        const int fd = closing_.back();
        closing_.pop_back();
        co_await close_file(io_, fd);
    }
}

Task<> Descriptors::close_all() {
    for (auto& [key, file] : files_) {
        ASSERT(file->users == 0);
        closing_.push_back(file->fd);
    }
    files_.clear();
    co_await trim();
}

}  // namespace millrace
