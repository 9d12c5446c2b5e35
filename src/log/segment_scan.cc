// Stepping through a segment.
#include "segment_scan.h"

namespace millrace {

namespace {

constexpr size_t magic_at = 16, records_at = 57;

}  // namespace

Task<Result<SegmentScan::Step>> SegmentScan::next() {
    if (position_ >= range_.end) co_return Step{.position = position_};
    auto found = co_await batch_at(position_);
    if (!found) co_return found.error();
    Result<bool> lies = false;
    if (*found && (*found)->batch.base > expected_) lies = co_await contradicts_next(**found);
    if (!lies) co_return lies.error();
    if (*lies) {
        Step damage{.kind = Kind::damage, .position = position_, .size = (*found)->size, .first = expected_};
        position_ += damage.size;
        const auto behind = co_await batch_at(position_);
        if (!behind) co_return behind.error();
        if (*behind) damage.next = (*behind)->batch.base;
        co_return damage;
    }
    if (*found) {
        position_ += (*found)->size;
        expected_ = (*found)->batch.next();
        co_return **found;
    }
    const auto sound = co_await next_sound(position_);
    if (!sound) co_return sound.error();
    Step damage{.kind = Kind::damage, .position = position_, .size = *sound - position_, .first = expected_};
    if (*sound < range_.end) {
        const auto behind = co_await batch_at(*sound);
        if (!behind) co_return behind.error();
        if (*behind) damage.next = (*behind)->batch.base;
    }
    position_ = *sound;
    co_return damage;
}

Task<Result<std::optional<SegmentScan::Step>>> SegmentScan::batch_at(uint64_t position) {
    using Found = std::optional<Step>;
    std::array<uint8_t, batch_header_size> bytes;
    if (position + bytes.size() > range_.end) co_return Found{};
    const auto copied = co_await reader_.copy(position, bytes);
    if (!copied) co_return copied.error();
    if (*copied < bytes.size()) co_return Found{};
    const auto batch = BatchHeader::parse(bytes.data());
    if (!batch || batch->base < expected_ || batch->next() > range_.limit) co_return Found{};
    if (batch->size > range_.end - position) co_return Found{};
    const auto sound = co_await crc_matches(position, *batch);
    if (!sound) co_return sound.error();
    if (!*sound) co_return Found{};
    co_return Found{Step{.kind = Kind::batch,
                         .position = position,
                         .size = batch->size,
                         .batch = *batch,
                         .records = load_big<uint32_t>(bytes.data() + records_at)}};
}

// A base offset stands outside of the CRC: where offsets leap, and the next batch has lower ones, it is
// wrong.
Task<Result<bool>> SegmentScan::contradicts_next(Step step) {
    std::array<uint8_t, batch_header_size> bytes{};
    const uint64_t behind = step.position + step.size;
    if (behind + bytes.size() > range_.end) co_return false;
    const auto copied = co_await reader_.copy(behind, bytes);
    if (!copied) co_return copied.error();
    const auto next = *copied == bytes.size() ? BatchHeader::parse(bytes.data()) : std::nullopt;
    if (!next || next->base >= step.batch.next() || next->base < expected_) co_return false;
    if (next->size > range_.end - behind) co_return false;
    co_return co_await crc_matches(behind, *next);
}

Task<Result<bool>> SegmentScan::crc_matches(uint64_t position, BatchHeader batch) {
    constexpr uint64_t crc_from = 21;
    const uint64_t end = position + batch.size;
    uint32_t crc = 0;
    for (uint64_t at = position + crc_from; at < end;) {
        auto bytes = reader_.ready(at);
        if (!bytes) {
            const auto loaded = co_await reader_.at(at);
            if (!loaded) co_return loaded.error();
            bytes = *loaded;
        }
        if (bytes->empty()) co_return false;
        const size_t taken = std::min<uint64_t>(bytes->size(), end - at);
        crc = crc32c(bytes->first(taken), crc);
        at += taken;
    }
    co_return crc == batch.crc;
}

// Where the damage that begins at `from` ends: at the next sound batch, or at the end. Most often only bytes
// within a batch are wrong, and the next one is where its length says.
Task<Result<uint64_t>> SegmentScan::next_sound(uint64_t from) {
    std::array<uint8_t, batch_header_size> bytes{};
    const auto copied = co_await reader_.copy(from, bytes);
    if (!copied) co_return copied.error();
    const auto header = *copied == bytes.size() ? BatchHeader::parse(bytes.data()) : std::nullopt;
    if (header && header->size <= range_.end - from) {
        const uint64_t behind = from + header->size;
        if (behind == range_.end) co_return behind;
        const auto follows = co_await batch_at(behind);
        if (!follows) co_return follows.error();
        if (*follows) co_return behind;
    }
    for (uint64_t at = from + 1; at < range_.end; at++) {
        const auto candidate = co_await next_candidate(at);
        if (!candidate) co_return candidate.error();
        at = *candidate;
        if (at >= range_.end) break;
        const auto found = co_await batch_at(at);
        if (!found) co_return found.error();
        if (*found) co_return at;
    }
    co_return range_.end;
}

// The next place with a batch's magic where it belongs, and a base offset that is not absurd.
Task<Result<uint64_t>> SegmentScan::next_candidate(uint64_t from) {
    for (uint64_t at = from; at + batch_header_size <= range_.end;) {
        const auto bytes = co_await reader_.at(at + magic_at);
        if (!bytes) co_return bytes.error();
        if (bytes->empty()) break;
        const auto found = std::find(bytes->begin(), bytes->end(), uint8_t{2});
        at += static_cast<uint64_t>(found - bytes->begin());
        if (found != bytes->end()) co_return at;
    }
    co_return range_.end;
}

}  // namespace millrace
