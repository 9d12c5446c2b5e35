// A disk that lies: a write that it acknowledges and does not do, or does elsewhere, or a page that it gives
// no more. What is asked is that this is said, and that nobody is ever given bytes that were not written.
#include <fmt/core.h>

#include "trial.h"

namespace millrace::sim {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;
// Longer than the journal leaves its last commit without a later word: before that it is a torn tail.
constexpr uint64_t settle_ns = 300 * ns_per_ms;

// Every file below the directory.
void collect(const SimDisk& disk, const std::string& directory, std::vector<std::string>& paths) {
    for (const std::string& name : disk.names(directory)) {
        const std::string path = directory + "/" + name;
        disk.names(path).empty() ? paths.push_back(path) : collect(disk, path, paths);
    }
}

// Whatever the disk does.
bool is_never_right(const std::string& problem) {
    constexpr const char* texts[] = {"invented", "not the bytes", "something loops", "stop does not end"};
    return std::ranges::any_of(texts,
                               [&](const char* text) { return problem.find(text) != std::string::npos; });
}

}  // namespace

// From the second life on, when there is something to lie about.
void Trial::begin_lie(DiskOptions& disk) {
    if (faults_.lives < 2 || has_lied()) return;
    const auto rate = static_cast<uint32_t>(500 << lies_.below(5));
    if (lie_ == Lie::lost_write) disk.lost_write = rate;
    if (lie_ == Lie::misdirected_write) disk.misdirected_write = rate;
}

void Trial::break_some_page() {
    std::vector<std::string> paths;
    collect(node_.disk(), "data", paths);
    const std::string& path = paths[lies_.below(paths.size())];
    const size_t size = node_.disk().contents(path).size();
    if (size == 0) return;
    node_.disk().break_page(path, lies_.below(size));
    say("a page is broken in " + path);
    lied_ns_ = world_.now_ns();
}

void Trial::watch_lie() {
    if (lie_ == Lie::none || has_lied() || faults_.lives < 2) return;
    if (lie_ == Lie::broken_page && lies_.below(10) == 0) break_some_page();
    const DiskFaults& met = node_.disk().faults();
    if (met.lost_writes + met.misdirected_writes > 0) lied_ns_ = world_.now_ns();
    if (!has_lied()) return;
    DiskOptions& disk = node_.disk().options();
    disk.lost_write = disk.misdirected_write = 0;
    say(fmt::format("the disk has lied: {} lost writes, {} misdirected", met.lost_writes,
                    met.misdirected_writes));
    disk_fails_ = true;
    pass(settle_ns);
}

// After a lie that was found, acknowledged records may be gone. Without a word they may not, and what is
// served is always what was sent.
std::vector<std::string> Trial::unforgiven(std::vector<std::string> problems) const {
    if (!has_lied()) return problems;
    const auto& lines = world_.lines();
    size_t said = 0;
    for (size_t i = 0; i < lines.size(); i++)
        said += lines[i].level == Level::error ||
                (lines[i].level == Level::warn && lines[i].text.find(" log  ") != std::string::npos);
    if (said == 0) return problems;
    std::erase_if(problems, [](const std::string& text) { return !is_never_right(text); });
    return problems;
}

}  // namespace millrace::sim
