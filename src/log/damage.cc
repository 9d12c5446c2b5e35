// Damaged ranges, and their file.
#include "damage.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace millrace {

namespace {

constexpr std::array<std::string_view, 6> names{"checksum", "unreadable", "missing",
                                                "journal",  "sum",        "identity"};

std::optional<DamageCause> cause_of(std::string_view name) {
    for (size_t i = 0; i < names.size(); i++)
        if (names[i] == name) return static_cast<DamageCause>(i);
    return {};
}

// Two ranges of one segment become one that covers both.
void cover(DamagedRange& range, const DamagedRange& other) {
    const uint64_t end = std::max(range.end_position(), other.end_position());
    range.first = std::min(range.first, other.first), range.next = std::max(range.next, other.next);
    range.position = std::min(range.position, other.position);
    range.length = end - range.position;
}

}  // namespace

std::string_view name_of(DamageCause cause) { return names[static_cast<size_t>(cause)]; }

bool Damage::add(DamagedRange range) {
    ASSERT(range.first <= range.next);
    if (contains(range)) return false;
    const auto touches = [&](const DamagedRange& known) {
        return known.segment == range.segment && known.first <= range.next && range.first <= known.next;
    };
    for (const DamagedRange& known : ranges_)
        if (touches(known)) cover(range, known);
    std::erase_if(ranges_, touches);
    const auto place = std::upper_bound(ranges_.begin(), ranges_.end(), range.first,
                                        [](Offset o, const DamagedRange& r) { return o < r.first; });
    ranges_.insert(place, range);
    if (ranges_.size() > ranges_max) join_nearest();
    ASSERT(ranges_.size() <= ranges_max);
    return true;
}

void Damage::join_nearest() {
    size_t best = 0;
    const auto gap = [&](size_t i) { return ranges_[i + 1].first - ranges_[i].next; };
    for (size_t i = 0; i + 1 < ranges_.size(); i++)
        if (ranges_[i].segment == ranges_[i + 1].segment && gap(i) < gap(best)) best = i;
    cover(ranges_[best], ranges_[best + 1]);
    ranges_.erase(ranges_.begin() + static_cast<ptrdiff_t>(best) + 1);
}

bool Damage::contains(const DamagedRange& range) const {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const DamagedRange& known) {
        return known.first <= range.first && range.next <= known.next && known.segment == range.segment &&
               known.position <= range.position && range.end_position() <= known.end_position();
    });
}

bool Damage::touches(Offset segment, uint64_t from, uint64_t to) const {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const DamagedRange& r) {
        return r.segment == segment && r.position < to && r.end_position() > from;
    });
}

const DamagedRange* Damage::find(Offset offset) const {
    for (const DamagedRange& range : ranges_)
        if (range.first <= offset && offset < range.next) return &range;
    return nullptr;
}

const DamagedRange* Damage::above(Offset offset) const {
    for (const DamagedRange& range : ranges_)
        if (range.first >= offset && range.next > range.first) return &range;
    return nullptr;
}

const DamagedRange* Damage::below(Offset segment, Offset offset) const {
    const DamagedRange* last = nullptr;
    for (const DamagedRange& range : ranges_)
        if (range.segment == segment && range.next <= offset) last = &range;
    return last;
}

void Damage::remove(const DamagedRange& range) {
    std::erase_if(
        ranges_, [&](const DamagedRange& r) { return r.first == range.first && r.segment == range.segment; });
}

bool Damage::cut_front(Offset log_start) {
    return std::erase_if(ranges_, [&](const DamagedRange& r) { return r.next <= log_start; }) > 0;
}

// ---- The file ------------------------------------------------------------------------------------------

std::string Damage::to_text() const {
    std::string text = fmt::format("1\n{}\n", ranges_.size());
    for (const DamagedRange& r : ranges_)
        text += fmt::format("{} {} {} {} {} {} {}\n", r.first.value, r.next.value, r.segment.value,
                            r.position, r.length, name_of(r.cause), r.found_ms);
    text += fmt::format("{:016x}\n", hash64({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
    return text + text;
}

namespace {

std::string_view take_word(std::string_view& text, char terminator) {
    const size_t end = text.find(terminator);
    if (end == std::string_view::npos) return {};
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end + 1);
    return word;
}

template <class T> std::optional<T> take_number(std::string_view& text, char terminator, int base = 10) {
    const std::string_view word = take_word(text, terminator);
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return {};
    return value;
}

std::optional<DamagedRange> take_range(std::string_view& text) {
    const auto first = take_number<int64_t>(text, ' '), next = take_number<int64_t>(text, ' ');
    const auto segment = take_number<int64_t>(text, ' ');
    const auto position = take_number<uint64_t>(text, ' '), length = take_number<uint64_t>(text, ' ');
    const auto cause = cause_of(take_word(text, ' '));
    const auto found_ms = take_number<int64_t>(text, '\n');
    if (!first || !next || !segment || !position || !length || !cause || !found_ms) return {};
    if (*first < 0 || *first > *next) return {};
    return DamagedRange{.first = Offset{*first},
                        .next = Offset{*next},
                        .segment = Offset{*segment},
                        .position = *position,
                        .length = *length,
                        .cause = *cause,
                        .found_ms = *found_ms};
}

}  // namespace

std::optional<Damage> Damage::from_text(std::string_view text) {
    const std::string_view half = text.substr(0, text.size() / 2);
    for (const std::string_view copy : {half, text.substr(half.size())}) {
        std::string_view rest = copy;
        const auto version = take_number<int>(rest, '\n');
        const auto count = take_number<size_t>(rest, '\n');
        if (version != 1 || !count || *count > ranges_max) continue;
        Damage damage;
        bool is_sound = true;
        for (size_t i = 0; i < *count && is_sound; i++) {
            const auto range = take_range(rest);
            is_sound = range.has_value();
            if (range) damage.ranges_.push_back(*range);
        }
        const std::string_view covered = copy.substr(0, copy.size() - rest.size());
        const auto hash = take_number<uint64_t>(rest, '\n', 16);
        is_sound = is_sound && hash && rest.empty() &&
                   *hash == hash64({reinterpret_cast<const uint8_t*>(covered.data()), covered.size()});
        if (is_sound) return damage;
    }
    return {};
}

bool Damage::is_intact(std::string_view text) {
    const auto damage = from_text(text);
    return damage && damage->to_text() == text;
}

}  // namespace millrace
