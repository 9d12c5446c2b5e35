// Reading a file ahead.
#include "file_reader.h"

namespace millrace {

namespace {

constexpr int tries_max = 4;

}  // namespace

void FileReader::Read::begin(uint64_t at, size_t bytes) {
    place = at, wanted = bytes, got = 0, tries = 0, failure = 0;
    is_used = true, is_done = false;
    fd = reader.fd_, offset = place, size = align_up(wanted), data = memory.data(), buffer = &memory;
    reader.under_way_++;
    reader.io_.submit(*this);
}

// A short read is followed by another from its last block on; several without progress are the file's end.
void FileReader::Read::done(Outcome outcome) {
    const size_t from = offset - place;
    if (outcome.value < 0) failure = outcome.value;
    const size_t reached = from + static_cast<size_t>(std::max(outcome.value, 0));
    tries = reached > got ? 0 : tries + 1;
    got = std::max(got, reached);
    if (failure == 0 && got < wanted && tries < tries_max) {
        const size_t again = align_down(got);
        offset = place + again, size = align_up(wanted) - again, data = memory.data() + again;
        return reader.io_.submit(*this);
    }
    got = std::min(got, wanted);
    is_done = true;
    ASSERT(reader.under_way_ > 0);
    reader.under_way_--;
    reader.bytes_read_ += got;
    reader.landed_.notify_all();
}

FileReader::Read* FileReader::find(uint64_t position) const {
    for (const auto& read : reads_)
        if (read->holds(position)) return read.get();
    return nullptr;
}

// Into a piece that is not needed: never read, or farthest behind, or ahead of, what is looked at.
void FileReader::begin(uint64_t place, uint64_t around) {
    if (fd_ < 0 || place >= size_ || find(place)) return;
    const size_t bytes = std::min<uint64_t>(piece_size, size_ - place);
    const uint64_t last = around + (pieces_max - 1) * piece_size;
    for (const auto& read : reads_) {
        const bool is_free =
            !read->is_used || (read->is_done && (read->place < around || read->place > last));
        if (is_free) return read->begin(place, bytes);
    }
    if (reads_.size() == pieces_max) return;
    reads_.push_back(std::make_unique<Read>(*this));
    reads_.back()->begin(place, bytes);
}

std::optional<Bytes> FileReader::laid_over(uint64_t position) const {
    auto above = overlay_.upper_bound(position);
    if (above == overlay_.begin()) return {};
    const auto& [place, bytes] = *--above;
    if (position - place >= bytes.size()) return {};
    return bytes.subspan(position - place);
}

std::optional<Bytes> FileReader::ready(uint64_t position) const {
    if (position >= size_) return Bytes{};
    if (const auto over = laid_over(position)) return over;
    if (fd_ < 0) return Bytes{};
    const Read* read = find(position);
    if (!read || !read->is_done || read->failure < 0) return {};
    const uint64_t from = position - read->place;
    if (from >= read->got) return Bytes{};
    size_t length = read->got - from;
    if (const auto over = overlay_.upper_bound(position); over != overlay_.end())
        length = std::min<uint64_t>(length, over->first - position);
    return Bytes{read->memory.data() + from, length};
}

Task<Result<Bytes>> FileReader::at(uint64_t position) {
    const uint64_t place = position / piece_size * piece_size;
    while (true) {
        for (size_t i = 0; i < pieces_max; i++) begin(place + i * piece_size, place);
        if (const auto bytes = ready(position)) co_return *bytes;
        const Read* read = find(position);
        if (read && read->failure < 0) co_return Error::kafka_storage_error;
        co_await landed_;
    }
}

Task<Result<size_t>> FileReader::copy(uint64_t position, MutableBytes to) {
    size_t done = 0;
    while (done < to.size()) {
        const auto bytes = co_await at(position + done);
        if (!bytes) co_return bytes.error();
        if (bytes->empty()) break;
        const size_t taken = std::min(bytes->size(), to.size() - done);
        std::copy_n(bytes->begin(), taken, to.begin() + static_cast<ptrdiff_t>(done));
        done += taken;
    }
    co_return done;
}

Task<> FileReader::drain() {
    while (under_way_ > 0) co_await landed_;
}

}  // namespace millrace
