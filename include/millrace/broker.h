// The broker: one request in, one reply out. What net/ needs to know of it, and nothing more.
//
// A request is handled on the shard that its connection belongs to; the work may cross to other shards, the
// reply comes back here. No sockets below this line, no Kafka semantics above it.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "millrace/base.h"
#include "millrace/io.h"
#include "millrace/task.h"

namespace millrace {

// Where the work of a connection's requests is done: what net/ needs to bring the connection there.
struct WorkPlace {
    void note(ShardId home) { run = home == shard ? run + 1 : 1, shard = home; }
    void note_nowhere() { run = 0; }  // Work in several places, or such as any shard does as well.
    ShardId shard{};
    uint32_t run = 0;    // So many requests in a row had work on `shard` and nowhere else.
    uint32_t moves = 0;  // Of the connection, so far.
};

// What outlives a connection's single requests. Owned by the connection.
struct ConnectionContext {
    uint64_t id = 0;
    std::string peer;           // "127.0.0.1:51234"
    std::string local;          // "127.0.0.1:9092": what this client knows the broker by.
    std::string listener;       // "PLAINTEXT"
    std::string software_name;  // From ApiVersions (KIP-511), empty before.
    std::string software_version;
    WorkPlace work;
    int32_t fetch_session = 0;  // The one that it used last.
};

// What a handler keeps for a connection, on its way to another shard.
class Luggage {
 public:
    virtual ~Luggage() = default;
};

// The bytes of one reply. Ends on the connection's shard once they are sent (or never will be).
class ReplyBody {
 public:
    virtual ~ReplyBody() = default;
    // The whole reply in order, its four size bytes first. Stays valid and unchanged until the end.
    virtual std::span<const Piece> pieces() const = 0;
    virtual size_t size() const = 0;
    // Nobody needs it any more. One that came from a stock goes back there.
    virtual void end() { delete this; }

    struct End {
        constexpr End() = default;
        template <class Body> constexpr End(std::default_delete<Body>) {}
        void operator()(ReplyBody* body) const { body->end(); }
    };
};

struct Reply {
    enum class Kind : uint8_t {
        answer,
        none,   // acks=0: nothing is sent.
        close,  // The connection ends, after the replies before this one; the handler has logged why.
    };
    Kind kind = Kind::close;
    std::unique_ptr<ReplyBody, ReplyBody::End> body;  // Only for an answer.
};

// How a request may run beside others of the same connection.
enum class Overlap : uint8_t {
    free,     // Starts at once; only its reply waits for its turn.
    barrier,  // Starts when every handler before it has ended; nothing after it starts before it has ended.
};

class RequestHandler {
 public:
    // Whether this request may run beside its neighbours; looks at the API key alone.
    virtual Overlap overlap(Bytes frame) const = 0;

    // `frame` is one request without its size bytes, contiguous, and stays valid until the Task has ended.
    // Untrusted: anything may be in it. The part up to the first suspension runs inside the call, so that
    // the appends of one connection keep their order. Never fails: a bad request is a Reply of kind close.
    virtual Task<Reply> handle(Bytes frame, ConnectionContext& connection) = 0;

    // The connection goes to another shard, where this arrives before its next request; nothing of it is
    // being handled.
    virtual std::unique_ptr<Luggage> leave(ConnectionContext&) { return {}; }
    virtual void arrive(std::unique_ptr<Luggage>) {}

 protected:
    ~RequestHandler() = default;
};

class Shard;

// The handler of one shard's requests. Owned by that shard's thread; `shard` must outlive it.
class Broker final : public RequestHandler, public MemoryUser {
 public:
    explicit Broker(Shard& shard);
    ~Broker();
    Overlap overlap(Bytes frame) const override;
    Task<Reply> handle(Bytes frame, ConnectionContext& connection) override;
    // Its fetch session goes with a connection.
    std::unique_ptr<Luggage> leave(ConnectionContext& connection) override;
    void arrive(std::unique_ptr<Luggage> luggage) override;
    // With scarce memory replies to fetches have a quarter of their budget.
    void set_pressure(MemoryPressure pressure) override;
    void trim() override;
    // Fetches that wait for memory are answered: the node stops.
    void end_waits();

    struct State;

 private:
    std::unique_ptr<State> state_;
};

}  // namespace millrace
