// Back-pressure on appends: while the storage has no room, producers wait here and go on in the order in
// which they came, so that no connection's appends change their order.
//
// Owned by one shard.
#pragma once
#include "millrace/io.h"
#include "millrace/log.h"
#include "millrace/task.h"

namespace millrace {

class AppendGate {
 public:
    AppendGate(Io& io, Storage& storage) : io_(io), storage_(storage), next_goes_(*this) {}
    AppendGate(const AppendGate&) = delete;

    // Nobody waits and there is room: append at once, without the two below.
    bool is_open() const { return next_ticket_ == serving_ && storage_.has_room(); }
    // Otherwise: enter, append before anything else is awaited, leave. After a failure of the storage it lets
    // everyone in, to be refused by their logs.
    Task<> enter();
    void leave();

 private:
    struct NextGoes final : Letter {
        explicit NextGoes(AppendGate& gate) : gate(gate) {}
        void deliver() override;
        AppendGate& gate;
        bool is_posted = false;
    };

    Io& io_;
    Storage& storage_;
    uint64_t next_ticket_ = 0, serving_ = 0;
    Signal moved_;
    NextGoes next_goes_;
};

}  // namespace millrace
