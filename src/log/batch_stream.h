// The batches of a finished segment's file, one after the other, read with O_DIRECT.
//
// Lives in one coroutine of the log's shard. Memory is one buffer: 128 KiB, or what the largest batch takes.
#pragma once
#include "files.h"
#include "layout.h"
#include "millrace/batch.h"
#include "millrace/log.h"

namespace millrace {

class BatchStream {
 public:
    BatchStream(Io& io, int fd, uint64_t file_size, uint64_t from = 0)
        : io_(io), fd_(fd), file_size_(file_size), at_(from), window_(align_down(from)), end_(window_) {}

    bool at_end() const { return at_ == file_size_; }
    // Reads until one whole batch is there; corrupt_message when the file does not go on with one, or its CRC
    // is wrong. Not at the end.
    Task<Result<>> fetch();
    // The batch that was fetched; its bytes stay until the next fetch().
    BatchView take();
    bool has_batch() const { return has_whole() && header_is_sound(); }
    uint64_t bytes_read() const { return bytes_read_; }

 private:
    const uint8_t* place() const { return buffer_.data() + (at_ - window_); }
    uint64_t wanted() const;
    bool has_whole() const;
    bool header_is_sound() const;
    Task<Result<>> read_from_here(uint64_t size);

    Io& io_;
    const int fd_;
    const uint64_t file_size_;
    uint64_t at_, window_, end_;  // The next batch; what the buffer holds.
    IoBuffer buffer_;
    uint64_t bytes_read_ = 0;
};

}  // namespace millrace
