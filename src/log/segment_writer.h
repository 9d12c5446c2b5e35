// A new segment's files, written aside by a cleaning: batches in order, then indexes, all flushed.
//
// Lives in one cleaning, on the log's shard.
#pragma once
#include <memory>
#include <string>

#include "files.h"
#include "index.h"
#include "layout.h"

namespace millrace {

class SegmentWriter {
 public:
    static constexpr std::string_view aside = ".cleaned";  // Behind the files' names until they count.

    // `prefix` is the path without its suffix.
    SegmentWriter(Io& io, std::string prefix, Offset base, uint32_t index_interval)
        : io_(io), prefix_(std::move(prefix)), base_(base), interval_(index_interval) {}
    SegmentWriter(const SegmentWriter&) = delete;

    Task<Result<>> open();
    Task<Result<>> append(Bytes batch);
    // Exact, indexed and flushed; closed in any case.
    Task<Result<>> finish();
    // Closes and removes what was written.
    Task<Result<>> discard();

    uint64_t size() const { return size_; }
    int64_t first_timestamp() const { return first_timestamp_; }
    SegmentIndex& index() { return index_; }
    std::string path(std::string_view suffix) const { return prefix_ + std::string{suffix}; }
    std::string path_aside(std::string_view suffix) const { return path(suffix) + std::string{aside}; }

 private:
    Task<Result<>> write_buffer(uint64_t bytes);
    Task<Result<>> write_index(std::string_view suffix, std::vector<uint8_t> bytes);
    Task<Result<>> finish_file();

    Io& io_;
    const std::string prefix_;
    const Offset base_;
    const uint32_t interval_;
    int fd_ = -1;
    IoBuffer buffer_;
    uint64_t used_ = 0, written_ = 0, size_ = 0;
    int64_t first_timestamp_ = -1;
    SegmentIndex index_;
};

}  // namespace millrace
