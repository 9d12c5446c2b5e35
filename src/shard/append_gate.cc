// Two queues of coroutines. They are let in in a turn of their own, each only while there is room.
#include "millrace/append_gate.h"

#include "millrace/answer.h"

namespace millrace {

// Lies in the waiting coroutine's frame.
class AppendGate::Place final : public Answer, public Deadlines::Entry {
 public:
    Place(std::deque<Place*>& queue, Order order) : queue_(queue) {
        if (order == Order::continued)
            queue_.push_front(this);
        else
            queue_.push_back(this);
    }
    ~Place() {
        if (!is_answered()) std::erase(queue_, this);
    }

 private:
    void on_deadline() override {
        std::erase(queue_, this);
        answer(Error::request_timed_out);
    }

    std::deque<Place*>& queue_;
};

AppendGate::AppendGate(Io& io, Storage& storage, Deadlines& deadlines)
    : io_(io), storage_(storage), deadlines_(deadlines) {
    storage_.set_room_listener(this);
}

AppendGate::~AppendGate() {
    ASSERT(waiting() == 0);
    storage_.set_room_listener(nullptr);
}

Task<Result<>> AppendGate::enter(Order order, uint64_t deadline_ns) {
    const bool is_first = own_.empty() && (order != Order::client || clients_.empty());
    // Clients are refused by the logs then, at once; the node's own records have the reserve.
    const bool refused = storage_.is_low_on_space();
    const bool may_pass = storage_.has_room() || storage_.failure() != Error::none;
    if ((is_first && may_pass) || refused) co_return Result<>{};
    if (closed_ != Error::none) co_return closed_;
    Place place{order == Order::own ? own_ : clients_, order};
    deadlines_.set(place, deadline_ns);
    storage_.want_room();
    const Error error = co_await place;
    if (error != Error::none) co_return error;
    co_return Result<>{};
}

void AppendGate::close(Error error) {
    ASSERT(error != Error::none);
    closed_ = error;
    for (std::deque<Place*>* queue : {&own_, &clients_})
        while (!queue->empty()) {
            Place* place = queue->front();
            queue->pop_front();
            place->answer(error);
        }
}

void AppendGate::on_room() {
    if (waiting() == 0 || std::exchange(opening_.is_posted, true)) return;
    io_.post(io_.shard(), opening_);
}

void AppendGate::Opening::deliver() {
    is_posted = false;
    gate.let_in();
}

void AppendGate::let_in() {
    while (waiting() > 0 && (storage_.has_room() || storage_.failure() != Error::none)) {
        std::deque<Place*>& queue = own_.empty() ? clients_ : own_;
        Place* place = queue.front();
        queue.pop_front();
        place->answer(Error::none);
    }
    if (waiting() > 0) storage_.want_room();
}

}  // namespace millrace
