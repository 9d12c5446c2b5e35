// Connections in the simulated world: order, overlap, pushing back, and every way to end.
#include "connection.h"

#include "net_fixture.h"

namespace millrace {
namespace {

using Numbers = std::vector<uint32_t>;
using Stream = std::vector<uint8_t>;

struct Wish {
    Mode mode;
    size_t payload = 0;
};

Stream stream_of(std::span<const Wish> wishes) {
    Stream stream;
    for (uint32_t i = 0; i < wishes.size(); i++) {
        const auto bytes = request_bytes(wishes[i].mode, i, wishes[i].payload);
        stream.insert(stream.end(), bytes.begin(), bytes.end());
    }
    return stream;
}

// Sends everything at once; the numbers of the replies until the end or `count` of them.
Task<Numbers> converse(Io& io, std::string address, Stream stream, size_t count) {
    Peer peer{io};
    Numbers numbers;
    if (!co_await peer.connect(address)) co_return numbers;
    co_await peer.send(std::move(stream));
    while (numbers.size() < count) {
        const auto number = co_await peer.reply();
        if (!number) break;
        numbers.push_back(*number);
    }
    co_await peer.close();
    co_return numbers;
}

// Sends everything, says that this was all, and waits for the server's end.
Task<> ask_and_end(Io& io, std::string address, Stream stream) {
    Peer peer{io};
    if (!co_await peer.connect(address)) co_return;
    co_await peer.send(std::move(stream));
    co_await peer.close();
}

Numbers up_to(uint32_t count) {
    Numbers numbers(count);
    for (uint32_t i = 0; i < count; i++) numbers[i] = i;
    return numbers;
}

TEST_CASE("replies come in the order of their requests while the work overlaps") {
    NetWorld net;
    std::vector<Wish> wishes(20, {Mode::later, 10});
    for (size_t i = 0; i < wishes.size(); i += 3) wishes[i].mode = Mode::at_once;
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(wishes), 20)) ==
          up_to(20));
    CHECK(net.handler().most_running > 5);
    net.close();
}

TEST_CASE("a barrier runs alone") {
    NetWorld net;
    const std::vector<Wish> wishes{{Mode::later},   {Mode::later}, {Mode::barrier}, {Mode::at_once},
                                   {Mode::barrier}, {Mode::none},  {Mode::barrier}};
    const Numbers expected{0, 1, 2, 3, 4, 6};
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(wishes), 6)) ==
          expected);
    net.close();
}

TEST_CASE("requests without a reply make room for those behind them") {
    NetWorld net{{}, {.requests_in_flight_max = 4}};
    std::vector<Wish> wishes(300, {Mode::none, 3});
    wishes.push_back({Mode::at_once});
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(wishes), 1)) ==
          Numbers{300});
    net.close();
}

TEST_CASE("at most so many requests of a connection run at once") {
    NetWorld net{{}, {.requests_in_flight_max = 3}};
    const std::vector<Wish> wishes(40, {Mode::later, 50});
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(wishes), 40)) ==
          up_to(40));
    CHECK(net.handler().most_running == 3);
    net.close();
}

TEST_CASE("bytes in flight push back, but one request may always run") {
    NetWorld net{{}, {.bytes_in_flight_max = 5'000}};
    const std::vector<Wish> wishes(20, {Mode::later, 4'000});
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(wishes), 20)) ==
          up_to(20));
    CHECK(net.handler().most_running == 2);
    const std::vector<Wish> whale{{Mode::later, 300'000}};
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(whale), 1)) ==
          up_to(1));
    net.close();
}

TEST_CASE("a reply that ends the connection lets those before it out") {
    NetWorld net;
    const std::vector<Wish> wishes{{Mode::later}, {Mode::large}, {Mode::close}, {Mode::at_once}};
    CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(wishes), 9)) ==
          up_to(2));
    CHECK(net.world.run_until([&] { return net.serving().server.connection_count() == 0; }, second));
    net.close();
}

