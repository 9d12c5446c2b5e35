// Writing a segment aside.
#include "segment_writer.h"

namespace millrace {

namespace {

constexpr uint64_t buffer_bytes = 128 << 10;

}  // namespace

Task<Result<>> SegmentWriter::open() {
    auto removed = co_await discard();
    if (!removed) co_return removed;
    const auto fd = co_await open_file(
        io_, {.path = path_aside(".log"), .flags = Op::read_write | Op::create | Op::direct});
    if (!fd) co_return fd.error();
    fd_ = *fd;
    buffer_ = IoBuffer{buffer_bytes};
    co_return Result<>{};
}

Task<Result<>> SegmentWriter::append(Bytes batch) {
    const auto header = BatchHeader::parse(batch.data());
    ASSERT(header && header->size == batch.size() && header->base >= base_);
    if (size_ == 0 && header->record_count > 0) first_timestamp_ = header->max_timestamp;
    index_.add(*header, base_, size_, interval_);
    size_ += batch.size();
    while (!batch.empty()) {
        const uint64_t part = std::min<uint64_t>(batch.size(), buffer_.size() - used_);
        std::copy_n(batch.data(), part, buffer_.data() + used_);
        used_ += part, batch = batch.subspan(part);
        if (used_ < buffer_.size()) continue;
        auto written = co_await write_buffer(used_);
        if (!written) co_return written;
    }
    co_return Result<>{};
}

Task<Result<>> SegmentWriter::write_buffer(uint64_t bytes) {
    ASSERT(bytes % block_size == 0);
    const OpArguments a{
        .fd = fd_, .data = buffer_.data(), .size = bytes, .offset = written_, .buffer = &buffer_};
    const int32_t n = co_await write_whole(io_, a);
    if (n < 0) co_return storage_error(n);
    if (static_cast<uint64_t>(n) != bytes) co_return Error::kafka_storage_error;
    written_ += bytes, used_ = 0;
    co_return Result<>{};
}

Task<Result<>> SegmentWriter::finish_file() {
    if (used_ > 0) {
        const uint64_t whole = align_up(used_);
        std::fill(buffer_.data() + used_, buffer_.data() + whole, uint8_t{0});
        auto written = co_await write_buffer(whole);
        if (!written) co_return written;
        const int32_t cut = co_await Once{io_, Op::Kind::truncate, {.fd = fd_, .size = size_}};
        if (cut < 0) co_return storage_error(cut);
    }
    const int32_t synced = co_await Once{io_, Op::Kind::sync, {.fd = fd_}};
    co_return synced < 0 ? Result<>{Error::kafka_storage_error} : Result<>{};
}

Task<Result<>> SegmentWriter::write_index(std::string_view suffix, std::vector<uint8_t> bytes) {
    FilePart part{path_aside(suffix), 0, std::move(bytes)};
    co_return co_await write_part(io_, std::move(part), Sync::yes);
}

Task<Result<>> SegmentWriter::finish() {
    ASSERT(fd_ >= 0);
    auto result = co_await finish_file();
    co_await close_file(io_, std::exchange(fd_, -1));
    buffer_ = {};
    index_.finish();
    if (result) result = co_await write_index(".timeindex", index_.time_bytes());
    if (result) result = co_await write_index(".index", index_.offset_bytes());
    co_return result;
}

Task<Result<>> SegmentWriter::discard() {
    if (fd_ >= 0) co_await close_file(io_, std::exchange(fd_, -1));
    Result<> result;
    for (const std::string_view suffix : {".index", ".timeindex", ".log"})
        if (result) result = co_await remove_file(io_, path_aside(suffix));
    co_return result;
}

}  // namespace millrace
