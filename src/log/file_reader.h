// A file read once from its beginning to its end, in large O_DIRECT pieces, several under way; what a journal
// still holds of it lies over its bytes.
//
// What always holds: at most `pieces_max` pieces are in memory. Lives in one coroutine; drain() before it
// dies.
#pragma once
#include <map>
#include <memory>

#include "layout.h"
#include "millrace/io.h"

namespace millrace {

class FileReader {
 public:
    static constexpr size_t piece_size = 1 << 20, pieces_max = 4;

    // `size`: how long the file would be with what lies over it. fd -1: there is no file, only that.
    FileReader(Io& io, int fd, uint64_t size) : io_(io), fd_(fd), size_(size) {}
    FileReader(const FileReader&) = delete;
    ~FileReader() { ASSERT(under_way_ == 0); }

    // These bytes, not the file's, are at `position`; they outlive the reader. They do not overlap.
    void lay_over(uint64_t position, Bytes bytes) {
        if (!bytes.empty()) overlay_.emplace(position, bytes);
    }
    uint64_t size() const { return size_; }
    uint64_t bytes_read() const { return bytes_read_; }

    // Some bytes from `position` on, valid until the next call of at(); empty at the end, which is where the
    // file ends if that is before size(). kafka_storage_error: the device refuses.
    Task<Result<Bytes>> at(uint64_t position);
    // The same, when they are in memory.
    std::optional<Bytes> ready(uint64_t position) const;
    // Copies what is there; how many bytes that were.
    Task<Result<size_t>> copy(uint64_t position, MutableBytes to);
    Task<> drain();

 private:
    struct Read final : Op {
        explicit Read(FileReader& reader) : Op(Kind::read), reader(reader), memory(piece_size) {}
        void begin(uint64_t place, size_t bytes);
        void done(Outcome outcome) override;
        bool holds(uint64_t position) const { return is_used && position / piece_size == place / piece_size; }
        FileReader& reader;
        IoBuffer memory;
        uint64_t place = 0;
        size_t wanted = 0, got = 0;
        int tries = 0;
        int32_t failure = 0;
        bool is_used = false, is_done = false;
    };
    Read* find(uint64_t position) const;
    void begin(uint64_t place, uint64_t around);
    std::optional<Bytes> laid_over(uint64_t position) const;

    Io& io_;
    const int fd_;
    const uint64_t size_;
    std::vector<std::unique_ptr<Read>> reads_;
    std::map<uint64_t, Bytes> overlay_;
    Signal landed_;
    size_t under_way_ = 0;
    uint64_t bytes_read_ = 0;
};

}  // namespace millrace
