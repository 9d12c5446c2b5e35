// Peers that misbehave: what they cost, when they go, and the one line that says so.
#include "net_fixture.h"

namespace millrace {
namespace {

// Sends the bytes and waits for the end; whether it came.
Task<bool> send_and_wait(Io& io, std::string address, std::vector<uint8_t> bytes) {
    Peer peer{io};
    if (!co_await peer.connect(address)) co_return false;
    co_await peer.send(std::move(bytes));
    while (co_await peer.more()) continue;
    co_await peer.close();
    co_return true;
}

// Connects, sends, and does nothing more until told.
Task<> hold(Io& io, std::string address, std::vector<uint8_t> bytes, Signal& let_go) {
    Peer peer{io};
    if (co_await peer.connect(address)) {
        co_await peer.send(std::move(bytes));
        co_await let_go;
        co_await peer.close();
    }
}

size_t lines_with(const SimWorld& world, std::string_view part) {
    return std::ranges::count_if(
        world.lines(), [&](const SimLine& line) { return line.text.find(part) != std::string::npos; });
}

TEST_CASE("bytes that are no request close the connection with one line that names the peer and the cause") {
    const auto closes = [](std::vector<uint8_t> bytes, std::string_view cause) {
        NetWorld net{{}, {.request_bytes_max = 1'000'000}};
        CHECK(run_on(net.world, net.client, send_and_wait(net.client_io(), net.address(), bytes)) == true);
        CHECK(lines_with(net.world, "connection closed") == 1);
        CHECK(net.world.has_line("peer=" + net.client.address()));
        CHECK(net.world.has_line(cause));
        CHECK(net.handler().started == 0);
        net.close();
    };
    closes({0, 0, 0, 0}, "request size not positive");
    closes({0x80, 0, 0, 1, 5}, "request size not positive");
    closes({0x7f, 0xff, 0xff, 0xff}, "request too large");
    closes({0x16, 0x03, 0x01, 0x00, 0xa5, 0x01}, "TLS handshake on a plaintext port");
    const std::string_view http = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    closes({http.begin(), http.end()}, "HTTP request on the Kafka port");
}

TEST_CASE("others are not disturbed by a bad peer") {
    NetWorld net;
    net.client.spawn(hold(net.client_io(), net.address(), request_bytes(Mode::at_once, 0, 10), net.let_go));
    REQUIRE(net.world.run_until([&] { return net.handler().started == 1; }, second));
    CHECK(run_on(net.world, net.client, send_and_wait(net.client_io(), net.address(), {0, 0, 0, 0})) == true);
    CHECK(net.serving().server.connection_count() == 1);
    net.let_go.notify_all();
    net.world.run_for(second);
    net.close();
}

TEST_CASE("connections above the limit, or above a host's, are closed at once") {
    for (const bool per_host : {false, true}) {
        NetOptions options;
        (per_host ? options.connections_per_host_max : options.connections_max) = 3;
        NetWorld net{{}, options};
        for (int i = 0; i < 3; i++) net.client.spawn(hold(net.client_io(), net.address(), {}, net.let_go));
        REQUIRE(net.world.run_until([&] { return net.serving().server.connection_count() == 3; }, second));
        CHECK(run_on(net.world, net.client, send_and_wait(net.client_io(), net.address(), {})) == true);
        CHECK(lines_with(net.world, "connection refused") == 1);
        net.let_go.notify_all();
        REQUIRE(net.world.run_until([&] { return net.serving().server.connection_count() == 0; }, second));
        net.client.spawn(hold(net.client_io(), net.address(), {}, net.let_go));
        CHECK(net.world.run_until([&] { return net.serving().server.connection_count() == 1; }, second));
        net.let_go.notify_all();
        net.close();
    }
}

TEST_CASE("a limit that is lowered while connections are open counts for those that come") {
    NetWorld net{{}, {}};
    for (int i = 0; i < 3; i++) net.client.spawn(hold(net.client_io(), net.address(), {}, net.let_go));
    REQUIRE(net.world.run_until([&] { return net.serving().server.connection_count() == 3; }, second));
    net.serving().server.limit_connections(2, UINT32_MAX);
    CHECK(run_on(net.world, net.client, send_and_wait(net.client_io(), net.address(), {})) == true);
    CHECK(net.serving().server.connection_count() == 3);
    net.serving().server.limit_connections(100, 4);
    net.client.spawn(hold(net.client_io(), net.address(), {}, net.let_go));
    CHECK(net.world.run_until([&] { return net.serving().server.connection_count() == 4; }, second));
    CHECK(run_on(net.world, net.client, send_and_wait(net.client_io(), net.address(), {})) == true);
    CHECK(lines_with(net.world, "connection refused") == 2);
    net.let_go.notify_all();
    net.close();
}

TEST_CASE("idle connections end, parked ones do not") {
    NetWorld net{{}, {.idle_ms_max = 1'000}};
    net.client.spawn(hold(net.client_io(), net.address(), request_bytes(Mode::parked, 0, 10), net.let_go));
    CHECK(run_on(net.world, net.client, send_and_wait(net.client_io(), net.address(), {0, 0})) == true);
    net.world.run_for(5 * second);
    CHECK(net.serving().server.connection_count() == 1);
    net.handler().unpark.notify_all();
    CHECK(net.world.run_until([&] { return net.serving().server.connection_count() == 0; }, 2 * second));
    net.let_go.notify_all();
    net.close();
}

TEST_CASE("a peer that does not take its replies is closed after a while, its memory bounded until then") {
    NetWorld net{{.network = {.window_bytes = 10'000}},
                 {.bytes_in_flight_max = 100'000, .send_ms_max = 2'000, .send_bytes_max = 20'000}};
    std::vector<uint8_t> flood;
    for (uint32_t i = 0; i < 200; i++) {
        const auto one = request_bytes(Mode::large, i, 0);
        flood.insert(flood.end(), one.begin(), one.end());
    }
    net.client.spawn(hold(net.client_io(), net.address(), flood, net.let_go));
    net.world.run_for(second);
    CHECK(net.handler().bodies > 0);
    CHECK(net.handler().bodies <= 10);  // What the limit allows, and what ran when it was reached.
    CHECK(net.server.receive_buffers_out() == 0);
    CHECK(net.world.run_until([&] { return net.serving().server.connection_count() == 0; }, 10 * second));
    CHECK(net.world.has_line("the peer does not take its replies"));
    net.let_go.notify_all();
    net.close();
}

TEST_CASE("a peer that vanishes while its requests run leaves nothing") {
    NetWorld net;
    net.client.spawn(hold(net.client_io(), net.address(), request_bytes(Mode::parked, 0, 9'000), net.let_go));
    REQUIRE(net.world.run_until([&] { return net.handler().started == 1; }, second));
    net.let_go.notify_all();
    net.world.run_for(second);
    CHECK(net.serving().server.connection_count() == 1);  // It might still read.
    net.handler().unpark.notify_all();
    net.world.run_for(second);
    CHECK(net.serving().server.connection_count() == 0);
    net.close();
}

TEST_CASE("many idle connections at once are served, and closed with the server") {
    NetWorld net{{.network = {.receive_buffers = 4}}};
    for (int i = 0; i < 1'000; i++) net.client.spawn(hold(net.client_io(), net.address(), {}, net.let_go));
    REQUIRE(
        net.world.run_until([&] { return net.serving().server.connection_count() == 1'000; }, 10 * second));
    CHECK(net.server.receive_buffers_out() == 0);
    net.close();
    net.let_go.notify_all();
    net.world.run_for(second);
}

}  // namespace
}  // namespace millrace
