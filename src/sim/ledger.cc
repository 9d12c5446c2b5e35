// The judge of a run: see the header.
#include "ledger.h"

#include <climits>

#include <fmt/core.h>

namespace millrace::sim {

namespace {

std::string place_text(const Ledger::Place& place) { return fmt::format("{}-{}", place.first, place.second); }

}  // namespace

uint32_t Ledger::number(const Place& place) {
    return numbers_.try_emplace(place, static_cast<uint32_t>(numbers_.size())).first->second;
}

// ---- Records ------------------------------------------------------------------------------------------

std::pair<Ledger::WriteId, uint64_t> Ledger::send(uint32_t producer, const Place& place,
                                                  std::optional<uint32_t> key) {
    const uint64_t value = ++last_value_;
    return {history_.send(producer, number(place), value, key), value};
}

void Ledger::acknowledge(WriteId write, int64_t offset) {
    if (offset < 0) return problem(fmt::format("acknowledged without an offset: write {}", write));
    history_.acknowledge(write, Offset{offset});
}

void Ledger::acknowledge_written(WriteId write, int64_t offset, uint64_t now_ns) {
    acknowledge(write, offset);
    if (offset >= 0) written_.emplace_back(now_ns, write);
}

void Ledger::acknowledge_in_memory(const Place& place, WriteId write, int64_t offset, uint64_t now_ns) {
    ASSERT(topics_.at(place.first).in_memory);
    acknowledge(write, offset);
    if (offset >= 0) in_memory_.emplace_back(now_ns, write);
}

void Ledger::lose_power(uint64_t now_ns) {
    constexpr uint64_t flushed_after_ns =
        30'000'000'000;  // On the slowest disk, after a stop that took long.
    for (const auto& [at_ns, write] : written_)
        if (now_ns - at_ns <= flushed_after_ns) history_.doubt(write);
    written_.clear();
    lose_memory(now_ns, flushed_after_ns);
}

void Ledger::lose_memory(uint64_t now_ns, uint64_t window_ns) {
    for (const auto& [at_ns, write] : in_memory_)
        if (now_ns - at_ns <= window_ns) history_.doubt(write);
    // What is older is journalled, but may still be lost with the power.
    std::erase_if(in_memory_, [&](const auto& entry) { return now_ns - entry.first <= window_ns; });
    for (const auto& [place, number] : numbers_)
        if (const auto topic = topics_.find(place.first); topic != topics_.end() && topic->second.in_memory)
            history_.break_off(number);
}

void Ledger::seek(uint32_t consumer, const Place& place, int64_t offset) {
    history_.seek(consumer, number(place), Offset{offset});
}

void Ledger::read(uint32_t consumer, const Place& place, int64_t offset, std::string_view value) {
    reads_++;
    history_.read(consumer, number(place), {Offset{offset}, number_of(place, offset, value)});
}

std::string Ledger::value_text(uint64_t value, size_t size) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    std::string text = fmt::format("{:016x}", value);
    text.reserve(size);
    const size_t first = (value + text.size()) % 26;
    while (text.size() < size) text += letters.substr(first, std::min<size_t>(26, size - text.size()));
    return text;
}

uint64_t Ledger::number_of(const Place& place, int64_t offset, std::string_view value) {
    const uint64_t number = std::strtoull(std::string(value.substr(0, 16)).c_str(), nullptr, 16);
    if (value != value_text(number, value.size()))
        problem(fmt::format("{} at {}: not the bytes that were sent", place_text(place), offset));
    return number;
}

void Ledger::ask_delete(const Place& place, int64_t before) {
    auto& [done, asked] = deletions_[place];
    asked = std::max(asked, before);
}

void Ledger::deleted(const Place& place, int64_t low_watermark) {
    auto& [done, asked] = deletions_[place];
    done = std::max(done, low_watermark);
    if (low_watermark > asked && !topics_[place.first].rolls)
        problem(fmt::format("{}: deleted up to {}, asked were {}", place_text(place), low_watermark, asked));
}

// ---- Groups -------------------------------------------------------------------------------------------

void Ledger::committed(const std::string& group, const Place& place, int64_t offset) {
    int64_t& floor = commits_[group].try_emplace(place, -1).first->second;
    floor = std::max(floor, offset);
}

int64_t Ledger::commit_floor(const std::string& group, const Place& place) const {
    const auto of_group = commits_.find(group);
    if (of_group == commits_.end()) return -1;
    const auto found = of_group->second.find(place);
    return found == of_group->second.end() ? -1 : found->second;
}

// ---- Topics -------------------------------------------------------------------------------------------

bool Ledger::is_certain(const std::string& topic) const {
    const auto found = topics_.find(topic);
    return found != topics_.end() && found->second.may_exist != found->second.may_be_missing;
}

void Ledger::saw_topics(const std::map<std::string, int32_t>& seen) {
    for (const auto& [name, topic] : topics_) {
        const auto found = seen.find(name);
        if (found == seen.end()) {
            if (!topic.may_be_missing) problem(fmt::format("topic {} is missing", name));
            continue;
        }
        const int32_t count = found->second;
        if (!topic.may_exist)
            problem(fmt::format("topic {} is there again", name));
        else if (count < topic.partitions_least || count > topic.partitions_most)
            problem(fmt::format("topic {} has {} partitions, not {} to {}", name, count,
                                topic.partitions_least, topic.partitions_most));
    }
    for (const auto& [name, count] : seen)
        if (!topics_.contains(name) && !name.starts_with("__"))
            problem(fmt::format("topic {} was never made", name));
}

// ---- The end ------------------------------------------------------------------------------------------

std::vector<Ledger::Place> Ledger::places() const {
    std::vector<Place> places;
    for (const auto& [place, number] : numbers_) places.push_back(place);
    return places;
}

void Ledger::finish(const Place& place, int64_t start, std::vector<History::Entry> log) {
    const auto [done, asked] = deletions_[place];
    if (start < done)
        problem(fmt::format("{}: begins at {}, deleted were {}", place_text(place), start, done));
    if (start > asked && !topics_[place.first].rolls)
        problem(fmt::format("{}: begins at {}, asked to delete were {}", place_text(place), start, asked));
    history_.finish(number(place), Offset{start}, std::move(log));
    finished_++;
}

void Ledger::finish_gone(const std::string& topic) {
    for (const auto& [place, number] : numbers_)
        if (place.first == topic) {
            history_.finish(number, Offset{INT64_MAX}, {});
            finished_++;
        }
}

void Ledger::problem(std::string text) {
    if (problems_.size() < problems_max) problems_.push_back(std::move(text));
}

std::vector<std::string> Ledger::verdict() {
    if (finished_ < numbers_.size()) return problems_;  // The end was not reached.
    std::map<uint32_t, Place> places;
    for (const auto& [place, number] : numbers_) places[number] = place;
    for (const Anomaly& anomaly : history_.check())
        problem(fmt::format("{} ({})", anomaly.to_text(), place_text(places[anomaly.partition])));
    return problems_;
}

}  // namespace millrace::sim
