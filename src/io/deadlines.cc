// The one timer behind many deadlines. It is set for the earliest of them and left alone when that one goes:
// it then fires for nothing, at most once per entry that was first.
#include "millrace/deadlines.h"

namespace millrace {

void Deadlines::set(Entry& entry, uint64_t at_ns) {
    ASSERT(!entry.owner_);
    entry.owner_ = this;
    if (spare_.empty()) {
        entry.place_ = entries_.emplace(at_ns, &entry);
    } else {
        auto node = std::move(spare_.back());
        spare_.pop_back();
        node.key() = at_ns, node.mapped() = &entry;
        entry.place_ = entries_.insert(std::move(node));
    }
    if (stopped_) return;
    if (!armed_) return arm();
    if (at_ns < alarm_.at_ns) io_.cancel(alarm_);  // on_alarm sets it anew, for the earlier one.
}

void Deadlines::drop(Entry& entry) {
    ASSERT(entry.owner_ == this);
    auto node = entries_.extract(entry.place_);
    if (spare_.size() < spare_max) spare_.push_back(std::move(node));
    entry.owner_ = nullptr;
}

void Deadlines::arm() {
    ASSERT(!armed_ && !entries_.empty());
    alarm_.at_ns = entries_.begin()->first;
    const uint64_t now = io_.now_ns();
    alarm_.size = alarm_.at_ns > now ? alarm_.at_ns - now : 1;
    armed_ = true;
    io_.submit(alarm_);
}

void Deadlines::on_alarm() {
    armed_ = false;
    const uint64_t now = io_.now_ns();
    while (!stopped_ && !entries_.empty() && entries_.begin()->first <= now) {
        Entry& entry = *entries_.begin()->second;
        drop(entry);
        entry.on_deadline();
    }
    if (stopped_) return ended_.notify_all();
    if (!armed_ && !entries_.empty()) arm();
}

Task<> Deadlines::stop() {
    stopped_ = true;
    if (!armed_) co_return;
    io_.cancel(alarm_);
    co_await ended_;
}

}  // namespace millrace
