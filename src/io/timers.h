// The shard's timers: a four-ary heap of sleeping ops by time, then by the order in which they were added.
//
// An op's place in the heap stands in its io_private, so that cancelling costs as little as adding.
#pragma once
#include <optional>
#include <vector>

#include "millrace/io.h"

namespace millrace {

class Timers {
 public:
    void add(Op& op, uint64_t due_ns);
    void remove(Op& op);
    // The first one whose time has come, taken out; null when there is none. Only of those that were added
    // before `added` reached `added_end`: what a timer starts belongs to a later turn.
    Op* take_due(uint64_t now_ns, uint64_t added_end);
    uint64_t added() const { return added_; }
    // When the next one is due.
    std::optional<uint64_t> next_due_ns() const;
    size_t size() const { return heap_.size(); }

 private:
    struct Entry {
        uint64_t due_ns;
        uint64_t number;
        Op* op;
        bool operator<(const Entry& other) const {
            return due_ns != other.due_ns ? due_ns < other.due_ns : number < other.number;
        }
    };
    void place(size_t at, const Entry& entry);
    void rise(size_t at, const Entry& entry);
    void sink(size_t at, const Entry& entry);
    void take_out(size_t at);

    std::vector<Entry> heap_;
    uint64_t added_ = 0;
};

}  // namespace millrace
