// Directories and files of a simulated disk, and which of their changes are durable. No faults, no time.
//
// A directory's change is durable once that directory was synced; a power cut keeps a prefix of the others.
// Functions return what the system call would: a count, or a negative errno.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "content.h"
#include "millrace/base.h"
#include "millrace/io.h"

namespace millrace::sim {

using InodeNumber = int32_t;  // Positive; never reused.

class FileSystem {
 public:
    explicit FileSystem(uint64_t capacity_bytes);

    // -> an inode number, held until release. Flags are Op::Open's.
    int32_t open(std::string_view path, uint32_t flags);
    void release(InodeNumber number);
    int32_t read(InodeNumber number, uint64_t offset, MutableBytes into) const;
    // Writes what there is room for.
    int32_t write(InodeNumber number, uint64_t offset, Bytes bytes, Durable durable);
    int32_t sync(InodeNumber number);
    int32_t allocate(InodeNumber number, uint64_t offset, uint64_t length);
    int32_t truncate(InodeNumber number, uint64_t size);

    int32_t rename(std::string_view path, std::string_view target);
    int32_t remove(std::string_view path);
    int32_t make_directory(std::string_view path);
    int32_t list(std::string_view path, std::vector<std::string>& names) const;
    int32_t stat(std::string_view path, FileInfo& info) const;
    int32_t sync_directory(std::string_view path);

    // 0 when there is none.
    InodeNumber find(std::string_view path) const;
    bool is_directory(InodeNumber number) const { return inodes_.at(number).is_directory; }
    Content& content(InodeNumber number) { return inodes_.at(number).content; }
    const Content& content(InodeNumber number) const { return inodes_.at(number).content; }
    uint64_t used_bytes() const { return used_pages_ * Content::page_size; }
    uint64_t capacity_bytes() const { return capacity_bytes_; }
    void set_capacity(uint64_t bytes) { capacity_bytes_ = bytes; }

    void sync_all();
    // Nobody holds an inode any more.
    void power_cut(Random& random);

 private:
    static constexpr InodeNumber root = 1;
    using Entries = std::map<std::string, InodeNumber, std::less<>>;
    struct Inode {
        bool is_directory = false;
        bool linked = false;   // It has a name now.
        uint32_t holders = 0;  // Open descriptors.
        Content content;
        Entries entries, durable_entries;
    };
    // One entry of one directory set to an inode, or taken away (0).
    struct Edit {
        InodeNumber directory;
        std::string name;
        InodeNumber number;
    };
    using Change = std::vector<Edit>;  // All of it or nothing: a rename has two edits.
    struct Place {
        InodeNumber parent = 0;  // 0: there is no such directory.
        std::string name;        // Empty: the root.
        InodeNumber number = 0;  // 0: no such entry.
        int32_t error = 0;
    };

    Place locate(std::string_view path) const;
    InodeNumber create(const Place& place, bool is_directory);
    void change(Change change);
    void make_durable(const Change& change);
    void unlink(InodeNumber number);
    void settle_gone(Inode& inode);
    bool contains(InodeNumber directory, InodeNumber inside) const;
    int32_t refuse_replacing(const Place& from, const Place& to) const;
    uint64_t pages_free() const;
    void count(uint64_t before, const Content& content) { used_pages_ += content.allocated_pages() - before; }
    void collect();
    void mark(InodeNumber number, std::set<InodeNumber>& alive) const;

    std::map<InodeNumber, Inode> inodes_;
    std::vector<Change> unsynced_;
    InodeNumber last_number_ = root;
    uint64_t capacity_bytes_;
    uint64_t used_pages_ = 0;  // Of inodes that are linked or held.
    bool has_garbage_ = false;
};

}  // namespace millrace::sim
