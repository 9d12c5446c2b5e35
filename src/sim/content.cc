// Pages of a file, and per sector whether the medium has what a process reads.
#include "content.h"

namespace millrace::sim {

namespace {

// The sectors that [begin, end) of a page touches, one bit each.
uint8_t sectors_of(uint64_t begin, uint64_t end) {
    ASSERT(begin < end && end <= Content::page_size);
    const uint64_t first = begin / Content::sector_size, last = (end - 1) / Content::sector_size;
    return static_cast<uint8_t>(((2u << last) - 1) & ~((1u << first) - 1));
}

void copy_sector(uint64_t sector, const uint8_t* from, uint8_t* to) {
    const uint64_t at = sector * Content::sector_size;
    if (from) std::memcpy(to + at, from + at, Content::sector_size);
    if (!from) std::memset(to + at, 0, Content::sector_size);
}

}  // namespace

uint64_t Content::pages_missing(uint64_t offset, uint64_t length) const {
    if (length == 0) return 0;
    const uint64_t first = offset / page_size, last = (offset + length - 1) / page_size;
    uint64_t missing = last - first + 1;
    for (auto it = pages_.lower_bound(first); it != pages_.end() && it->first <= last; ++it)
        missing -= it->second.allocated;
    return missing;
}

void Content::read(uint64_t offset, MutableBytes into) const {
    ASSERT(offset + into.size() <= size_);
    if (into.empty()) return;
    std::memset(into.data(), 0, into.size());
    const uint64_t end = offset + into.size();
    for (auto it = pages_.lower_bound(offset / page_size); it != pages_.end(); ++it) {
        const uint64_t page_begin = it->first * page_size;
        if (page_begin >= end) break;
        if (!it->second.bytes) continue;
        const uint64_t from = std::max(offset, page_begin), to = std::min(end, page_begin + page_size);
        std::memcpy(into.data() + (from - offset), it->second.bytes->data() + (from - page_begin), to - from);
    }
}

void Content::write(uint64_t offset, Bytes bytes, Durable durable) {
    const uint64_t end = offset + bytes.size();
    for (uint64_t at = offset; at < end;) {
        const uint64_t begin = at % page_size, length = std::min(page_size - begin, end - at);
        write_page(at / page_size, begin, bytes.subspan(at - offset, length), durable);
        at += length;
    }
    size_ = std::max(size_, end);
    if (durable == Durable::yes) durable_size_ = size_;
}

void Content::allocate(uint64_t offset, uint64_t length) {
    ASSERT(length > 0);
    for (uint64_t page = offset / page_size; page <= (offset + length - 1) / page_size; page++)
        allocate_page(page);
    size_ = std::max(size_, offset + length);
}

void Content::truncate(uint64_t size) {
    if (size < size_) clear_tail(size);
    size_ = size;
}

void Content::sync() {
    for (auto it = unsynced_.begin(); it != unsynced_.end();) {
        Page& page = pages_.at(*it);
        page.dirty = 0;
        if (page.phantom) {
            ++it;
            continue;
        }
        page.medium.reset();
        if (!page.allocated) pages_.erase(*it);
        it = unsynced_.erase(it);
    }
    durable_size_ = size_;
}

void Content::fail_sync(Random& random) {
    for (const uint64_t number : unsynced_) {
        Page& page = pages_.at(number);
        const auto failed = static_cast<uint8_t>(page.dirty & random.next());
        page.dirty &= ~failed;
        page.phantom |= failed;
    }
}

void Content::power_cut(Random& random) {
    // Devices differ: nothing, all, or any part of the cache may have been written back.
    const uint64_t mood = random.below(4);
    for (const uint64_t number : unsynced_) {
        Page& page = pages_.at(number);
        const uint64_t dice = mood == 0 ? UINT64_MAX : mood == 1 ? 0 : random.next();
        lose(page, static_cast<uint8_t>((page.dirty & dice) | page.phantom));
        page.dirty = page.phantom = 0;
        page.medium.reset();
    }
    const uint64_t less = std::min(size_, durable_size_), more = std::max(size_, durable_size_);
    const uint64_t sizes[] = {durable_size_, size_, less + random.below(more - less + 1), durable_size_};
    const uint64_t size = sizes[mood];
    clear_tail(size);
    size_ = size;
    sync();
    ASSERT(is_synced());
}

void Content::flip(uint64_t offset, uint8_t mask) {
    ASSERT(offset < size_);
    Page& page = pages_[offset / page_size];
    if (!page.allocated) page.allocated = true, allocated_++;
    if (!page.bytes) page.bytes = std::make_unique<PageBytes>();
    (*page.bytes)[offset % page_size] ^= mask;
    if (page.medium) (*page.medium)[offset % page_size] ^= mask;
}

Content::Page& Content::allocate_page(uint64_t number) {
    Page& page = pages_[number];
    if (!page.allocated) page.allocated = true, allocated_++;
    return page;
}

void Content::write_page(uint64_t number, uint64_t begin, Bytes bytes, Durable durable) {
    Page& page = allocate_page(number);
    const uint8_t sectors = sectors_of(begin, begin + bytes.size());
    if (durable == Durable::no) remember_medium(page, sectors);
    if (!page.bytes) page.bytes = std::make_unique<PageBytes>();
    std::memcpy(page.bytes->data() + begin, bytes.data(), bytes.size());
    page.phantom &= ~sectors;
    if (durable == Durable::no) page.dirty |= sectors;
    if (durable == Durable::yes) page.dirty &= ~sectors;
    if (page.dirty | page.phantom) unsynced_.insert(number);
    if (!(page.dirty | page.phantom)) unsynced_.erase(number), page.medium.reset();
}

void Content::remember_medium(Page& page, uint8_t sectors) {
    const uint8_t fresh = sectors & ~(page.dirty | page.phantom);
    if (!page.medium) page.medium = std::make_unique<PageBytes>();
    for (uint64_t sector = 0; sector < 8; sector++)
        if (fresh >> sector & 1)
            copy_sector(sector, page.bytes ? page.bytes->data() : nullptr, page.medium->data());
}

// Cuts the bytes from `size` on; the medium still has them.
void Content::clear_tail(uint64_t size) {
    if (const uint64_t begin = size % page_size; begin != 0 && pages_.contains(size / page_size)) {
        const PageBytes zeros{};
        write_page(size / page_size, begin, Bytes(zeros).subspan(begin), Durable::no);
    }
    std::vector<uint64_t> beyond;
    for (auto it = pages_.lower_bound((size + page_size - 1) / page_size); it != pages_.end(); ++it)
        beyond.push_back(it->first);
    for (const uint64_t number : beyond) drop_page(number);
}

void Content::drop_page(uint64_t number) {
    Page& page = pages_.at(number);
    if (page.allocated) allocated_--;
    page.allocated = false;
    if (!page.bytes && !page.medium) {
        unsynced_.erase(number);
        pages_.erase(number);
        return;
    }
    remember_medium(page, 0xff);
    page.bytes.reset();
    page.dirty = 0xff;
    page.phantom = 0;
    unsynced_.insert(number);
}

void Content::lose(Page& page, uint8_t sectors) {
    if (sectors == 0) return;
    if (!page.allocated) page.allocated = true, allocated_++;
    if (!page.bytes) page.bytes = std::make_unique<PageBytes>();
    for (uint64_t sector = 0; sector < 8; sector++)
        if (sectors >> sector & 1)
            copy_sector(sector, page.medium ? page.medium->data() : nullptr, page.bytes->data());
}

}  // namespace millrace::sim
