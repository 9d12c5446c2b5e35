// Open segment files, at most so many: the ones nobody uses are closed, longest unused first.
//
// What always holds: a file with users stays open. Owned by the shard's Storage.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "files.h"
#include "millrace/log.h"

namespace millrace {

struct FileKey {
    Slot slot;
    Offset segment;
    uint32_t version =
        0;  // Of the file: a segment that is replaced by another file of its name gets the next.
    auto operator<=>(const FileKey&) const = default;
};

struct OpenFile {
    int fd = -1;
    uint32_t users = 0;
    uint64_t used_at = 0;    // Order of last use.
    bool forgotten = false;  // Closed when its last user goes.
};

class Descriptors {
 public:
    Descriptors(Io& io, uint32_t max) : io_(io), max_(max) {}

    // Opens the file with O_DIRECT for reading and writing, or finds it open; one more user. Give it back
    // with release. `path` exists, unless Create::yes.
    enum class Create : bool { no, yes };
    Task<Result<OpenFile*>> acquire(FileKey key, std::string path, Create create);
    void release(OpenFile* file);
    // The file is about to be deleted.
    void forget(FileKey key);
    // Closes what is too much or forgotten.
    Task<> trim();
    bool wants_trim() const;
    Task<> close_all();
    bool is_open(FileKey key) const { return files_.contains(key); }
    size_t size() const { return files_.size(); }

 private:
    Io& io_;
    const uint32_t max_;
    uint64_t uses_ = 0;
    std::map<FileKey, std::unique_ptr<OpenFile>> files_;
    std::vector<std::unique_ptr<OpenFile>> forgotten_;  // With users.
    std::vector<int> closing_;
};

// A user's hold on an open file.
class FileHold {
 public:
    FileHold(Descriptors& descriptors, OpenFile* file) : descriptors_(&descriptors), file_(file) {}
    FileHold(FileHold&& other) noexcept
        : descriptors_(other.descriptors_), file_(std::exchange(other.file_, nullptr)) {}
    FileHold& operator=(FileHold&&) = delete;
    ~FileHold() {
        if (file_) descriptors_->release(file_);
    }
    int fd() const { return file_->fd; }

 private:
    Descriptors* descriptors_;
    OpenFile* file_;
};

}  // namespace millrace
