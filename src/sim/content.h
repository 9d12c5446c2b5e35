// The bytes of one simulated file: what a process reads, and what the medium holds where that differs.
//
// Invariants: a sector that is neither dirty nor a phantom is the same in both; bytes beyond size are zero.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "millrace/base.h"
#include "random.h"

namespace millrace::sim {

enum class Durable : uint8_t { no, yes };

class Content {
 public:
    static constexpr uint64_t page_size = 4096, sector_size = 512;

    uint64_t size() const { return size_; }
    uint64_t allocated_pages() const { return allocated_; }
    // How many pages a write or an allocation there would add.
    uint64_t pages_missing(uint64_t offset, uint64_t length) const;

    void read(uint64_t offset, MutableBytes into) const;  // All within size().
    void write(uint64_t offset, Bytes bytes, Durable durable);
    void allocate(uint64_t offset, uint64_t length);  // Grows the file to there.
    void truncate(uint64_t size);
    void sync();
    // Some of the dirty sectors become phantoms: read back well, never to reach the medium unless written
    // again.
    void fail_sync(Random& random);
    // What was not synced is kept or lost, sector by sector.
    void power_cut(Random& random);
    void flip(uint64_t offset, uint8_t mask);
    bool is_synced() const { return unsynced_.empty() && size_ == durable_size_; }

 private:
    using PageBytes = std::array<uint8_t, page_size>;
    struct Page {
        std::unique_ptr<PageBytes> bytes;   // Null: zeros.
        std::unique_ptr<PageBytes> medium;  // Valid in dirty and phantom sectors. Null: zeros.
        uint8_t dirty = 0;                  // One bit per sector.
        uint8_t phantom = 0;
        bool allocated = false;
    };
    Page& allocate_page(uint64_t number);
    void write_page(uint64_t number, uint64_t begin, Bytes bytes, Durable durable);
    void remember_medium(Page& page, uint8_t sectors);
    void drop_page(uint64_t number);
    void clear_tail(uint64_t size);
    void lose(Page& page, uint8_t sectors);

    std::map<uint64_t, Page> pages_;
    std::set<uint64_t> unsynced_;  // Pages with a dirty or phantom sector.
    uint64_t size_ = 0, durable_size_ = 0;
    uint64_t allocated_ = 0;
};

}  // namespace millrace::sim
