// Connections that move to the shard of their work, in the simulated world: no request is lost, doubled or
// out of order, whatever was in flight, and nothing stays behind.
#include "millrace/crossing.h"
#include "net_fixture.h"

namespace millrace {
namespace {

// Says that all work is on one shard, counts who handles what, answers after a while.
class TravellingHandler final : public RequestHandler {
 public:
    TravellingHandler(Io& io, ShardId work) : io_(io), work_(work) {}
    Overlap overlap(Bytes) const override { return Overlap::free; }
    Task<Reply> handle(Bytes frame, ConnectionContext& connection) override {
        const auto number = load_big<uint32_t>(frame.data() + 1);
        CHECK(is_intact(frame, number));
        handled++;
        connection.work.note(work_);
        if (number % 3) co_await sleep_for(io_, 1 + number * 7919 % ms);
        co_return Reply{.kind = Reply::Kind::answer, .body = std::make_unique<Body>(number)};
    }
    std::unique_ptr<Luggage> leave(ConnectionContext& connection) override {
        left++;
        return std::make_unique<Case>(connection.peer);
    }
    void arrive(std::unique_ptr<Luggage> luggage) override {
        CHECK(!static_cast<Case&>(*luggage).peer.empty());
        arrived++;
    }
    uint32_t handled = 0, left = 0, arrived = 0;

 private:
    struct Case final : Luggage {
        explicit Case(std::string peer) : peer(std::move(peer)) {}
        std::string peer;
    };
    struct Body final : ReplyBody {
        explicit Body(uint32_t number) {
            store_big(bytes.data(), uint32_t{4});
            store_big(bytes.data() + 4, number);
        }
        std::span<const Piece> pieces() const override { return {&piece, 1}; }
        size_t size() const override { return bytes.size(); }
        std::array<uint8_t, 8> bytes;
        Piece piece{bytes.data(), bytes.size()};
    };
    Io& io_;
    ShardId work_;
};

// Two shards that listen on one port; the work is on shard 1.
struct TwoShards final : SimProgram {
    TwoShards(SimNode& node, const NetOptions& options) {
        for (uint16_t i = 0; i < 2; i++) {
            handlers[i].emplace(node.io(i), ShardId{1});
            servers[i].emplace(node.io(i), *handlers[i], metrics[i], options);
        }
        for (uint16_t i = 0; i < 2; i++)
            servers[i]->let_move([this, &node, i](ShardId to, MovingConnection& moving) {
                return cross<bool>(node.io(i), node.io(to.value),
                                   [this, to, &moving] { return servers[to.value]->adopt(moving); });
            });
        node.spawn(start(*this));
    }
    static Task<> start(TwoShards& self) {
        for (auto& server : self.servers)
            self.listening = co_await server->listen({.listener = "PLAINTEXT", .address = "0.0.0.0:9092"});
    }
    std::array<Metrics, 2> metrics;
    std::array<std::optional<TravellingHandler>, 2> handlers;
    std::array<std::optional<Server>, 2> servers;
    Listening listening;
};

Task<bool> close_both(TwoShards& shards, SimNode& node) {
    for (uint16_t i = 0; i < 2; i++) {
        auto closing = cross<bool>(node.io(0), node.io(i), [&shards, i]() -> Task<bool> {
            return [](Server& server) -> Task<bool> {
                co_await server.close(second);
                co_await server.drained();
                co_return true;
            }(*shards.servers[i]);
        });
        co_await closing;
    }
    co_return true;
}

struct TravelWorld {
    explicit TravelWorld(uint64_t seed, const NetOptions& net = {})
        : world({.seed = seed}), server(world.add_node({.shards = 2})), client(world.add_node()) {
        server.boot([net](SimNode& node) { return std::make_unique<TwoShards>(node, net); });
        world.run_for(10 * ms);
    }
    TwoShards& shards() { return *static_cast<TwoShards*>(server.program()); }
    std::string address() const { return server.address() + ":9092"; }
    void close() {
        REQUIRE(run_on(world, server, close_both(shards(), server)));
        CHECK(server.receive_buffers_out() == 0);
        CHECK(server.open_descriptors() == 0);
    }
    SimWorld world;
    SimNode& server;
    SimNode& client;
};

// `count` requests of changing size, all sent before the first reply is read; how many came back in order.
Task<uint32_t> pipeline(Io& io, std::string address, uint32_t count) {
    Peer peer{io};
    if (!co_await peer.connect(address)) co_return 0;
    std::vector<uint8_t> stream;
    for (uint32_t i = 0; i < count; i++) {
        const auto bytes = request_bytes(Mode::at_once, i, i * 37 % 900);
        stream.insert(stream.end(), bytes.begin(), bytes.end());
    }
    co_await peer.send(std::move(stream));
    uint32_t in_order = 0;
    while (in_order < count) {
        const auto number = co_await peer.reply();
        if (!number) break;
        CHECK(*number == in_order);
        in_order++;
    }
    co_await peer.close();
    co_return in_order;
}

constexpr uint32_t connections = 6, requests = 300;

Task<> talk(TravelWorld& travel, uint32_t& finished, uint32_t& answered) {
    auto talking = pipeline(travel.client.io(), travel.address(), requests);
    answered += co_await talking;
    finished++;
}

TEST_CASE("a connection moves to the shard of its work and loses nothing on the way") {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        TravelWorld travel{seed};
        uint32_t finished = 0, answered = 0;
        for (uint32_t i = 0; i < connections; i++) travel.client.spawn(talk(travel, finished, answered));
        REQUIRE(travel.world.run_until([&] { return finished == connections; }, 60 * second));
        CHECK(answered == connections * requests);
        auto& [first, second_shard] = travel.shards().handlers;
        CHECK(first->handled + second_shard->handled == connections * requests);
        CHECK(second_shard->handled > first->handled);
        CHECK(first->left > 0);
        CHECK(second_shard->arrived == first->left);
        travel.close();
    }
}

TEST_CASE("connections stay where hosts may have only so many of a shard's") {
    TravelWorld travel{5, {.connections_per_host_max = 10}};
    const auto talk = [&] {
        CHECK(run_on(travel.world, travel.client, pipeline(travel.client.io(), travel.address(), 100)) ==
              100);
    };
    for (int i = 0; i < 8; i++) talk();
    CHECK(travel.shards().handlers[0]->handled % 100 == 0);
    CHECK(travel.shards().handlers[1]->handled % 100 == 0);
    travel.close();
}

TEST_CASE("a server that closes while connections move to it leaves no socket behind") {
    for (uint64_t seed = 1; seed <= 40; seed++) {
        TravelWorld travel{seed};
        uint32_t finished = 0, answered = 0;
        for (uint32_t i = 0; i < connections; i++) travel.client.spawn(talk(travel, finished, answered));
        travel.world.run_for(seed * ms / 4);
        travel.close();
        REQUIRE(travel.world.run_until([&] { return finished == connections; }, 60 * second));
    }
}

}  // namespace
}  // namespace millrace
