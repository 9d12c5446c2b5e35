// Sums of sealed segments: taking them, and their file.
#include "sums.h"

#include <cstring>

namespace millrace {

namespace {

constexpr uint64_t sums_magic = 0x736d75736d676573;  // "segmsums"

struct Header {
    uint64_t magic = sums_magic;
    uint32_t format = 1;
    uint32_t block = sum_block;
    int64_t base = 0, next = 0;
    uint64_t size = 0;
    int64_t max_timestamp = -1;
    uint64_t index_size = 0, index_hash = 0, timeindex_size = 0, timeindex_hash = 0;
    uint64_t reserved = 0;
    uint64_t blocks_hash = 0;
    uint64_t hash = 0;  // Of all before it.
    uint64_t padding = 0;
};
static_assert(sizeof(Header) == SegmentSums::header_size);

Bytes bytes_of(const std::vector<uint64_t>& words) {
    return {reinterpret_cast<const uint8_t*>(words.data()), words.size() * sizeof(uint64_t)};
}

uint64_t hash_of(const Header& header) {
    return hash64({reinterpret_cast<const uint8_t*>(&header), offsetof(Header, hash)});
}

size_t block_count(uint64_t size) { return (size + sum_block - 1) / sum_block; }

std::optional<Header> parse(Bytes bytes) {
    Header header;
    if (bytes.size() < sizeof header) return {};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != sums_magic || header.format != 1 || header.block != sum_block) return {};
    if (header.hash != hash_of(header) || header.padding != 0) return {};
    return header;
}

SegmentSums from_header(const Header& header) {
    return {.base = Offset{header.base},
            .next = Offset{header.next},
            .size = header.size,
            .max_timestamp = header.max_timestamp,
            .index = {header.index_size, header.index_hash},
            .timeindex = {header.timeindex_size, header.timeindex_hash},
            .blocks = {}};
}

}  // namespace

uint64_t PagedHash::finish() const {
    return hash64({reinterpret_cast<const uint8_t*>(pages_.data()), count_ * sizeof(uint64_t)});
}

uint64_t PagedHash::of(uint64_t position, Bytes bytes) {
    PagedHash hash;
    while (!bytes.empty()) {
        const Bytes page = first_page(position, bytes);
        hash.add(hash64(page));
        bytes = bytes.subspan(page.size()), position += page.size();
    }
    return hash.finish();
}

bool SegmentSums::matches(size_t block, Bytes bytes) const {
    return block < blocks.size() && block_sum(bytes) == blocks[block];
}

std::vector<uint8_t> SegmentSums::to_bytes() const {
    ASSERT(blocks.size() == block_count(size));
    Header header{.base = base.value,
                  .next = next.value,
                  .size = size,
                  .max_timestamp = max_timestamp,
                  .index_size = index.size,
                  .index_hash = index.hash,
                  .timeindex_size = timeindex.size,
                  .timeindex_hash = timeindex.hash,
                  .blocks_hash = hash64(bytes_of(blocks))};
    header.hash = hash_of(header);
    std::vector<uint8_t> bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    const Bytes sums = bytes_of(blocks);
    bytes.insert(bytes.end(), sums.begin(), sums.end());
    return bytes;
}

std::optional<SegmentSums> SegmentSums::header_from(Bytes bytes) {
    const auto header = parse(bytes);
    return header ? std::optional{from_header(*header)} : std::nullopt;
}

std::optional<SegmentSums> SegmentSums::from_bytes(Bytes bytes) {
    const auto header = parse(bytes);
    if (!header) return {};
    const Bytes sums = bytes.subspan(sizeof(Header));
    if (sums.size() / sizeof(uint64_t) != block_count(header->size) || sums.size() % sizeof(uint64_t) != 0)
        return {};
    if (hash64(sums) != header->blocks_hash) return {};
    SegmentSums result = from_header(*header);
    result.blocks.resize(block_count(header->size));
    if (!sums.empty()) std::memcpy(result.blocks.data(), sums.data(), sums.size());
    return result;
}

void SumBuilder::add_page(uint64_t position, uint64_t hash) {
    ASSERT(position == at_);
    at_ += block_size;
    pages_.push_back(hash);
    if (at_ % sum_block != 0) return;
    sums_.push_back(hash64(bytes_of(pages_)));
    pages_.clear();
}

void SumBuilder::give_up() {
    at_ = UINT64_MAX;
    sums_ = {}, pages_ = {};
}

std::optional<std::vector<uint64_t>> SumBuilder::finish(uint64_t size, Bytes rest) {
    if (at_ != align_down(size) || rest.size() != size - at_) return {};
    if (!rest.empty()) pages_.push_back(hash64(rest));
    if (!pages_.empty()) sums_.push_back(hash64(bytes_of(pages_)));
    pages_.clear();
    at_ = UINT64_MAX;
    return std::move(sums_);
}

}  // namespace millrace
