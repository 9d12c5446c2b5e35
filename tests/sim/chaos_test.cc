// Everything at once: crashes, cut links, pauses, disk faults, under a server that keeps what it
// acknowledged.
#include <set>

#include "tests/sim/fixture.h"

using namespace millrace;

namespace {

constexpr size_t frame_size = 8;
constexpr const char* address = "10.0.0.1:9092";

// Keeps eight-byte numbers: appends each to a file, syncs, and sends it back.
class Keeper final : public SimProgram {
 public:
    explicit Keeper(Io& io) : io_(io) { listen().detach(); }

 private:
    Task<> listen() {
        file_ =
            co_await Once{io_, Op::Kind::open, {.flags = Op::read_write | Op::create, .path = "/numbers"}};
        FileInfo info;
        co_await Once{io_, Op::Kind::stat, {.path = "/numbers", .info = &info}};
        const int32_t synced = co_await Once{io_, Op::Kind::sync_directory, {.path = "/"}};
        if (synced < 0 || file_ < 0) co_return;  // Dead until the next start.
        end_ = (info.size + frame_size - 1) / frame_size * frame_size;
        const int32_t listener = co_await Once{io_, Op::Kind::listen, {.path = address}};
        Many accepts{io_, Op::Kind::accept, listener};
        while (true) {
            const Outcome outcome = co_await accepts.next();
            if (outcome.value > 0) serve(outcome.value).detach();
        }
    }
    Task<bool> keep(std::vector<uint8_t> number) {
        const uint64_t offset = end_;
        end_ += number.size();
        const OpArguments write{.fd = file_, .data = number.data(), .size = number.size(), .offset = offset};
        const int32_t written = co_await Once{io_, Op::Kind::write, write};
        if (written != static_cast<int32_t>(number.size())) co_return false;
        const int32_t synced = co_await Once{io_, Op::Kind::sync, {.fd = file_}};
        co_return synced == 0;
    }
    Task<> serve(int fd) {
        Many receive{io_, Op::Kind::receive, fd};
        std::vector<uint8_t> bytes;
        bool alive = true;
        while (alive) {
            const Outcome outcome = co_await receive.next();
            if (outcome.value <= 0) break;
            bytes.insert(bytes.end(), outcome.data.begin(), outcome.data.end());
            io_.give_back(outcome.buffer);
            while (alive && bytes.size() >= frame_size) {
                const std::vector<uint8_t> number(bytes.begin(), bytes.begin() + frame_size);
                bytes.erase(bytes.begin(), bytes.begin() + frame_size);
                // A disk that failed once is not trusted again in this life.
                if (!failed_) failed_ = !co_await keep(number);
                if (failed_) break;
                const Piece piece{number.data(), number.size()};
                const int32_t sent =
                    co_await Once{io_, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
                alive = sent == frame_size;
            }
            alive = alive && !failed_;
        }
        co_await Once{io_, Op::Kind::shutdown, {.fd = fd}};
        while (receive.armed() || receive.has_more()) {
            const Outcome outcome = co_await receive.next();
            if (outcome.value > 0) io_.give_back(outcome.buffer);
        }
        co_await Once{io_, Op::Kind::close, {.fd = fd}};
    }

    Io& io_;
    int file_ = -1;
    uint64_t end_ = 0;
    bool failed_ = false;
};

// Sends numbers, over a new connection whenever one breaks or an answer takes too long.
Task<> talk(Io& io, uint64_t& next, std::set<uint64_t>& acknowledged) {
    while (true) {
        co_await sleep_for(io, ms);
        const int32_t fd = co_await Once{io, Op::Kind::connect, {.path = address}};
        if (fd < 0) continue;
        Many receive{io, Op::Kind::receive, fd};
        while (true) {
            const uint64_t number = next++;
            const Piece piece{&number, sizeof number};
            const int32_t sent =
                co_await Once{io, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
            if (sent != frame_size) break;
            size_t received = 0;
            while (received < frame_size) {
                const Outcome outcome = co_await receive.next();
                if (outcome.value <= 0) break;
                received += outcome.data.size();
                io.give_back(outcome.buffer);
            }
            if (received < frame_size) break;
            acknowledged.insert(number);
        }
        co_await Once{io, Op::Kind::shutdown, {.fd = fd}};
        while (receive.armed() || receive.has_more()) {
            const Outcome outcome = co_await receive.next();
            if (outcome.value > 0) io.give_back(outcome.buffer);
        }
        co_await Once{io, Op::Kind::close, {.fd = fd}};
    }
}

class Chaos {
 public:
    explicit Chaos(uint64_t seed)
        : world({.seed = seed, .network = {.window_bytes = 64, .reset = 3000, .lapse = 20'000}}),
          keeper(world.add_node(
              {.disk = {.spike = 2000, .write_error = 500, .sync_error = 500, .short_write = 500}})),
          clients(world.add_node()) {
        keeper.boot([](SimNode& node) { return std::make_unique<Keeper>(node.io()); });
        for (uint64_t n = 0; n < 5; n++)
            clients.spawn(talk(clients.io(), next[n] = n << 32, acknowledged[n]));
    }
    void misfortune() {
        world.run_for(1 + world.random() % (20 * ms));
        switch (world.random() % 6) {
            case 0: return crash(Crash::kill);
            case 1: return crash(Crash::power_cut);
            case 2: return keeper.pause(world.random() % (50 * ms));
            case 3: return world.cut_link(keeper, clients);
            case 4: return world.cut_link(clients, keeper);
            default: return heal();
        }
    }
    void crash(Crash how) {
        keeper.crash(how);
        world.run_for(world.random() % (5 * ms));
        check_kept();
        keeper.restart();
    }
    void heal() {
        world.heal_link(keeper, clients);
        world.heal_link(clients, keeper);
    }
    void check_kept() {
        const auto bytes = keeper.disk().contents("/numbers");
        std::set<uint64_t> kept;
        for (size_t at = 0; at + frame_size <= bytes.size(); at += frame_size) {
            uint64_t number;
            std::memcpy(&number, bytes.data() + at, sizeof number);
            kept.insert(number);
        }
        for (const auto& numbers : acknowledged) CHECK(std::ranges::includes(kept, numbers));
    }
    size_t count() const {
        size_t total = 0;
        for (const auto& numbers : acknowledged) total += numbers.size();
        return total;
    }

    std::array<uint64_t, 5> next{};
    std::array<std::set<uint64_t>, 5> acknowledged;
    SimWorld world;
    SimNode& keeper;
    SimNode& clients;
};

uint64_t run_chaos(uint64_t seed) {
    Chaos chaos{seed};
    for (int n = 0; n < 30; n++) chaos.misfortune();
    // Safety has been looked at; now faults stop and work must go on.
    chaos.world.network().reset = 0;
    chaos.keeper.disk().options() = {};
    chaos.heal();
    chaos.crash(Crash::power_cut);
    const size_t before = chaos.count();
    const bool goes_on = chaos.world.run_until([&] { return chaos.count() > before + 100; }, 30 * s);
    CHECK(goes_on);
    chaos.crash(Crash::power_cut);
    return chaos.world.trace_hash();
}

}  // namespace

TEST_CASE("what was acknowledged after a sync is kept through all misfortunes, and work goes on after them") {
    for (uint64_t seed = 1; seed <= 100; seed++) {
        const uint64_t hash = run_chaos(seed);
        if (seed % 10 == 0) CHECK(run_chaos(seed) == hash);
    }
}
