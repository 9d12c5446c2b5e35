// The file system against a reference model that knows only paths and bytes.
#include "src/sim/file_system.h"

#include <map>
#include <set>

#include "tests/sim/fixture.h"

using namespace millrace;
using namespace millrace::sim;

namespace {

// A file's bytes as read now, and as last synced; of each sector one of the two is there after a power cut.
struct ModelFile {
    std::vector<uint8_t> now, synced;
};

void put_at(std::vector<uint8_t>& bytes, uint64_t offset, const std::vector<uint8_t>& written) {
    if (bytes.size() < offset + written.size()) bytes.resize(offset + written.size());
    std::ranges::copy(written, bytes.begin() + static_cast<ptrdiff_t>(offset));
}

uint8_t byte_at(const std::vector<uint8_t>& bytes, size_t at) { return at < bytes.size() ? bytes[at] : 0; }

// One file under random writes, truncations, syncs and power cuts.
class FileScript {
 public:
    explicit FileScript(uint64_t seed) : random_(seed), files_(uint64_t{1} << 30) {
        open();
        files_.sync_directory("/");
    }
    void step() {
        switch (random_.below(10)) {
            case 0: return sync();
            case 1: return truncate();
            case 2: return allocate();
            case 3: return power_cut();
            default: return write();
        }
    }

