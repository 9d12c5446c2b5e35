// Producers in a queue, by ticket. The next one goes in a later turn, however many wait.
#include "millrace/append_gate.h"

namespace millrace {

Task<> AppendGate::enter() {
    const uint64_t ticket = next_ticket_++;
    while (ticket != serving_) co_await moved_;
    while (!storage_.has_room() && storage_.failure() == Error::none) {
        auto room = storage_.room();
        co_await room;
    }
}

void AppendGate::leave() {
    ASSERT(serving_ < next_ticket_);
    serving_++;
    if (serving_ == next_ticket_ || std::exchange(next_goes_.is_posted, true)) return;
    io_.post(io_.shard(), next_goes_);
}

void AppendGate::NextGoes::deliver() {
    is_posted = false;
    gate.moved_.notify_all();
}

}  // namespace millrace
