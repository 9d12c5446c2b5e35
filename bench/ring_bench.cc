// What the seam costs on this machine: a 200-byte echo over 64 connections, letters between shards, timers,
// two idle shards.
//
//     ring_bench [requests per connection]
//
// CPU time is each shard thread's own (user and system); compare only within one run.
#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>

#include "millrace/host.h"

using namespace millrace;
using Kind = Op::Kind;

namespace {

constexpr int connections = 64;
constexpr size_t request_size = 200;
constexpr double second_ns = 1e9;

double thread_cpu_us() {
    rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return 1e6 * static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// What each shard used between its start and its finish.
struct Usage {
    double cpu_us = 0;
    uint64_t ns = 0;
    IoStatistics io;

    void begin(Io& shard) { cpu_us = -thread_cpu_us(), ns = shard.now_ns(); }
    void end(Io& shard) { cpu_us += thread_cpu_us(), ns = shard.now_ns() - ns, io = shard.statistics(); }
};

// ---- Echo: shard 0 serves, shard 1 asks ----------------------------------------------------------------

struct Echo final : Letter {
    int rounds = 0;
    Host* host = nullptr;
    Io* asking = nullptr;
    std::string address;
    int left = connections;
    Usage usage[2];
    void deliver() override;  // On shard 1, when shard 0 listens.
};

Task<> serve(Io& io, int fd) {
    Many receiving(io, Kind::receive, fd);
    for (;;) {
        const Outcome part = co_await receiving.next();
        if (part.value <= 0) break;
        const Piece piece{part.data.data(), part.data.size()};
        co_await Once{io, Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
        io.give_back(part.buffer);
    }
    co_await Once{io, Kind::close, {.fd = fd}};
}

Task<> receive_answer(Io& io, Many& receiving) {
    for (size_t got = 0; got < request_size;) {
        const Outcome part = co_await receiving.next();
        got += part.data.size();
        io.give_back(part.buffer);
    }
}

Task<> ask(Io& io, Echo& echo) {
    const int fd = co_await Once{io, Kind::connect, {.path = echo.address.c_str()}};
    {
        Many receiving(io, Kind::receive, fd);
        uint8_t text[request_size] = {};
        const Piece piece{text, sizeof text};
        for (int i = 0; i < echo.rounds; i++) {
            co_await Once{io, Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
            co_await receive_answer(io, receiving);
        }
        co_await Once{io, Kind::shutdown, {.fd = fd}};
        co_await receiving.next();
    }
    co_await Once{io, Kind::close, {.fd = fd}};
    if (--echo.left == 0) echo.host->stop();
}

void Echo::deliver() {
    for (int i = 0; i < connections; i++) ask(*asking, *this).detach();
}

Task<> listen_and_serve(Io& io, Echo& echo) {
    const int listener = co_await Once{io, Kind::listen, {.path = "127.0.0.1:0"}};
    echo.address = io.local_address(listener);
    io.post(ShardId{1}, echo);
    Many accepting(io, Kind::accept, listener);
    for (;;) {
        const Outcome accepted = co_await accepting.next();
        serve(io, accepted.value).detach();
    }
}

void start_echo(Io& io, Echo& echo) {
    echo.usage[io.shard().value].begin(io);
    if (io.shard().value == 0) return listen_and_serve(io, echo).detach();
    echo.asking = &io;
}

void bench_echo(LogSink& log, int rounds, uint64_t spin_ns) {
    Echo echo;
    echo.rounds = rounds;
    Host host({.shards = 2,
               .spin_ns = spin_ns,
               .log_sink = &log,
               .start = [&](Io& io) { start_echo(io, echo); },
               .finish = [&](Io& io) { echo.usage[io.shard().value].end(io); }});
    echo.host = &host;
    if (const auto reason = host.run()) std::puts(reason->c_str()), std::exit(1);
    const double requests = double{connections} * rounds;
    const auto& server = echo.usage[0];
    std::printf(
        "echo 200 B x 64, spin %2.0f us  server %5.2f us CPU a request, client %5.2f; %7.0f a second; "
        "%.3f enters, %.3f sleeps a request; %lu overflows\n",
        static_cast<double>(spin_ns) / 1000, server.cpu_us / requests, echo.usage[1].cpu_us / requests,
        requests / static_cast<double>(server.ns) * second_ns,
        static_cast<double>(server.io.enters) / requests, static_cast<double>(server.io.sleeps) / requests,
        server.io.overflows);
}

// ---- Letters: from shard 0 to shard 1 and back ---------------------------------------------------------

struct Rally;
struct Ball final : Letter {
    Rally* rally = nullptr;
    bool homeward = false;
    void deliver() override;
};
struct Rally {
    uint64_t left = 0;
    Host* host = nullptr;
    Io* ios[2] = {};
    std::vector<Ball> balls;
    Usage usage[2];
};

void Ball::deliver() {
    homeward = !homeward;
    if (homeward) return rally->ios[1]->post(ShardId{0}, *this);
    if (--rally->left == 0) rally->host->stop();
    rally->ios[0]->post(ShardId{1}, *this);
}

void start_rally(Io& io, Rally& rally) {
    rally.ios[io.shard().value] = &io;
    rally.usage[io.shard().value].begin(io);
    if (io.shard().value == 1) return;
    for (auto& ball : rally.balls) ball.rally = &rally, io.post(ShardId{1}, ball);
}

void bench_letters(LogSink& log, size_t in_flight, uint64_t count) {
    Rally rally;
    rally.left = count;
    rally.balls = std::vector<Ball>(in_flight);
    Host host({.shards = 2,
               .log_sink = &log,
               .start = [&](Io& io) { start_rally(io, rally); },
               .finish = [&](Io& io) { rally.usage[io.shard().value].end(io); }});
    rally.host = &host;
    if (host.run()) return;
    const auto& usage = rally.usage[0];
    std::printf(
        "letters, %4zu in flight     %6.0f ns CPU a crossing (both shards); %6.2f M crossings a second; "
        "%.4f wakes each\n",
        in_flight, 1000 * (usage.cpu_us + rally.usage[1].cpu_us) / static_cast<double>(2 * count),
        2e-6 * static_cast<double>(count) / static_cast<double>(usage.ns) * second_ns,
        static_cast<double>(usage.io.wakes + rally.usage[1].io.wakes) / static_cast<double>(2 * count));
}

// ---- Timers, and nothing -------------------------------------------------------------------------------

Task<> sleep_ignored(Once& sleep) { co_await sleep; }

Task<int> bench_timers(Io& io) {
    constexpr size_t count = 100'000;
    std::vector<std::unique_ptr<Once>> sleeps;
    for (size_t i = 0; i < count; i++)
        sleeps.push_back(std::make_unique<Once>(io, Kind::sleep, OpArguments{.size = io.random() >> 20}));
    const double before = thread_cpu_us();
    for (auto& sleep : sleeps) sleep_ignored(*sleep).detach();
    const double armed = thread_cpu_us();
    for (auto& sleep : sleeps) sleep->cancel();
    const double cancelled = thread_cpu_us();
    co_await sleep_for(io, 0);
    std::printf("timers, 100,000 at once    %6.0f ns CPU to arm, %.0f to cancel\n",
                1000 * (armed - before) / count, 1000 * (cancelled - armed) / count);
    co_return 0;
}

Task<> stop_after(Io& io, Host& host, uint64_t ns) {
    co_await sleep_for(io, ns);
    host.stop();
}

void bench_idle(LogSink& log) {
    Host* running = nullptr;
    Usage usage[2];
    auto start = [&](Io& io) {
        usage[io.shard().value].begin(io);
        if (io.shard().value == 0) stop_after(io, *running, 2'000'000'000).detach();
    };
    Host host({.shards = 2, .log_sink = &log, .start = start, .finish = [&](Io& io) {
                   usage[io.shard().value].end(io);
               }});
    running = &host;
    if (host.run()) return;
    std::printf("idle, 2 shards             %6.3f %% of a core; %.1f MB resident\n",
                (usage[0].cpu_us + usage[1].cpu_us) / static_cast<double>(usage[0].ns) * 1e5,
                static_cast<double>(process_facts().resident_bytes) / 1e6);
}

}  // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 5000;
    StreamLogSink log;
    if (const auto reason = check_host()) return std::puts(reason->c_str()), 1;
    bench_idle(log);
    for (int i = 0; i < 2; i++)
        for (const uint64_t spin_ns : {0, 30'000}) bench_echo(log, rounds, spin_ns);
    for (const size_t in_flight : {1, 16, 256})
        bench_letters(log, in_flight, in_flight == 1 ? 100'000 : 1'000'000);
    run_alone({.log_sink = &log}, bench_timers);
}
