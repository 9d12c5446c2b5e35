// Reading batches one by one.
#include "batch_stream.h"

namespace millrace {

namespace {

constexpr uint64_t window_bytes = 128 << 10;

}  // namespace

// From the batch's first byte on, as far as it is known.
uint64_t BatchStream::wanted() const {
    if (at_ < window_ || at_ + batch_header_size > end_) return batch_header_size;
    const auto length = load_big<int32_t>(place() + batch_length_offset - 4);
    return batch_length_offset + static_cast<uint64_t>(std::max(length, 0));
}

bool BatchStream::has_whole() const { return at_ >= window_ && at_ + wanted() <= end_; }

bool BatchStream::header_is_sound() const {
    return wanted() >= batch_header_size && BatchView::parse({place(), end_ - at_}).ok();
}

Task<Result<>> BatchStream::fetch() {
    ASSERT(!at_end());
    while (!has_whole()) {
        const uint64_t size = wanted();
        if (at_ + size > file_size_ || size > INT32_MAX) co_return Error::corrupt_message;
        auto read = co_await read_from_here(size);
        if (!read) co_return read;
    }
    if (!header_is_sound()) co_return Error::corrupt_message;
    const auto batch = BatchView::parse({place(), end_ - at_});
    const bool sound = batch->crc_matches() && batch->last_offset_delta() >= 0 && batch->record_count() >= 0;
    co_return sound ? Result<>{} : Error::corrupt_message;
}

BatchView BatchStream::take() {
    ASSERT(has_batch());
    const auto batch = BatchView::parse({place(), end_ - at_});
    at_ += batch->size();
    return *batch;
}

Task<Result<>> BatchStream::read_from_here(uint64_t size) {
    window_ = end_ = align_down(at_);
    const uint64_t room = std::max(window_bytes, align_up(at_ + size - window_));
    if (buffer_.size() < room) buffer_ = IoBuffer{room};
    const uint64_t until = std::min(window_ + buffer_.size(), file_size_);
    constexpr int tries_max = 4;
    for (int tries = 0; end_ < until && tries < tries_max; tries++) {
        const uint64_t from = align_down(end_ - window_);
        const OpArguments a{.fd = fd_,
                            .data = buffer_.data() + from,
                            .size = buffer_.size() - from,
                            .offset = window_ + from,
                            .buffer = &buffer_};
        const int32_t n = co_await Once{io_, Op::Kind::read, a};
        if (n < 0) co_return Error::kafka_storage_error;
        bytes_read_ += static_cast<uint64_t>(n);
        const uint64_t reached = std::min(window_ + from + static_cast<uint64_t>(n), until);
        if (reached > end_) end_ = reached, tries = 0;
    }
    // A file that is shorter than what was written to it.
    co_return end_ < until ? Result<>{Error::corrupt_message} : Result<>{};
}

}  // namespace millrace
