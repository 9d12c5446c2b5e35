// Names and files; a change of a directory waits in a list until the directory is synced.
#include "file_system.h"

#include <cerrno>

namespace millrace::sim {

namespace {

constexpr size_t name_max = 255;

// The next component of a path, taken off its front; empty at the end.
std::string_view take_component(std::string_view& path) {
    while (true) {
        const size_t start = path.find_first_not_of('/');
        if (start == std::string_view::npos) return path = {};
        const size_t end = std::min(path.find('/', start), path.size());
        const auto name = path.substr(start, end - start);
        path.remove_prefix(end);
        if (name != ".") return name;
    }
}

}  // namespace

FileSystem::FileSystem(uint64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {
    inodes_[root].is_directory = true;
    inodes_[root].linked = true;
}

// ---- Files --------------------------------------------------------------------------------------------

int32_t FileSystem::open(std::string_view path, uint32_t flags) {
    const Place place = locate(path);
    if (place.error) return place.error;
    InodeNumber number = place.number;
    if (number && (flags & Op::create) && (flags & Op::exclusive)) return -EEXIST;
    if (number && is_directory(number) && (flags & (Op::read_write | Op::create))) return -EISDIR;
    if (!number && !(flags & Op::create)) return -ENOENT;
    if (!number) number = create(place, false);
    inodes_.at(number).holders++;
    return number;
}

void FileSystem::release(InodeNumber number) {
    Inode& inode = inodes_.at(number);
    ASSERT(inode.holders > 0);
    inode.holders--;
    settle_gone(inode);
    collect();
}

int32_t FileSystem::read(InodeNumber number, uint64_t offset, MutableBytes into) const {
    const Inode& inode = inodes_.at(number);
    if (inode.is_directory) return -EISDIR;
    if (offset >= inode.content.size()) return 0;
    const size_t length = std::min<uint64_t>(into.size(), inode.content.size() - offset);
    inode.content.read(offset, into.first(length));
    return static_cast<int32_t>(length);
}

int32_t FileSystem::write(InodeNumber number, uint64_t offset, Bytes bytes, Durable durable) {
    Inode& inode = inodes_.at(number);
    if (inode.is_directory) return -EISDIR;
    while (!bytes.empty() && inode.content.pages_missing(offset, bytes.size()) > pages_free()) {
        const uint64_t tail = (offset + bytes.size() - 1) % Content::page_size + 1;
        bytes = bytes.first(bytes.size() - std::min<uint64_t>(tail, bytes.size()));
        if (bytes.empty()) return -ENOSPC;
    }
    const uint64_t before = inode.content.allocated_pages();
    inode.content.write(offset, bytes, durable);
    count(before, inode.content);
    return static_cast<int32_t>(bytes.size());
}

int32_t FileSystem::sync(InodeNumber number) {
    inodes_.at(number).content.sync();
    return 0;
}

int32_t FileSystem::allocate(InodeNumber number, uint64_t offset, uint64_t length) {
    Inode& inode = inodes_.at(number);
    if (inode.is_directory) return -EISDIR;
    if (length == 0) return -EINVAL;
    if (inode.content.pages_missing(offset, length) > pages_free()) return -ENOSPC;
    const uint64_t before = inode.content.allocated_pages();
    inode.content.allocate(offset, length);
    count(before, inode.content);
    return 0;
}

int32_t FileSystem::truncate(InodeNumber number, uint64_t size) {
    Inode& inode = inodes_.at(number);
    if (inode.is_directory) return -EINVAL;
    const uint64_t before = inode.content.allocated_pages();
    inode.content.truncate(size);
    count(before, inode.content);
    return 0;
}

// ---- Directories --------------------------------------------------------------------------------------

int32_t FileSystem::rename(std::string_view path, std::string_view target) {
    const Place from = locate(path), to = locate(target);
    if (from.error) return from.error;
    if (to.error) return to.error;
    if (!from.number) return -ENOENT;
    if (from.name.empty() || to.name.empty()) return -EBUSY;
    if (from.number == to.number) return 0;
    if (const int32_t refused = refuse_replacing(from, to)) return refused;
    if (to.number) unlink(to.number);
    change({{from.parent, from.name, 0}, {to.parent, to.name, from.number}});
    return 0;
}

int32_t FileSystem::refuse_replacing(const Place& from, const Place& to) const {
    const Inode& source = inodes_.at(from.number);
    if (source.is_directory && contains(from.number, to.parent)) return -EINVAL;
    if (!to.number) return 0;
    const Inode& replaced = inodes_.at(to.number);
    if (replaced.is_directory && !source.is_directory) return -EISDIR;
    if (!replaced.is_directory && source.is_directory) return -ENOTDIR;
    return replaced.entries.empty() ? 0 : -ENOTEMPTY;
}

int32_t FileSystem::remove(std::string_view path) {
    const Place place = locate(path);
    if (place.error) return place.error;
    if (place.name.empty()) return -EBUSY;
    if (!place.number) return -ENOENT;
    if (!inodes_.at(place.number).entries.empty()) return -ENOTEMPTY;
    unlink(place.number);
    change({{place.parent, place.name, 0}});
    return 0;
}

int32_t FileSystem::make_directory(std::string_view path) {
    const Place place = locate(path);
    if (place.error) return place.error;
    if (place.number) return -EEXIST;
    create(place, true);
    return 0;
}

int32_t FileSystem::list(std::string_view path, std::vector<std::string>& names) const {
    const Place place = locate(path);
    if (place.error) return place.error;
    if (!place.number) return -ENOENT;
    if (!is_directory(place.number)) return -ENOTDIR;
    names.clear();
    for (const auto& [name, number] : inodes_.at(place.number).entries) names.push_back(name);
    return 0;
}

int32_t FileSystem::stat(std::string_view path, FileInfo& info) const {
    const Place place = locate(path);
    if (place.error) return place.error;
    if (!place.number) return -ENOENT;
    const Inode& inode = inodes_.at(place.number);
    info = {.size = inode.content.size(), .is_directory = inode.is_directory};
    return 0;
}

// Durable are all changes of this directory, and those before them that touched the same names elsewhere.
int32_t FileSystem::sync_directory(std::string_view path) {
    const Place place = locate(path);
    if (place.error) return place.error;
    if (!place.number) return -ENOENT;
    if (!is_directory(place.number)) return -ENOTDIR;
    std::set<std::pair<InodeNumber, std::string>> needed;
    std::vector<bool> included(unsynced_.size());
    for (size_t i = unsynced_.size(); i-- > 0;) {
        for (const Edit& edit : unsynced_[i])
            if (edit.directory == place.number || needed.contains({edit.directory, edit.name}))
                included[i] = true;
        if (!included[i]) continue;
        for (const Edit& edit : unsynced_[i]) needed.insert({edit.directory, edit.name});
    }
    std::vector<Change> rest;
    for (size_t i = 0; i < unsynced_.size(); i++) {
        if (included[i]) make_durable(unsynced_[i]);
        if (!included[i]) rest.push_back(std::move(unsynced_[i]));
    }
    unsynced_ = std::move(rest);
    collect();
    return 0;
}

// ---- Crashes ------------------------------------------------------------------------------------------

void FileSystem::sync_all() {
    for (const Change& change : unsynced_) make_durable(change);
    unsynced_.clear();
    for (auto& [number, inode] : inodes_) inode.content.sync();
    collect();
}

void FileSystem::power_cut(Random& random) {
    const size_t kept = random.below(unsynced_.size() + 1);
    for (size_t i = 0; i < kept; i++) make_durable(unsynced_[i]);
    unsynced_.clear();
    for (auto& [number, inode] : inodes_) {
        ASSERT(inode.holders == 0);
        inode.entries = inode.durable_entries;
        inode.linked = number == root;
    }
    has_garbage_ = true;
    collect();
    used_pages_ = 0;
    for (auto& [number, inode] : inodes_) {
        for (const auto& [name, child] : inode.entries) inodes_.at(child).linked = true;
        inode.content.power_cut(random);
        used_pages_ += inode.content.allocated_pages();
    }
}

// ---- Inside -------------------------------------------------------------------------------------------

InodeNumber FileSystem::find(std::string_view path) const { return locate(path).number; }

FileSystem::Place FileSystem::locate(std::string_view path) const {
    Place place{.parent = root, .number = root};
    for (auto name = take_component(path); !name.empty(); name = take_component(path)) {
        if (!place.number) return {.error = -ENOENT};
        const Inode& directory = inodes_.at(place.number);
        if (!directory.is_directory) return {.error = -ENOTDIR};
        if (name == "..") return {.error = -EINVAL};  // Nothing of ours goes up.
        if (name.size() > name_max) return {.error = -ENAMETOOLONG};
        const auto entry = directory.entries.find(name);
        const InodeNumber number = entry == directory.entries.end() ? 0 : entry->second;
        place = {.parent = place.number, .name = std::string(name), .number = number};
    }
    return place;
}

InodeNumber FileSystem::create(const Place& place, bool is_directory) {
    const InodeNumber number = ++last_number_;
    Inode& inode = inodes_[number];
    inode.is_directory = is_directory;
    change({{place.parent, place.name, number}});
    ASSERT(inode.linked);
    return number;
}

void FileSystem::change(Change change) {
    for (const Edit& edit : change) {
        Inode& directory = inodes_.at(edit.directory);
        if (edit.number == 0) directory.entries.erase(edit.name);
        if (edit.number != 0)
            directory.entries[edit.name] = edit.number, inodes_.at(edit.number).linked = true;
    }
    unsynced_.push_back(std::move(change));
}

void FileSystem::make_durable(const Change& change) {
    for (const Edit& edit : change) {
        const auto directory = inodes_.find(edit.directory);
        if (directory == inodes_.end()) continue;  // It was removed, durably.
        if (edit.number == 0) directory->second.durable_entries.erase(edit.name);
        if (edit.number != 0) directory->second.durable_entries[edit.name] = edit.number;
    }
}

void FileSystem::unlink(InodeNumber number) {
    Inode& inode = inodes_.at(number);
    ASSERT(inode.linked);
    inode.linked = false;
    has_garbage_ = true;
    settle_gone(inode);
}

// The space of a file without a name is free again once nobody holds it.
void FileSystem::settle_gone(Inode& inode) {
    if (inode.linked || inode.holders > 0) return;
    used_pages_ -= inode.content.allocated_pages();
    has_garbage_ = true;
}

bool FileSystem::contains(InodeNumber directory, InodeNumber inside) const {
    if (directory == inside) return true;
    for (const auto& [name, child] : inodes_.at(directory).entries)
        if (is_directory(child) && contains(child, inside)) return true;
    return false;
}

uint64_t FileSystem::pages_free() const {
    const uint64_t capacity = capacity_bytes_ / Content::page_size;
    return capacity > used_pages_ ? capacity - used_pages_ : 0;
}

// Forgets inodes that nothing refers to: no name, now or on the medium, no change under way, no holder.
void FileSystem::collect() {
    if (!has_garbage_) return;
    has_garbage_ = false;
    std::set<InodeNumber> alive;
    mark(root, alive);
    for (const Change& change : unsynced_)
        for (const Edit& edit : change) {
            mark(edit.directory, alive);
            if (edit.number) mark(edit.number, alive);
        }
    for (const auto& [number, inode] : inodes_)
        if (inode.holders > 0) mark(number, alive);
    std::erase_if(inodes_, [&](const auto& entry) { return !alive.contains(entry.first); });
}

void FileSystem::mark(InodeNumber number, std::set<InodeNumber>& alive) const {
    if (!alive.insert(number).second) return;
    const Inode& inode = inodes_.at(number);
    for (const auto& [name, child] : inode.entries) mark(child, alive);
    for (const auto& [name, child] : inode.durable_entries) mark(child, alive);
}

}  // namespace millrace::sim
