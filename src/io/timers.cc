// The heap behind Timers. Entry 0 is the earliest; the children of i are 4i+1 .. 4i+4.
#include "timers.h"

namespace millrace {

void Timers::place(size_t at, const Entry& entry) {
    heap_[at] = entry;
    entry.op->io_private = at;
}

void Timers::rise(size_t at, const Entry& entry) {
    while (at > 0) {
        const size_t parent = (at - 1) / 4;
        if (!(entry < heap_[parent])) break;
        place(at, heap_[parent]);
        at = parent;
    }
    place(at, entry);
}

void Timers::sink(size_t at, const Entry& entry) {
    for (;;) {
        const size_t first = 4 * at + 1;
        if (first >= heap_.size()) break;
        const auto end = std::min(first + 4, heap_.size());
        const auto least = std::min_element(heap_.begin() + first, heap_.begin() + end);
        if (!(*least < entry)) break;
        const size_t child = least - heap_.begin();
        place(at, heap_[child]);
        at = child;
    }
    place(at, entry);
}

void Timers::add(Op& op, uint64_t due_ns) {
    const Entry entry{due_ns, added_++, &op};
    heap_.push_back(entry);
    rise(heap_.size() - 1, entry);
    ASSERT(heap_[op.io_private].op == &op);
}

void Timers::take_out(size_t at) {
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    if (at > 0 && last < heap_[(at - 1) / 4])
        rise(at, last);
    else
        sink(at, last);
}

void Timers::remove(Op& op) {
    ASSERT(op.io_private < heap_.size());
    ASSERT(heap_[op.io_private].op == &op);
    take_out(op.io_private);
}

Op* Timers::take_due(uint64_t now_ns, uint64_t added_end) {
    if (heap_.empty() || heap_.front().due_ns > now_ns) return nullptr;
    if (heap_.front().number >= added_end) return nullptr;
    Op* op = heap_.front().op;
    take_out(0);
    return op;
}

std::optional<uint64_t> Timers::next_due_ns() const {
    if (heap_.empty()) return {};
    return heap_.front().due_ns;
}

}  // namespace millrace
