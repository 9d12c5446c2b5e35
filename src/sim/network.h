// Sockets of all nodes: listeners, connections as two byte streams, links that can be cut.
//
// Invariants: what a stream delivers is a prefix of what was sent on it; window_bytes bounds what is between
// a send that was accepted and the receive that took it; a connection goes when both its ends are closed.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "millrace/io.h"
#include "millrace/sim.h"
#include "process.h"
#include "queue.h"
#include "random.h"

namespace millrace::sim {

class Network {
 public:
    Network(Queue& queue, const NetworkOptions& options, uint64_t seed);

    NetworkOptions& options() { return options_; }
    void set_process(const std::string& host, Process* process);  // Null: the node is down.

    // A socket operation of a shard; it is completed in a later event.
    void start(SimIo& io, Op& op, uint64_t id);
    // The operation will be completed elsewhere: no event here completes it any more.
    void cancel(SimIo& io, Op& op, uint64_t id);
    int32_t close(Process& process, int fd);
    // The process died: its peers' connections are reset.
    void drop(Process& process, Crash how);
    size_t open_sockets(const Process& process) const;
    std::string local_address(Process& process, int fd) const;
    std::string peer_address(Process& process, int fd) const;

    void cut(const std::string& from, const std::string& to);
    void heal(const std::string& from, const std::string& to);

 private:
    struct Waiting {  // An operation under way on a socket.
        SimIo* io;
        uint64_t id;
    };
    struct Segment {
        std::vector<uint8_t> bytes;
        bool is_end = false;  // Nothing comes after it.
    };
    enum class Farewell : uint8_t { end, reset, none };
    struct End {
        Process* process = nullptr;  // Null: closed.
        int fd = -1;                 // -1: not yet accepted.
        std::string host;            // Of its node.
        std::string address;
        // Outwards.
        uint64_t window_used = 0;
        uint64_t last_arrival_ns = 0;
        std::deque<Segment> flying;  // In order; each has one arrival planned or held.
        size_t held = 0;             // Arrivals that wait for a cut link.
        bool is_reset_held = false;
        // Inwards.
        std::deque<uint8_t> inbox;
        bool was_ended = false;  // By the peer.
        bool was_reset = false;
        bool shut = false;      // By its owner.
        bool vanished = false;  // In a power cut, without a word.
        std::optional<Waiting> receive, send;
        bool receive_planned = false, send_planned = false;
    };
    struct Connection {
        std::array<End, 2> ends;  // The one that connected first.
    };
    struct EndRef {
        uint64_t connection;
        uint8_t side;
        EndRef peer() const { return {connection, static_cast<uint8_t>(1 - side)}; }
    };
    struct Listener {
        Process* process;
        int fd;
        std::string host;
        uint16_t port;
        std::deque<EndRef> backlog;
        std::optional<Waiting> accept;
        bool accept_planned = false;
    };
    using SocketKey = std::pair<uint64_t, int>;  // The process's number, the descriptor.

    End* end_at(EndRef ref);
    End* end_of(Process& process, int fd);
    Listener* listener_of(Process& process, int fd);
    uint64_t latency_ns() { return delays_.between(options_.latency_ns); }
    uint64_t soon_ns() { return delays_.between({500, 20'000}); }
    void refuse(SimIo& io, uint64_t id, int32_t error);
    bool goes_on(bool wanted) { return wanted && !faults_.chance(options_.lapse); }

    void listen(SimIo& io, Op& op, uint64_t id);
    void accept(SimIo& io, Op& op, uint64_t id);
    void connect(SimIo& io, Op& op, uint64_t id);
    void receive(SimIo& io, Op& op, uint64_t id);
    void send(SimIo& io, Op& op, uint64_t id);
    void shutdown(SimIo& io, Op& op, uint64_t id);

    struct Dial {
        Waiting waiting;
        std::string host, target_host;
        bool is_local;
        uint16_t port;
    };
    void knock(const Dial& dial);
    Listener* pick_listener(const Dial& dial);
    void answer(const Dial& dial, EndRef ref);

    void plan_accept(SocketKey key);
    void pump_accept(SocketKey key);
    void plan_receive(EndRef ref);
    void pump_receive(EndRef ref);
    void plan_send(EndRef ref);
    void pump_send(EndRef ref);
    std::optional<int32_t> refused_send(const End& end) const;
    std::vector<uint8_t> take_from(End& end, size_t size);
    void transmit(EndRef from, std::vector<uint8_t> bytes);
    void dispatch(EndRef from, Segment segment);
    void arrive(EndRef from);
    void dispatch_reset(EndRef from);
    void break_connection(EndRef ref);
    void reset(EndRef ref);
    void close_end(EndRef ref, Farewell farewell);
    void forget_if_closed(uint64_t connection);
    bool is_unreachable(const End& from, const End& to) const;
    void release_held(EndRef from);
    bool is_cut(const std::string& from, const std::string& to) const { return cut_.contains({from, to}); }

    Queue& queue_;
    NetworkOptions options_;
    Random delays_, faults_;
    std::map<std::string, Process*> processes_;  // By host; running ones.
    std::map<SocketKey, Listener> listeners_;
    std::map<SocketKey, EndRef> sockets_;
    std::map<uint64_t, Connection> connections_;
    std::set<std::pair<std::string, std::string>> cut_;
    std::map<std::string, uint16_t> last_port_;  // Ephemeral, by host.
    uint64_t last_connection_ = 0;
};

}  // namespace millrace::sim
