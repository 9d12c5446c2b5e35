// Checking a segment file.
#include "segment_check.h"

#include "file_reader.h"
#include "layout.h"

namespace millrace {

namespace {

constexpr size_t window_size = 1 << 20;
// Reading ahead takes 4 MiB of memory, and many logs are opened at once.
constexpr uint64_t ahead_least = 16 << 20;
constexpr size_t crc_begin = 21, magic_at = 16;
constexpr uint8_t magic_2 = 2;

class SegmentCheck {
 public:
    SegmentCheck(Io& io, CheckRequest request) : io_(io), request_(std::move(request)) {}
    Task<Result<CheckReport>> run();

 private:
    Task<Result<>> walk();
    Task<Result<bool>> is_sound_at(uint64_t at);
    Task<Result<uint64_t>> next_place(uint64_t at);
    bool follows(const BatchHeader& batch) const;
    bool is_plausible(uint64_t at, const BatchHeader& batch) const;
    Task<Result<>> view(uint64_t at, size_t size);
    Task<Result<>> read(MutableBytes to, uint64_t at);
    Task<Result<>> read_pages(MutableBytes to, uint64_t at);
    Task<Result<>> pace(uint64_t read_ns);
    bool has_bad(uint64_t from, uint64_t to) const;
    const uint8_t* bytes_at(uint64_t at) const { return window_.data() + (at - window_at_); }
    void accept(uint64_t at);
    void damage_at(uint64_t at);
    void close_damage(uint64_t at, Offset next);

