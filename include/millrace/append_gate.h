// Back-pressure on appends: while the storage has no room, who appends waits here and goes on in the order in
// which he came, so that no connection's appends change their order. The node's own records go first.
//
// Owned by one shard.
#pragma once
#include <deque>

#include "millrace/deadlines.h"
#include "millrace/io.h"
#include "millrace/log.h"
#include "millrace/task.h"

namespace millrace {

class AppendGate final : private RoomListener {
 public:
    enum class Order : uint8_t {
        own,        // The node's own records: before all clients'.
        client,     // After all that wait.
        continued,  // The rest of a request that went through a moment ago: before all other clients'.
    };

    AppendGate(Io& io, Storage& storage, Deadlines& deadlines);
    ~AppendGate();
    AppendGate(const AppendGate&) = delete;

    // Nobody waits and there is room: append at once, without entering.
    bool is_open() const { return own_.empty() && clients_.empty() && storage_.has_room(); }
    // Otherwise. Append once, before anything else is awaited. After a failure of the storage it lets
    // everyone in, to be refused by their logs. request_timed_out when there was no room by the deadline;
    // what close() said once the gate is closed.
    Task<Result<>> enter(Order order, uint64_t deadline_ns);
    // Whoever waits, or would have to wait from here, is refused with `error`.
    void close(Error error);
    size_t waiting() const { return own_.size() + clients_.size(); }

 private:
    class Place;
    struct Opening final : Letter {
        explicit Opening(AppendGate& gate) : gate(gate) {}
        void deliver() override;
        AppendGate& gate;
        bool is_posted = false;
    };

    void on_room() override;
    void let_in();

    Io& io_;
    Storage& storage_;
    Deadlines& deadlines_;
    std::deque<Place*> own_, clients_;
    Error closed_ = Error::none;
    Opening opening_{*this};
};

}  // namespace millrace
