// How short memory is, and what follows.
#include "millrace/memory_watch.h"

#include <algorithm>

#include "millrace/task.h"

namespace millrace {
namespace {

constexpr uint64_t trim_pause_ns = 2'000'000'000, say_pause_ns = 60'000'000'000;
// Caches go above seven eighths of what there is, and come back below three quarters; what is still above
// fifteen sixteenths after so many looks without them slows producers and readers down.
constexpr uint64_t tight_sixteenths = 14, relaxed_sixteenths = 12, scarce_sixteenths = 15;
constexpr uint32_t looks_before_scarce = 4;

}  // namespace

MemoryWatch::MemoryWatch(Io& io, Deadlines& deadlines, Metrics& metrics, uint64_t budget_bytes)
    : io_(io),
      deadlines_(deadlines),
      pressure_gauge_(metrics.gauge("millrace_memory_pressure",
                                    "1: caches are given up; 2: producers and readers are slowed down; "
                                    "summed over the shards.")),
      trims_(metrics.counter("millrace_memory_trims_total", "Times that spare memory was given back.")),
      budget_bytes_(budget_bytes) {}

void MemoryWatch::add(MemoryUser& user) { users_.push_back(&user); }

void MemoryWatch::begin() {
    if (stopped_) return;
    deadlines_.set(*this, io_.now_ns() + look_ns);
}

void MemoryWatch::stop() {
    stopped_ = true;
    if (is_set()) deadlines_.drop(*this);
}

void MemoryWatch::on_deadline() {
    silent_ = std::exchange(worked_, false) ? 0 : silent_ + 1;
    const MemoryUse use = io_.memory_use();
    set(judge(use), use);
    if (silent_ < silent_looks) return begin();
    silent_ = 0;
    trim();
}

MemoryPressure MemoryWatch::judge(const MemoryUse& use) const {
    const auto above = [&](uint64_t sixteenths) {
        return (budget_bytes_ > 0 && use.resident_bytes > budget_bytes_ / 16 * sixteenths) ||
               (use.group_max > 0 && use.group_bytes > use.group_max / 16 * sixteenths);
    };
    if (!above(relaxed_sixteenths)) return MemoryPressure::none;
    if (above(scarce_sixteenths) && tight_looks_ >= looks_before_scarce) return MemoryPressure::scarce;
    const bool stays = pressure_ != MemoryPressure::none;
    return stays || above(tight_sixteenths) ? MemoryPressure::tight : MemoryPressure::none;
}

void MemoryWatch::set(MemoryPressure pressure, const MemoryUse& use) {
    tight_looks_ = pressure == MemoryPressure::none ? 0 : tight_looks_ + 1;
    if (pressure == MemoryPressure::scarce) say(use);
    if (pressure == MemoryPressure::none && pressure_ == MemoryPressure::none) return;
    pressure_gauge_.add(static_cast<int64_t>(pressure) - static_cast<int64_t>(pressure_));
    pressure_ = pressure;
    for (MemoryUser* user : users_) user->set_pressure(pressure);
    const bool is_time = trimmed_ns_ == 0 || io_.now_ns() >= trimmed_ns_ + trim_pause_ns;
    if (pressure != MemoryPressure::none && is_time) trim();
}

void MemoryWatch::trim() {
    trimmed_ns_ = io_.now_ns();
    trims_.add();
    for (MemoryUser* user : users_) user->trim();
    detail::drop_kept_frames();
    io_.trim_memory();
}

// Once a minute, by one shard for all.
void MemoryWatch::say(const MemoryUse& use) {
    if (io_.shard().value != 0) return;
    if (said_ns_ != 0 && io_.now_ns() < said_ns_ + say_pause_ns) return;
    said_ns_ = io_.now_ns();
    io_.log().warn("shard", "memory is short: producers and readers are slowed down, raise millrace.memory",
                   {{"resident", use.resident_bytes},
                    {"budget", budget_bytes_},
                    {"group", use.group_bytes},
                    {"group_max", use.group_max}});
}

}  // namespace millrace