 private:
    void open() {
        number_ = files_.open("/f", Op::read_write | Op::create);
        REQUIRE(number_ > 0);
    }
    void write() {
        const uint64_t offset = random_.below(20'000);
        std::vector<uint8_t> bytes(1 + random_.below(6000));
        for (auto& byte : bytes) byte = static_cast<uint8_t>(random_.next() | 1);
        CHECK(files_.write(number_, offset, bytes, Durable::no) == static_cast<int32_t>(bytes.size()));
        put_at(model_.now, offset, bytes);
        check_same();
    }
    void sync() {
        CHECK(files_.sync(number_) == 0);
        model_.synced = model_.now;
    }
    void truncate() {
        const uint64_t size = random_.below(25'000);
        CHECK(files_.truncate(number_, size) == 0);
        model_.now.resize(size);
        check_same();
    }
    void allocate() {
        const uint64_t offset = random_.below(20'000), length = 1 + random_.below(8000);
        CHECK(files_.allocate(number_, offset, length) == 0);
        if (model_.now.size() < offset + length) model_.now.resize(offset + length);
        check_same();
    }
    void power_cut() {
        files_.release(number_);
        files_.power_cut(random_);
        open();
        const auto found = contents();
        CHECK(found.size() >= std::min(model_.now.size(), model_.synced.size()));
        CHECK(found.size() <= std::max(model_.now.size(), model_.synced.size()));
        for (size_t begin = 0; begin < found.size(); begin += 512) CHECK(is_kept_or_lost(found, begin));
        model_.now = model_.synced = found;
        check_space();
    }
    bool is_kept_or_lost(const std::vector<uint8_t>& found, size_t begin) const {
        bool kept = true, lost = true;
        for (size_t at = begin; at < std::min(begin + 512, found.size()); at++) {
            kept &= found[at] == byte_at(model_.now, at);
            lost &= found[at] == byte_at(model_.synced, at);
        }
        return kept || lost;
    }
    std::vector<uint8_t> contents() const {
        std::vector<uint8_t> bytes(files_.content(number_).size());
        CHECK(files_.read(number_, 0, bytes) == static_cast<int32_t>(bytes.size()));
        return bytes;
    }
    void check_same() const {
        CHECK(contents() == model_.now);
        check_space();
    }
    void check_space() const {
        CHECK(files_.used_bytes() == files_.content(number_).allocated_pages() * 4096);
        CHECK(files_.used_bytes() <= (model_.now.size() + 4095) / 4096 * 4096);
    }

    Random random_;
    FileSystem files_;
    InodeNumber number_ = 0;
    ModelFile model_;
};

// Names under random changes; a path maps to whether it is a directory.
class NameScript {
 public:
    explicit NameScript(uint64_t seed) : random_(seed), files_(1 << 20) {}

    void step() {
        const std::string path = any_path(), target = any_path();
        switch (random_.below(5)) {
            case 0: return create(path);
            case 1: return make_directory(path);
            case 2: return remove(path);
            case 3: return rename(path, target);
            default: CHECK((files_.sync_directory(path) == 0) == is_directory(path));
        }
    }
    void check_same() const {
        for (const auto& path : all_paths()) {
            FileInfo info;
            const bool exists = files_.stat(path, info) == 0;
            CHECK(exists == model_.contains(path));
            if (exists) CHECK(info.is_directory == model_.at(path));
        }
    }

 private:
    static std::vector<std::string> all_paths() {
        std::vector<std::string> paths;
        for (const std::string first : {"/a", "/b"})
            for (const std::string second : {"", "/c", "/d", "/c/e"}) paths.push_back(first + second);
        return paths;
    }
    std::string any_path() { return all_paths()[random_.below(8)]; }
    bool is_directory(const std::string& path) const {
        const auto it = model_.find(path);
        return path.empty() || (it != model_.end() && it->second);
    }
    bool can_hold(const std::string& path) const { return is_directory(path.substr(0, path.rfind('/'))); }
    bool has_children(const std::string& path) const {
        const auto next = model_.upper_bound(path + "/");
        return next != model_.end() && next->first.starts_with(path + "/");
    }
    void create(const std::string& path) {
        const bool fits = can_hold(path) && !is_directory(path);
        const int32_t number = files_.open(path, Op::read_write | Op::create);
        CHECK((number > 0) == fits);
        if (number > 0) files_.release(number);
        if (fits) model_[path] = false;
    }
    void make_directory(const std::string& path) {
        const bool fits = can_hold(path) && !model_.contains(path);
        CHECK((files_.make_directory(path) == 0) == fits);
        if (fits) model_[path] = true;
    }
    void remove(const std::string& path) {
        const bool fits = model_.contains(path) && !has_children(path);
        CHECK((files_.remove(path) == 0) == fits);
        if (fits) model_.erase(path);
    }
    bool can_rename(const std::string& path, const std::string& target) const {
        if (!model_.contains(path) || !can_hold(target)) return false;
        if (path == target) return true;
        if (target.starts_with(path + "/")) return false;
        if (!model_.contains(target)) return true;
        return model_.at(path) == model_.at(target) && !has_children(target);
    }
    void rename(const std::string& path, const std::string& target) {
        const bool fits = can_rename(path, target);
        CHECK((files_.rename(path, target) == 0) == fits);
        if (!fits || path == target) return;
        std::map<std::string, bool> moved;
        for (const auto& [name, directory] : model_) {
            const bool is_moved = name == path || name.starts_with(path + "/");
            if (is_moved) moved[target + name.substr(path.size())] = directory;
            if (!is_moved && name != target) moved[name] = directory;
        }
        model_ = moved;
    }

    Random random_;
    FileSystem files_;
    std::map<std::string, bool> model_;
};

}  // namespace

TEST_CASE(
    "a file holds what the model holds, and after a power cut each sector is the old one or the new one") {
    for (uint64_t seed = 1; seed <= 100; seed++) {
        FileScript script{seed};
        for (int step = 0; step < 60; step++) script.step();
    }
}

TEST_CASE("names are what the model says after any sequence of changes") {
    for (uint64_t seed = 1; seed <= 200; seed++) {
        NameScript script{seed};
        for (int step = 0; step < 100; step++) {
            script.step();
            script.check_same();
        }
    }
}

TEST_CASE("a file moved between directories is never in both, nor lost once both are synced") {
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Random random{seed};
        FileSystem files{1 << 20};
        files.make_directory("/a");
        files.make_directory("/b");
        files.sync_directory("/");
        files.release(files.open("/a/x", Op::read_write | Op::create));
        if (random.below(2)) files.sync_directory("/a");
        files.rename("/a/x", "/b/y");
        const bool synced = random.below(2);
        if (synced) files.sync_directory("/b");
        files.power_cut(random);
        const bool is_old = files.find("/a/x"), is_new = files.find("/b/y");
        CHECK(!(is_old && is_new));
        if (synced) CHECK(is_new);
    }
}
