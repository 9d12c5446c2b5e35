// A stretch of a segment file, read with O_DIRECT into buffers that a Slice can pin.
//
// Lives in one coroutine of the log's shard.
#pragma once
#include "batch_header.h"
#include "files.h"
#include "layout.h"
#include "millrace/log.h"

namespace millrace {

// Bytes read for one Slice; dies with its last pin.
struct ReadBuffer final : SliceSource {
    explicit ReadBuffer(size_t size) : buffer(size) {}
    void unpin() override { const std::unique_ptr<ReadBuffer> dead{--pins == 0 ? this : nullptr}; }
    IoBuffer buffer;
    uint32_t pins = 1;
};

struct Unpin {
    void operator()(ReadBuffer* buffer) const { buffer->unpin(); }
};
using HeldBuffer = std::unique_ptr<ReadBuffer, Unpin>;

inline constexpr size_t read_size_max = 1 << 20, read_size_min = 32 << 10;

// Bytes of a file that lie in consecutive buffers; `at` is the file position of the first.
class FileWindow {
 public:
    FileWindow(Io& io, int fd, uint64_t file_end, StorageStats& stats)
        : io_(io), fd_(fd), file_end_(file_end), stats_(stats) {}

    uint64_t end() const { return end_; }  // What is read ends here.
    uint64_t file_end() const { return file_end_; }
    bool at_file_end() const { return end_ >= file_end_; }

    // Forgets everything; more() reads from there.
    void begin_at(uint64_t position) {
        buffers_.clear();
        at_ = end_ = align_down(position);
    }
    // At least `wanted` bytes more, if the file has them and they are at most read_size_max.
    Task<Result<>> more(size_t wanted) {
        const size_t left = align_up(file_end_ - end_);
        const size_t size =
            std::min(left, std::clamp<size_t>(align_up(wanted), read_size_min, read_size_max));
        HeldBuffer held{std::make_unique<ReadBuffer>(size).release()};
        stats_.disk_reads++, stats_.disk_read_bytes += size;
        const auto read = co_await direct_read_into(held->buffer, end_);
        if (!read) co_return read;
        buffers_.push_back(std::move(held));
        end_ = std::min(end_ + size, file_end_);
        co_return Result<>{};
    }
    // Nothing when it is not read yet, or no batch.
    std::optional<BatchHeader> header_at(uint64_t position) const {
        if (position + batch_header_size > end_) return {};
        std::array<uint8_t, batch_header_size> bytes;
        size_t done = 0;
        each(position, position + bytes.size(), [&](Bytes piece, ReadBuffer*) {
            std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<ptrdiff_t>(done));
            done += piece.size();
        });
        return BatchHeader::parse(bytes.data());
    }
    bool crc_matches(uint64_t position, const BatchHeader& batch) const {
        uint32_t crc = 0;
        each(position + 21, position + batch.size,
             [&](Bytes piece, ReadBuffer*) { crc = crc32c(piece, crc); });
        return crc == batch.crc;
    }
    void add_to(Slice& slice, uint64_t from, uint64_t to) const {
        each(from, to, [&](Bytes piece, ReadBuffer* buffer) {
            buffer->pins++;
            slice.add(piece, buffer);
        });
    }

 private:
    template <class F> void each(uint64_t from, uint64_t to, F take) const {
        uint64_t at = at_;
        for (const HeldBuffer& held : buffers_) {
            const uint64_t end = at + held->buffer.size();
            if (from < end && to > at) {
                const uint64_t first = std::max(from, at);
                take(Bytes{held->buffer.data() + (first - at), std::min(to, end) - first}, held.get());
            }
            at = end;
        }
    }
    Task<Result<>> direct_read_into(IoBuffer& buffer, uint64_t position) {
        size_t done = 0;
        const size_t wanted = std::min<uint64_t>(buffer.size(), file_end_ - position);
        for (int tries = 0; done < wanted && tries < 4; tries++) {
            const size_t from = align_down(done);
            const OpArguments a{.fd = fd_,
                                .data = buffer.data() + from,
                                .size = buffer.size() - from,
                                .offset = position + from,
                                .buffer = &buffer};
            const int32_t n = co_await Once{io_, Op::Kind::read, a};
            if (n < 0) co_return Error::kafka_storage_error;
            if (from + static_cast<size_t>(n) > done) tries = 0;
            done = std::max(done, from + static_cast<size_t>(n));
        }
        if (done < wanted)
            co_return Error::corrupt_message;  // The file is shorter than what was written to it.
        co_return Result<>{};
    }

    Io& io_;
    const int fd_;
    const uint64_t file_end_;
    StorageStats& stats_;
    std::vector<HeldBuffer> buffers_;
    uint64_t at_ = 0, end_ = 0;
};

}  // namespace millrace
