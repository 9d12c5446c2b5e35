// Requests that have no room in the shard's memory: their connections pause, all are answered, none is
// closed.
#include "net_fixture.h"

namespace millrace {
namespace {

constexpr size_t request_size = 256 << 10;
const NetOptions tight{.owned_bytes_max = 2 << 20, .stall_ms_max = 5'000};

struct Tally {
    uint32_t answered = 0, in_order = 0, ended = 0;
};

// Sends `count` requests at once and reads their answers.
Task<> converse(Io& io, std::string address, Mode mode, uint32_t count, Tally& tally) {
    Peer peer{io};
    if (!co_await peer.connect(address)) co_return;
    std::vector<uint8_t> bytes;
    for (uint32_t i = 0; i < count; i++) {
        const auto one = request_bytes(mode, i, request_size);
        bytes.insert(bytes.end(), one.begin(), one.end());
    }
    co_await peer.send(std::move(bytes));
    for (uint32_t i = 0; i < count; i++) {
        const auto number = co_await peer.reply();
        if (!number) break;
        tally.answered++;
        tally.in_order += *number == i;
    }
    tally.ended++;
    co_await peer.close();
}

// Sends a part of a request and waits for the end of the connection.
Task<> stall(Io& io, std::string address, uint32_t& ended) {
    Peer peer{io};
    if (!co_await peer.connect(address)) co_return;
    auto bytes = request_bytes(Mode::at_once, 0, request_size);
    bytes.resize(10'000);
    co_await peer.send(std::move(bytes));
    while (co_await peer.more()) continue;
    ended++;
    co_await peer.close();
}

TEST_CASE(
    "64 connections with more than the memory for requests are all answered, in order, none is closed") {
    for (const Mode mode : {Mode::later, Mode::at_once, Mode::barrier}) {
        NetWorld net{{.network = {.receive_buffers = 16}}, tight};
        Tally tally;
        for (int i = 0; i < 64; i++)
            net.client.spawn(converse(net.client_io(), net.address(), mode, 3, tally));
        CHECK(net.world.run_until([&] { return tally.ended == 64; }, 100 * second));
        CHECK(tally.answered == 64 * 3);
        CHECK(tally.in_order == 64 * 3);
        CHECK_FALSE(net.world.has_line("connection closed"));
        CHECK(net.world.has_line("connections pause until memory for requests is free"));
        net.close();
    }
}

TEST_CASE("connections that stall within a request hold others up no longer than their deadline") {
    NetWorld net{{}, tight};
    uint32_t stalled = 0;
    for (int i = 0; i < 20; i++) net.client.spawn(stall(net.client_io(), net.address(), stalled));
    net.world.run_for(20 * second);
    CHECK(stalled == 14);  // Seven have room; so many go as there were others, by turns.
    Tally tally;
    for (int i = 0; i < 8; i++)
        net.client.spawn(converse(net.client_io(), net.address(), Mode::at_once, 2, tally));
    CHECK(net.world.run_until([&] { return tally.ended == 8; }, 10 * second));
    CHECK(tally.in_order == 8 * 2);
    net.close();
}

TEST_CASE("a server closes while connections wait for memory") {
    NetWorld net{{}, tight};
    Tally tally;
    for (int i = 0; i < 32; i++)
        net.client.spawn(converse(net.client_io(), net.address(), Mode::later, 2, tally));
    net.handler().delay_max_ns = 8 * second;
    net.world.run_for(second);
    net.close();
    CHECK(net.world.run_until([&] { return tally.ended == 32; }, 10 * second));
}

}  // namespace
}  // namespace millrace
