// Every check walks the history once; anomalies come in the order of partitions and offsets.
#include "checker.h"

#include <fmt/core.h>

namespace millrace::sim {

namespace {

using Kind = Anomaly::Kind;

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::lost: return "lost";
        case Kind::duplicated: return "duplicated";
        case Kind::reordered: return "reordered";
        case Kind::misplaced: return "misplaced";
        case Kind::refused: return "written though refused";
        case Kind::invented: return "invented";
        case Kind::unstable: return "read before it was safe";
        case Kind::skipped: return "skipped";
        case Kind::read_again: return "read again";
    }
    return "?";
}

// The first entry at or after the offset.
auto from_offset(const std::vector<History::Entry>& log, Offset offset) {
    return std::ranges::lower_bound(log, offset, {}, &History::Entry::offset);
}

}  // namespace

std::string Anomaly::to_text() const {
    return fmt::format("{}: value {} at offset {} of partition {}", kind_name(kind), value, offset.value,
                       partition);
}

// ---- Recording ----------------------------------------------------------------------------------------

History::WriteId History::send(uint32_t producer, uint32_t partition, uint64_t value,
                               std::optional<uint32_t> key) {
    ASSERT(!by_value_.contains(value));
    by_value_[value] = writes_.size();
    writes_.push_back({producer, partition, value, key});
    partitions_[partition];
    return writes_.size() - 1;
}

void History::acknowledge(WriteId write, Offset offset) {
    ASSERT(writes_.at(write).state == State::unknown);
    writes_[write].state = State::acknowledged;
    writes_[write].offset = offset;
}

void History::doubt(WriteId write) {
    ASSERT(writes_.at(write).state == State::acknowledged);
    writes_[write].state = State::unknown;
    writes_[write].offset = Offset{-1};
}

void History::refuse(WriteId write) {
    ASSERT(writes_.at(write).state == State::unknown);
    writes_[write].state = State::refused;
}

void History::seek(uint32_t consumer, uint32_t partition, Offset offset) {
    partitions_[partition].readings.push_back({consumer, {offset, 0}, true, writes_.size()});
}

void History::break_off(uint32_t partition) {
    auto& readings = partitions_[partition].readings;
    for (Reading& reading : readings) {
        const auto sent = by_value_.find(reading.entry.value);
        if (reading.is_seek || reading.is_break || sent == by_value_.end()) continue;
        reading.is_forgiven |= writes_[sent->second].state == State::unknown;
    }
    readings.push_back({.consumer = 0, .entry = {}, .is_seek = false, .sent_before = 0, .is_break = true});
}

void History::read(uint32_t consumer, uint32_t partition, Entry entry) {
    partitions_[partition].readings.push_back({consumer, entry, false, writes_.size()});
}

void History::finish(uint32_t partition, Offset start, std::vector<Entry> log) {
    ASSERT(!partitions_[partition].start);
    ASSERT(std::ranges::is_sorted(log, {}, &Entry::offset));
    partitions_[partition].start = start;
    partitions_[partition].log = std::move(log);
    for (const Entry& entry : partitions_[partition].log)
        if (const auto sent = by_value_.find(entry.value); sent != by_value_.end())
            if (const auto key = writes_[sent->second].key)
                partitions_[partition].newest[*key] = entry.offset;
}

bool History::Partition::supersedes(const Write& write, Offset offset) const {
    if (!write.key) return false;
    const auto found = newest.find(*write.key);
    return found != newest.end() && found->second > offset;
}

size_t History::acknowledged_count() const {
    return static_cast<size_t>(std::ranges::count(writes_, State::acknowledged, &Write::state));
}

// ---- Checking -----------------------------------------------------------------------------------------

std::vector<Anomaly> History::check() const {
    std::vector<Anomaly> found;
    for (const auto& [number, partition] : partitions_) ASSERT(partition.start);
    check_writes(found);
    for (const auto& [number, partition] : partitions_) {
        check_log(number, partition, found);
        check_readings(number, partition, found);
        check_steps(number, partition, found);
    }
    return found;
}

