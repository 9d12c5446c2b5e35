// Where clients come in: listeners and connections of one shard, and the small HTTP server for operators.
//
// No Kafka semantics above frames: requests go to a RequestHandler, replies leave in the order of their
// requests. Everything belongs to the shard whose Io it was given.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/broker.h"
#include "millrace/io.h"
#include "millrace/metrics.h"
#include "millrace/task.h"

namespace millrace {

// ---- Kafka's port --------------------------------------------------------------------------------------

struct NetOptions {
    // Of this shard, all listeners together; what comes above is closed at once.
    uint32_t connections_max = 100'000;
    uint32_t connections_per_host_max = UINT32_MAX;
    uint64_t idle_ms_max = 600'000;          // connections.max.idle.ms: nothing received, nothing to answer.
    uint32_t request_bytes_max = 100 << 20;  // socket.request.max.bytes

    // Of one connection. Above, its socket is not read until a reply has left: TCP pushes back.
    uint32_t requests_in_flight_max = 64;
    uint64_t bytes_in_flight_max = 8 << 20;  // Requests being handled and replies not sent.
    uint64_t send_ms_max = 30'000;           // A part of this size that the peer does not take in this time
    uint32_t send_bytes_max = 1 << 20;       // ends the connection.

    // Of the process: a connection whose descriptor's number is above is closed, and accepting pauses. The
    // rest is kept for files.
    int32_t descriptor_max = INT32_MAX;

    // Of this shard.
    uint64_t owned_bytes_max = 512 << 20;  // Requests that did not arrive in one piece. The next one waits,
                                           // its socket is not read.
    uint64_t alone_bytes_max = 32 << 20;  // One larger than all that is let in alone, and above this refused.
    uint64_t stall_ms_max = 30'000;       // Nothing received in the middle of one while others wait: closed.
    uint32_t views_max = 64;              // Receive buffers that requests may hold while they are handled.
};

struct ListenRequest {
    std::string listener;  // "PLAINTEXT"
    std::string address;   // "0.0.0.0:9092"; port 0: any.
    uint32_t flags = 0;    // Op::Listen: `sole` for the first shard, to find out that the port is taken.
};
struct Listening {
    int32_t error = 0;    // A negative errno when it cannot listen there.
    std::string address;  // With the port that it got.
};

// A connection between two shards of the process: nothing of it is being handled, received or sent.
struct MovingConnection {
    int fd = -1;
    ConnectionContext context;
    std::vector<uint8_t> unread;  // Received, not handled yet.
    std::unique_ptr<Luggage> luggage = {};
};

class Server final : public MemoryUser {
 public:
    // All must outlive it. Metrics are registered here.
    Server(Io& io, RequestHandler& handler, Metrics& metrics, const NetOptions& options);
    ~Server();
    Server(const Server&) = delete;

    // The error in the result is told to the caller only: nothing is logged.
    Task<Listening> listen(ListenRequest request);

    // From now on; connections that are open stay.
    void limit_connections(uint32_t all_max, uint32_t per_host_max);

    // With scarce memory requests in pieces have a quarter of their budget.
    void set_pressure(MemoryPressure pressure) override;
    void trim() override;

    // Ends all listeners and connections: nothing more is read, what runs is answered, for at most
    // `grace_ns`. No socket is open when it ends; handlers may still run.
    Task<> close(uint64_t grace_ns);
    // After close: ends when the last handler has. Then the server may be destroyed.
    Task<> drained();

    // A connection whose work is all on another shard moves there, unless that shard has too much to do
    // already or connections per host are limited (each shard counts its own). `bring` calls adopt() of that
    // shard's server, on that shard.
    using Bring = std::function<Task<bool>(ShardId, MovingConnection&)>;
    void let_move(Bring bring);
    // Goes on with it; closes its socket when this server is closing.
    Task<bool> adopt(MovingConnection& moving);

    // The process ends at once, on every shard: lets go of what replies hold, while the shards it belongs to
    // still stand.
    void drop_replies();

    size_t connection_count() const;

    class State;  // Private to src/net.

 private:
    std::unique_ptr<State> state_;
};

// ---- The operators' port -------------------------------------------------------------------------------

struct HttpResponse {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

// What there is to see, by GET and HEAD; and to do, by POST without a body (never from a web page: a request
// with an origin is 403).
class HttpRoutes {
 public:
    // `path` is decoded, without the query, and valid until the Task has ended. Unknown: status 404.
    virtual Task<HttpResponse> get(std::string_view path) = 0;
    virtual Task<HttpResponse> post(std::string_view) {
        co_return HttpResponse{.status = 405, .body = "405 Method Not Allowed\n"};
    }

 protected:
    ~HttpRoutes() = default;
};

struct HttpOptions {
    uint32_t connections_max = 64;
    uint32_t head_bytes_max = 8 << 10;  // Request line and fields; above: 431.
    uint64_t idle_ms_max = 30'000;      // Without a whole request, or with a reply that nobody takes.
};

// HTTP/1.1 with keep-alive. 400, 404, 405, 413, 431 and 505 where they belong; requests have no bodies.
class HttpServer {
 public:
    HttpServer(Io& io, HttpRoutes& routes, const HttpOptions& options = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;

    Task<Listening> listen(std::string address, uint32_t flags = 0);
    // Ends the listener and, once their replies are sent, the connections. Then it may be destroyed.
    Task<> close();

    class State;  // Private to src/net.

 private:
    std::unique_ptr<State> state_;
};

}  // namespace millrace