TEST_CASE("parked requests hold no receive buffer") {
    NetWorld net{{.network = {.receive_buffers = 4}}};
    const std::vector<Wish> wishes{{Mode::parked, 300}, {Mode::barrier, 5'000}};
    std::vector<std::optional<Numbers>> got(30);
    for (auto& one : got)
        net.client.spawn(keep_value(converse(net.client_io(), net.address(), stream_of(wishes), 2), one));
    REQUIRE(net.world.run_until([&] { return net.handler().started == 30; }, 10 * second));
    net.world.run_for(second);
    CHECK(net.server.receive_buffers_out() == 0);
    net.handler().unpark.notify_all();
    REQUIRE(net.world.run_until([&] { return std::ranges::all_of(got, [](auto& one) { return !!one; }); },
                                10 * second));
    for (const auto& one : got) CHECK(*one == up_to(2));
    net.close();
}

TEST_CASE("a peer that has ended is not read again while its request runs") {
    NetWorld net;
    const std::vector<Wish> never{{Mode::parked}};
    net.client.spawn(ask_and_end(net.client_io(), net.address(), stream_of(never)));
    REQUIRE(net.world.run_until([&] { return net.handler().started == 1; }, second));
    net.world.run_for(second);
    const uint64_t before = net.world.turns();
    net.world.run_for(second);
    CHECK(net.world.turns() - before < 100);
    net.handler().unpark.notify_all();
    CHECK(net.world.run_until([&] { return net.serving().server.connection_count() == 0; }, second));
    net.close();
}

TEST_CASE("a closing server answers what runs and ends within its grace") {
    NetWorld net;
    const std::vector<Wish> wishes{{Mode::later}, {Mode::later}};
    std::optional<Numbers> answered, parked;
    net.client.spawn(keep_value(converse(net.client_io(), net.address(), stream_of(wishes), 9), answered));
    const std::vector<Wish> never{{Mode::parked}};
    net.client.spawn(keep_value(converse(net.client_io(), net.address(), stream_of(never), 9), parked));
    REQUIRE(net.world.run_until([&] { return net.handler().started == 3; }, second));
    std::optional<bool> closed;
    net.server.spawn(keep_value(close_server(net.serving(), 100 * ms), closed));
    REQUIRE(net.world.run_until([&] { return answered && parked; }, second));
    CHECK(*answered == up_to(2));
    CHECK(parked->empty());
    net.world.run_for(second);
    CHECK_FALSE(closed);  // A handler still runs.
    net.handler().unpark.notify_all();
    CHECK(net.world.run_until([&] { return closed.has_value(); }, second));
    CHECK(net.server.open_descriptors() == 0);
    CHECK(net.handler().bodies == 0);
}

TEST_CASE("an idle connection is small") {
    CHECK(sizeof(Connection) < 800);  // The rest of 2 KiB is for addresses and the map.
}

// ---- Anything may happen -------------------------------------------------------------------------------

struct Expectation {
    Numbers replies;
    bool complete = false;
};

class Chaos {
 public:
    explicit Chaos(uint64_t seed) : dice_({.seed = seed * 31}), net_(sim_options(seed), net_options()) {}

    void run() {
        const size_t clients = 2 + below(3);
        for (size_t i = 0; i < clients; i++) clients_.emplace_back(), plan(clients_.back());
        for (Client& client : clients_) net_.client.spawn(live(net_, client));
        const auto over = [this] {
            return std::ranges::all_of(clients_, [](const Client& c) { return c.over; });
        };
        REQUIRE(net_.world.run_until(over, 600 * second));
        for (const Client& client : clients_) check(client);
        net_.close();
    }

 private:
    struct Client {
        std::vector<Wish> wishes;
        std::vector<size_t> cuts;  // Sizes of what is sent in one go.
        Numbers expected, got;
        bool reads_while_sending = true;
        bool over = false;
    };

    uint64_t below(uint64_t limit) { return dice_.random() % limit; }
    uint64_t one_of(std::initializer_list<uint64_t> choices) {
        return choices.begin()[below(choices.size())];
    }

    SimOptions sim_options(uint64_t seed) {
        resets_ = below(3) == 0;
        return {.seed = seed,
                .network = {.window_bytes = one_of({1'000, 20'000, 256 << 10}),
                            .piece_max = one_of({31, 400, 3'000, 64 << 10}),
                            .receive_buffers = static_cast<uint16_t>(one_of({2, 8, 64})),
                            .receive_buffer_size = static_cast<uint32_t>(one_of({200, 1'000, 16 << 10})),
                            .reset = static_cast<uint32_t>(resets_ ? 5'000 : 0),
                            .short_send = static_cast<uint32_t>(one_of({0, 300'000})),
                            .lapse = static_cast<uint32_t>(one_of({0, 200'000}))}};
    }
    NetOptions net_options() {
        return {.requests_in_flight_max = static_cast<uint32_t>(one_of({1, 2, 5, 64})),
                .bytes_in_flight_max = one_of({1, 3'000, 100'000, 8 << 20}),
                .send_bytes_max = static_cast<uint32_t>(one_of({1'000, 1 << 20})),
                .views_max = static_cast<uint32_t>(one_of({0, 1, 64}))};
    }

    void plan(Client& client) {
        const size_t count = 1 + below(60);
        for (uint32_t i = 0; i < count; i++) {
            constexpr Mode modes[] = {Mode::at_once, Mode::at_once,    Mode::later,   Mode::later,
                                      Mode::none,    Mode::none_later, Mode::barrier, Mode::large};
            Wish wish{modes[below(8)], below(10) ? below(700) : below(20'000)};
            if (i + 1 == count && below(4) == 0) wish.mode = Mode::close;
            const bool answers =
                wish.mode != Mode::none && wish.mode != Mode::none_later && wish.mode != Mode::close;
            if (answers) client.expected.push_back(i);
            client.wishes.push_back(wish);
        }
        const size_t whole = stream_of(client.wishes).size();
        for (size_t sum = 0; sum < whole; sum += client.cuts.back())
            client.cuts.push_back(1 + below(one_of({3, 500, 50'000})));
        client.reads_while_sending = below(4) != 0;
    }

    static Task<> send(Peer& peer, const Client& client) {
        const Stream stream = stream_of(client.wishes);
        size_t at = 0;
        for (const size_t cut : client.cuts) {
            const size_t end = std::min(stream.size(), at + cut);
            const Stream part(stream.begin() + static_cast<ptrdiff_t>(at),
                              stream.begin() + static_cast<ptrdiff_t>(end));
            if (!co_await peer.send(part)) co_return;
            at = end;
        }
    }
    static Task<> read(Peer& peer, Client& client) {
        while (client.got.size() < client.expected.size()) {
            const auto number = co_await peer.reply();
            if (!number) co_return;
            client.got.push_back(*number);
        }
    }
    static Task<> live(NetWorld& net, Client& client) {
        Peer peer{net.client_io()};
        if (co_await peer.connect(net.address())) {
            std::vector<Task<>> both;
            both.push_back(send(peer, client));
            both.push_back(read(peer, client));
            co_await gather(std::move(both));
            co_await peer.close();
        }
        client.over = true;
    }

    void check(const Client& client) {
        REQUIRE(client.got.size() <= client.expected.size());
        CHECK(std::equal(client.got.begin(), client.got.end(), client.expected.begin()));
        if (!resets_) CHECK(client.got.size() == client.expected.size());
    }

    SimWorld dice_;
    bool resets_ = false;
    NetWorld net_;
    std::deque<Client> clients_;
};

TEST_CASE(
    "over 200 seeds of cut, short, lapsing and broken streams replies stay in order and nothing leaks") {
    for (uint64_t seed = 1; seed <= 200; seed++) {
        CAPTURE(seed);
        Chaos{seed}.run();
    }
}

TEST_CASE("a node that crashes under traffic comes back and serves") {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        CAPTURE(seed);
        NetWorld net{{.seed = seed}};
        const std::vector<Wish> wishes(50, {Mode::later, 3'000});
        std::vector<std::optional<Numbers>> got(5);
        for (auto& one : got)
            net.client.spawn(
                keep_value(converse(net.client_io(), net.address(), stream_of(wishes), 50), one));
        net.world.run_for(net.world.random() % (20 * ms));
        net.server.crash(Crash::kill);
        net.world.run_for(10 * second);
        net.server.restart();
        REQUIRE(net.world.run_until([&] { return !net.serving().listening.address.empty(); }, second));
        const std::vector<Wish> again{{Mode::at_once}};
        CHECK(run_on(net.world, net.client, converse(net.client_io(), net.address(), stream_of(again), 1)) ==
              up_to(1));
        net.close();
    }
}

}  // namespace
}  // namespace millrace
