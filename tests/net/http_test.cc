// The operators' HTTP server in the simulated world.
#include <doctest/doctest.h>

#include "net_fixture.h"

namespace millrace {
namespace {

class TestRoutes final : public HttpRoutes {
 public:
    explicit TestRoutes(Io& io) : io_(io) {}
    Task<HttpResponse> get(std::string_view path) override {
        if (path == "/livez") co_return HttpResponse{.body = "ok\n"};
        if (path == "/large") co_return HttpResponse{.body = std::string(300'000, 'x')};
        if (path == "/slow") {
            co_await sleep_for(io_, 50 * ms);
            co_return HttpResponse{.body = "slow\n"};
        }
        co_return HttpResponse{.status = 404, .body = "404 Not Found\n"};
    }

 private:
    Io& io_;
};

struct Admin final : SimProgram {
    Admin(SimNode& node, const HttpOptions& options) : routes(node.io()), server(node.io(), routes, options) {
        node.spawn(start(*this));
    }
    static Task<> start(Admin& self) { self.listening = co_await self.server.listen("0.0.0.0:9644"); }
    TestRoutes routes;
    HttpServer server;
    Listening listening;
};

Task<bool> close_admin(Admin& admin) {
    co_await admin.server.close();
    co_return true;
}

struct HttpWorld {
    explicit HttpWorld(const HttpOptions& options = {}, const SimOptions& sim = {}) : world(sim) {
        server.boot([options](SimNode& node) { return std::make_unique<Admin>(node, options); });
        REQUIRE(world.run_until([this] { return !admin().listening.address.empty(); }, second));
    }
    Admin& admin() { return *static_cast<Admin*>(server.program()); }
    std::string address() const { return server.address() + ":9644"; }
    std::string ask(std::string text);
    void close() {
        REQUIRE(run_on(world, server, close_admin(admin())));
        CHECK(server.receive_buffers_out() == 0);
        CHECK(server.open_descriptors() == 0);
    }
    SimWorld world;
    SimNode& server = world.add_node();
    SimNode& client = world.add_node();
};

// All that comes back until the server ends the connection.
Task<std::string> talk(Io& io, std::string address, std::string text) {
    Peer peer{io};
    if (!co_await peer.connect(address)) co_return "refused";
    co_await peer.send({text.begin(), text.end()});
    while (co_await peer.more()) continue;
    co_await peer.close();
    co_return std::string(peer.inbox.begin(), peer.inbox.end());
}

std::string HttpWorld::ask(std::string text) {
    return run_on(world, client, talk(client.io(), address(), std::move(text))).value_or("crashed");
}

TEST_CASE("a path is answered with its status, type and body") {
    HttpWorld http;
    const std::string answer = http.ask("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(answer ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
          "Cache-Control: no-store\r\nConnection: close\r\n\r\nok\n");
    CHECK(http.ask("GET /none HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404 Not Found\r\n"));
    const std::string head = http.ask("HEAD /livez HTTP/1.0\r\n\r\n");
    CHECK(head.find("Content-Length: 3\r\n") != std::string::npos);
    CHECK(head.ends_with("\r\n\r\n"));
    http.close();
}

TEST_CASE("one connection serves requests in turn, pipelined ones too") {
    HttpWorld http;
    const std::string answer = http.ask(
        "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const size_t slow = answer.find("slow\n"), live = answer.find("ok\n");
    CHECK(slow < live);
    CHECK(live != std::string::npos);
    CHECK(answer.ends_with(std::string(300'000, 'x')));
    http.close();
}

TEST_CASE("what is not served says so and closes") {
    HttpWorld http;
    const std::string method = http.ask("DELETE /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(method.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    CHECK(method.find("Allow: GET, HEAD\r\n") != std::string::npos);
    CHECK(http.ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(http.ask("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(9'000, 'a') + "\r\n\r\n")
              .starts_with("HTTP/1.1 431 "));
    CHECK(http.ask("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(100'000, 'a'))
              .starts_with("HTTP/1.1 431 "));
    http.close();
}

TEST_CASE("idle connections end, and a closing server waits for none of them") {
    HttpWorld http{{.idle_ms_max = 1'000}};
    CHECK(http.ask("GET /liv").empty());
    std::optional<std::string> idle;
    http.client.spawn(keep_value(talk(http.client.io(), http.address(), "GET"), idle));
    http.world.run_for(100 * ms);
    http.close();
    CHECK(http.world.run_until([&] { return idle.has_value(); }, second));
}

TEST_CASE("connections above the limit are closed at once") {
    HttpWorld http{{.connections_max = 1}};
    std::optional<std::string> first;
    http.client.spawn(keep_value(talk(http.client.io(), http.address(), ""), first));
    http.world.run_for(100 * ms);
    CHECK(http.ask("GET /livez HTTP/1.0\r\n\r\n").empty());
    CHECK_FALSE(first);
    http.close();
}

TEST_CASE("over many seeds of cut and broken streams nothing leaks") {
    for (uint64_t seed = 1; seed <= 60; seed++) {
        CAPTURE(seed);
        SimOptions sim{
            .seed = seed,
            .network = {.piece_max = 1 + seed % 50, .receive_buffers = 3, .receive_buffer_size = 64}};
        sim.network.short_send = 200'000, sim.network.lapse = 200'000;
        sim.network.reset = seed % 3 == 0 ? 100'000 : 0;
        HttpWorld http{{}, sim};
        std::vector<std::optional<std::string>> answers(4);
        for (auto& answer : answers)
            http.client.spawn(
                keep_value(talk(http.client.io(), http.address(),
                                "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.0\r\n\r\n"),
                           answer));
        REQUIRE(http.world.run_until(
            [&] { return std::ranges::all_of(answers, [](auto& a) { return !!a; }); }, 100 * second));
        if (seed % 3)
            for (const auto& answer : answers) CHECK(answer->ends_with("ok\n"));
        http.close();
    }
}

}  // namespace
}  // namespace millrace