    Io& io_;
    const CheckRequest request_;
    CheckReport report_;
    int fd_ = -1;
    uint64_t file_size_ = 0;
    std::optional<FileReader> ahead_;  // Where much is read, as fast as the device gives it.
    uint64_t window_at_ = 0;
    std::vector<uint8_t> window_;
    std::vector<uint64_t> bad_;  // Pages that the device refuses.
    uint64_t pages_read_ = 0;
    BatchHeader batch_;  // The last one that was looked at.
    Offset expected_;
    std::optional<DamagedRange> open_;
};

Task<Result<CheckReport>> SegmentCheck::run() {
    expected_ = report_.next = request_.expected;
    report_.sound_end = request_.from;
    const auto info = co_await file_info(io_, request_.path);
    if (!info) co_return info.error();
    file_size_ = *info ? (*info)->size : 0;
    if (*info) {
        const auto fd = co_await open_file(io_, {.path = request_.path, .flags = Op::read_only | Op::direct});
        if (!fd) co_return fd.error();
        fd_ = *fd;
    }
    const bool is_much = request_.until - request_.from >= ahead_least && request_.percent >= 100;
    if (fd_ >= 0 && is_much) ahead_.emplace(io_, fd_, std::min(file_size_, align_up(request_.until)));
    const auto walked = co_await walk();
    if (ahead_) co_await ahead_->drain();
    if (fd_ >= 0) co_await close_file(io_, fd_);
    if (!walked) co_return walked.error();
    if (open_) close_damage(request_.until, request_.limit);
    co_return std::move(report_);
}

Task<Result<>> SegmentCheck::walk() {
    for (uint64_t at = request_.from; at < request_.until;) {
        const auto sound = co_await is_sound_at(at);
        if (!sound) co_return sound.error();
        if (*sound) {
            accept(at);
            at += batch_.size;
            continue;
        }
        damage_at(at);
        const auto next = co_await next_place(at);
        if (!next) co_return next.error();
        at = *next;
    }
    co_return Result<>{};
}

void SegmentCheck::accept(uint64_t at) {
    if (open_) close_damage(at, batch_.base);
    if (request_.on_batch) request_.on_batch(batch_, at);
    expected_ = report_.next = batch_.next();
    report_.sound_end = at + batch_.size;
}

void SegmentCheck::damage_at(uint64_t at) {
    if (open_) return;
    DamageCause cause = DamageCause::checksum;
    if (at + batch_header_size > file_size_) cause = DamageCause::missing;
    if (has_bad(at, at + batch_header_size)) cause = DamageCause::unreadable;
    open_ = DamagedRange{.first = expected_,
                         .next = expected_,
                         .segment = request_.segment,
                         .position = at,
                         .cause = cause,
                         .found_ms = io_.wall_ms()};
}

void SegmentCheck::close_damage(uint64_t at, Offset next) {
    if (has_bad(open_->position, at)) open_->cause = DamageCause::unreadable;
    open_->length = at - open_->position;
    open_->next = std::max(open_->first, next);
    report_.damaged.push_back(*open_);
    open_.reset();
}

bool SegmentCheck::is_plausible(uint64_t at, const BatchHeader& batch) const {
    return at + batch.size <= request_.until && at + batch.size <= file_size_ && follows(batch);
}

bool SegmentCheck::follows(const BatchHeader& batch) const {
    if (batch.base < expected_ || batch.last_delta < 0 || batch.next() > request_.limit) return false;
    if (batch.base - request_.segment > INT32_MAX) return false;
    const Epoch epoch = request_.epochs ? request_.epochs->at(batch.base) : Epoch{-1};
    if (epoch.value >= 0 && batch.leader_epoch != epoch) return false;
    if (open_ || request_.order == Order::rising || batch.base == expected_) return true;
    const DamagedRange* gap = request_.known ? request_.known->find(expected_) : nullptr;
    return gap && gap->next == batch.base;
}

Task<Result<bool>> SegmentCheck::is_sound_at(uint64_t at) {
    if (at + batch_header_size > request_.until) co_return false;
    auto seen = co_await view(at, batch_header_size);
    if (!seen) co_return seen.error();
    const auto batch = BatchHeader::parse(bytes_at(at));
    if (!batch || !is_plausible(at, *batch)) co_return false;
    seen = co_await view(at, batch->size);
    if (!seen) co_return seen.error();
    if (has_bad(at, at + batch->size)) co_return false;
    if (crc32c({bytes_at(at) + crc_begin, batch->size - crc_begin}) != batch->crc) co_return false;
    batch_ = *batch;
    co_return true;
}

// Behind damage: where the broken batch says that it ends, if a sound one begins there; else the next byte
// that may begin one.
Task<Result<uint64_t>> SegmentCheck::next_place(uint64_t at) {
    if (at + batch_header_size > request_.until) co_return request_.until;
    auto seen = co_await view(at, batch_header_size);
    if (!seen) co_return seen.error();
    const auto broken = BatchHeader::parse(bytes_at(at));
    if (broken && at + broken->size < request_.until) {
        const auto sound = co_await is_sound_at(at + broken->size);
        if (!sound) co_return sound.error();
        if (*sound) co_return at + broken->size;
    }
    if (broken && at + broken->size == request_.until && at == open_->position) co_return request_.until;
    for (at++; at + batch_header_size <= request_.until; at++) {
        if (at < window_at_ || at + batch_header_size > window_at_ + window_.size()) {
            seen = co_await view(at, batch_header_size);
            if (!seen) co_return seen.error();
        }
        if (bytes_at(at)[magic_at] != magic_2) continue;
        const auto batch = BatchHeader::parse(bytes_at(at));
        if (batch && is_plausible(at, *batch)) co_return at;
    }
    co_return request_.until;
}

// The bytes are in the window, which goes on from where it was; what is behind the file's end is zero.
Task<Result<>> SegmentCheck::view(uint64_t at, size_t size) {
    if (at >= window_at_ && at + size <= window_at_ + window_.size()) co_return Result<>{};
    const uint64_t begin = align_down(at), known_end = window_at_ + window_.size();
    const uint64_t kept = begin >= window_at_ && begin < known_end ? known_end - begin : 0;
    std::copy_n(window_.end() - static_cast<ptrdiff_t>(kept), kept, window_.begin());
    window_at_ = begin;
    const uint64_t end = std::max(at + size, std::min(begin + window_size, request_.until));
    window_.resize(align_up(end) - begin);
    std::erase_if(bad_, [&](uint64_t page) { return page < begin || page >= begin + kept; });
    const uint64_t began_ns = io_.now_ns();
    auto result = co_await read(MutableBytes{window_}.subspan(kept), begin + kept);
    if (!result) co_return result;
    co_return co_await pace(io_.now_ns() - began_ns);
}

Task<Result<>> SegmentCheck::read(MutableBytes to, uint64_t at) {
    if (fd_ < 0 || at >= file_size_) co_return std::ranges::fill(to, uint8_t{0}), Result<>{};
    Result<> result;
    if (ahead_) {
        const auto copied = co_await ahead_->copy(at, to);
        if (copied) std::fill(to.begin() + static_cast<ptrdiff_t>(*copied), to.end(), uint8_t{0});
        if (!copied) result = copied.error();
    } else {
        result = co_await direct_read(io_, fd_, at, to);
    }
    if (!result) co_return co_await read_pages(to, at);
    pages_read_++;
    co_return Result<>{};
}

// Rests so long after a read that reading takes its share of the time; a stop waits for one step at most.
Task<Result<>> SegmentCheck::pace(uint64_t read_ns) {
    constexpr uint64_t step_ns = 100'000'000;
    if (request_.percent >= 100) co_return Result<>{};
    const uint64_t rest_ns = read_ns * (100 - request_.percent) / std::max(request_.percent, 1u);
    const uint64_t until_ns = io_.now_ns() + rest_ns;
    const auto must_stop = [&] { return request_.should_stop && request_.should_stop(); };
    while (io_.now_ns() < until_ns && !must_stop())
        co_await sleep_for(io_, std::min(step_ns, until_ns - io_.now_ns()));
    co_return must_stop() ? Error::request_timed_out : Result<>{};
}

// Page by page, so that only what the device refuses is missing.
Task<Result<>> SegmentCheck::read_pages(MutableBytes to, uint64_t at) {
    constexpr int tries_max = 3;
    std::ranges::fill(to, uint8_t{0});
    for (size_t done = 0; done < to.size() && at + done < file_size_; done += block_size) {
        const MutableBytes page = to.subspan(done, block_size);
        auto read = co_await direct_read(io_, fd_, at + done, page);
        for (int tries = 1; !read && tries < tries_max; tries++)
            read = co_await direct_read(io_, fd_, at + done, page);
        if (read)
            pages_read_++;
        else
            bad_.push_back(at + done);
    }
    // A device that gives nothing at all is failing; that is not damage of these bytes.
    if (pages_read_ == 0) co_return Error::kafka_storage_error;
    co_return Result<>{};
}

bool SegmentCheck::has_bad(uint64_t from, uint64_t to) const {
    return std::any_of(bad_.begin(), bad_.end(),
                       [&](uint64_t page) { return page < to && page + block_size > from; });
}

}  // namespace

Task<Result<CheckReport>> check_segment(Io& io, CheckRequest request) {
    SegmentCheck check{io, std::move(request)};
    co_return co_await check.run();
}

Task<Result<std::optional<SegmentSums>>> read_sums(Io& io, std::string path) {
    const auto bytes = co_await read_file(io, std::move(path));
    if (!bytes && bytes.error() != Error::resource_not_found) co_return bytes.error();
    co_return bytes ? SegmentSums::from_bytes(*bytes) : std::nullopt;
}

Task<Result<std::vector<uint64_t>>> wrong_blocks(Io& io, SumRequest request) {
    const SegmentSums& sums = *request.sums;
    ASSERT(request.position % check_step == 0 && request.position < sums.size);
    std::vector<uint64_t> wrong;
    const auto fd = co_await open_file(io, {.path = request.path, .flags = Op::read_only | Op::direct});
    if (!fd && fd.error() != Error::resource_not_found) co_return fd.error();
    std::vector<uint8_t> bytes(std::min(check_step, sums.size - request.position));
    Result<> read;
    if (fd) read = co_await direct_read(io, *fd, request.position, bytes);
    const bool all_wrong = !fd || !read;
    for (size_t at = 0; at < bytes.size(); at += sum_block) {
        const MutableBytes block =
            MutableBytes{bytes}.subspan(at, std::min<size_t>(sum_block, bytes.size() - at));
        bool is_read = !all_wrong;
        if (!read) {  // Only what the device refuses is wrong.
            const auto again = co_await direct_read(io, *fd, request.position + at, block);
            is_read = again.ok();
        }
        const size_t number = (request.position + at) / sum_block;
        if (!is_read || !sums.matches(number, block)) wrong.push_back(request.position + at);
    }
    if (fd) co_await close_file(io, *fd);
    co_return wrong;
}

}  // namespace millrace
