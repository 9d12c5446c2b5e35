// Leader epochs and where they began.
#include "epochs.h"

#include <charconv>

#include <fmt/format.h>

namespace millrace {

bool Epochs::assign(Epoch epoch, Offset start) {
    if (epoch.value < 0 || epoch < last()) return false;
    if (epoch == last()) return true;
    while (!entries_.empty() && entries_.back().start >= start) entries_.pop_back();
    entries_.push_back({epoch, start});
    return true;
}

void Epochs::cut_front(Offset start) {
    size_t gone = 0;
    while (gone + 1 < entries_.size() && entries_[gone + 1].start <= start) gone++;
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(gone));
    if (!entries_.empty() && entries_.front().start < start) entries_.front().start = start;
}

void Epochs::cut_back(Offset end) {
    while (!entries_.empty() && entries_.back().start > end) entries_.pop_back();
}

Epoch Epochs::at(Offset offset) const {
    const auto after = std::upper_bound(entries_.begin(), entries_.end(), offset,
                                        [](Offset o, const EpochStart& e) { return o < e.start; });
    return after == entries_.begin() ? Epoch{-1} : (after - 1)->epoch;
}

EpochEnd Epochs::end_of(Epoch epoch, Offset log_end) const {
    if (epoch.value < 0 || epoch > last()) return {};
    if (epoch == last()) return {epoch, log_end};
    const auto above = std::upper_bound(entries_.begin(), entries_.end(), epoch,
                                        [](Epoch e, const EpochStart& entry) { return e < entry.epoch; });
    ASSERT(above != entries_.end());
    const Epoch floor = above == entries_.begin() ? epoch : (above - 1)->epoch;
    return {floor, above->start};
}

std::string Epochs::to_text() const {
    std::string text = fmt::format("0\n{}\n", entries_.size());
    for (const EpochStart& e : entries_) text += fmt::format("{} {}\n", e.epoch.value, e.start.value);
    return text;
}

namespace {

template <class T> std::optional<T> take_number(std::string_view& text, char terminator) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data() + text.size() || *end != terminator) return {};
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
    return value;
}

}  // namespace

std::optional<Epochs> Epochs::from_text(std::string_view text) {
    const auto version = take_number<int32_t>(text, '\n');
    if (!version || *version != 0) return {};
    const auto count = take_number<uint32_t>(text, '\n');
    if (!count) return {};
    Epochs epochs;
    for (uint32_t i = 0; i < *count; i++) {
        const auto epoch = take_number<int32_t>(text, ' ');
        if (!epoch) return {};
        const auto start = take_number<int64_t>(text, '\n');
        if (!start || Epoch{*epoch} <= epochs.last() || *start < 0) return {};
        if (!epochs.entries_.empty() && epochs.entries_.back().start.value > *start) return {};
        epochs.entries_.push_back({Epoch{*epoch}, Offset{*start}});
    }
    return text.empty() ? std::optional{epochs} : std::nullopt;
}

}  // namespace millrace