// Each acknowledged value is where it was said to be.
void History::check_writes(std::vector<Anomaly>& found) const {
    std::map<uint64_t, Offset> places;
    for (const auto& [number, partition] : partitions_)
        for (const Entry& entry : partition.log) places.try_emplace(entry.value, entry.offset);
    for (const Write& write : writes_) {
        const Partition& partition = partitions_.at(write.partition);
        if (write.state != State::acknowledged || write.offset < *partition.start) continue;
        const auto place = places.find(write.value);
        if (place == places.end() && partition.supersedes(write, write.offset)) continue;
        if (place == places.end()) {
            found.push_back({Kind::lost, write.partition, write.value, write.offset});
            continue;
        }
        const auto at = from_offset(partition.log, write.offset);
        const bool is_there =
            at != partition.log.end() && at->offset == write.offset && at->value == write.value;
        if (!is_there) found.push_back({Kind::misplaced, write.partition, write.value, place->second});
    }
}

// The log holds what was sent to it, once, in each producer's order.
void History::check_log(uint32_t number, const Partition& partition, std::vector<Anomaly>& found) const {
    std::map<uint64_t, Offset> seen;
    std::map<uint32_t, WriteId> last;  // Of each producer.
    for (const Entry& entry : partition.log) {
        const auto report = [&](Kind kind) { found.push_back({kind, number, entry.value, entry.offset}); };
        const auto sent = by_value_.find(entry.value);
        if (sent == by_value_.end() || writes_[sent->second].partition != number) {
            report(Kind::invented);
            continue;
        }
        const Write& write = writes_[sent->second];
        if (write.state == State::refused) report(Kind::refused);
        if (delivery_ == Delivery::at_least_once) continue;
        if (!seen.try_emplace(entry.value, entry.offset).second) {
            report(Kind::duplicated);
            continue;
        }
        const auto [previous, is_first] = last.try_emplace(write.producer, sent->second);
        if (!is_first && sent->second < previous->second) report(Kind::reordered);
        previous->second = std::max(previous->second, sent->second);
    }
}

// What was read had been sent by then, and stays where it was read.
void History::check_readings(uint32_t number, const Partition& partition, std::vector<Anomaly>& found) const {
    for (const Reading& reading : partition.readings) {
        if (reading.is_seek || reading.is_break) continue;
        const auto [offset, value] = reading.entry;
        const auto sent = by_value_.find(value);
        if (sent == by_value_.end() || sent->second >= reading.sent_before) {
            found.push_back({Kind::invented, number, value, offset});
            continue;
        }
        if (offset < *partition.start || reading.is_forgiven) continue;
        const auto at = from_offset(partition.log, offset);
        const bool is_empty = at == partition.log.end() || at->offset != offset;
        if (is_empty && partition.supersedes(writes_[sent->second], offset)) continue;
        if (is_empty || at->value != value) found.push_back({Kind::unstable, number, value, offset});
    }
}

// A consumer goes from record to record, with none left out and none twice.
void History::check_steps(uint32_t number, const Partition& partition, std::vector<Anomaly>& found) const {
    std::map<uint32_t, Offset> next;  // Of each consumer: the least offset it may read.
    for (const Reading& reading : partition.readings) {
        if (reading.is_break) next.clear();
        if (reading.is_break) continue;
        const auto [offset, value] = reading.entry;
        auto& expected = next.try_emplace(reading.consumer, offset).first->second;
        if (!reading.is_seek && offset < expected) found.push_back({Kind::read_again, number, value, offset});
        const auto left_out = from_offset(partition.log, expected);
        if (!reading.is_seek && left_out != partition.log.end() && left_out->offset < offset)
            found.push_back({Kind::skipped, number, left_out->value, left_out->offset});
        expected = reading.is_seek ? offset : offset + 1;
    }
}

}  // namespace millrace::sim
