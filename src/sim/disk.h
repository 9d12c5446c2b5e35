// One node's disk: a file system with latencies and faults, each from its own stream of the seed.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "file_system.h"
#include "millrace/sim.h"
#include "random.h"

namespace millrace::sim {

class Disk final : public SimDisk {
 public:
    Disk(const DiskOptions& options, uint64_t seed);

    FileSystem& files();
    uint64_t delay_ns(Op::Kind kind);
    void count_change() { changes_++; }

    // As FileSystem's, with faults.
    int32_t read(InodeNumber number, uint64_t offset, MutableBytes into);
    int32_t write(InodeNumber number, uint64_t offset, Bytes bytes, Durable durable);
    int32_t sync(InodeNumber number);
    int32_t allocate(InodeNumber number, uint64_t offset, uint64_t length);
    // A write that was under way when the node crashed.
    void crash_write(InodeNumber number, uint64_t offset, Bytes bytes, Durable durable, Crash how);
    // Whether another change under way then took place.
    bool crash_coin() { return crashes_.below(2) == 0; }
    void power_cut() { files_.power_cut(crashes_); }

    DiskOptions& options() override { return options_; }
    bool exists(std::string_view path) const override { return files_.find(path) != 0; }
    std::vector<std::string> names(std::string_view directory) const override;
    std::vector<uint8_t> contents(std::string_view path) const override;
    void put(std::string_view path, Bytes bytes) override;
    void flip(std::string_view path, uint64_t offset, uint8_t mask) override;
    void break_page(std::string_view path, uint64_t offset) override {
        met_.broken_pages++;
        broken_.insert({files_.find(path), offset / Content::page_size});
    }
    uint64_t used_bytes() const override { return files_.used_bytes(); }
    uint64_t changes() const override { return changes_; }
    const DiskFaults& faults() const override { return met_; }
    void sync_all() override { files_.sync_all(); }

 private:
    void make_directories_above(std::string_view path);
    // How many bytes of it are there.
    size_t write_some_sectors(InodeNumber number, uint64_t offset, Bytes bytes);
    int32_t note_full(int32_t outcome, uint64_t wanted);
    // The broken pages of that stretch.
    auto broken_in(InodeNumber number, uint64_t offset, uint64_t size) const {
        const uint64_t last = (offset + std::max<uint64_t>(size, 1) - 1) / Content::page_size;
        return std::pair{broken_.lower_bound({number, offset / Content::page_size}),
                         broken_.upper_bound({number, last})};
    }

    DiskOptions options_;
    FileSystem files_;
    Random delays_, faults_, crashes_;
    DiskFaults met_;
    std::set<std::pair<InodeNumber, uint64_t>> broken_;  // Pages.
    uint64_t changes_ = 0;
};

}  // namespace millrace::sim
