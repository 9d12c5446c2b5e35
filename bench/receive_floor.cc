// What taking produce requests costs on this machine when nothing is done with them: bytes received from 16
// connections of the loopback, summed with CRC-32C, and a reply of 40 bytes for each 16 KB. Plain recv and
// epoll; 5 requests of each connection are under way. Prints the CPU seconds of the receiving thread per GB:
// figures of a broker are to be read beside it, since machines differ by more than brokers do.
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "millrace/base.h"

namespace {

constexpr size_t connections = 16, in_flight = 5, request_size = 16 << 10, reply_size = 40;

double seconds(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

int must(int result) {
    if (result < 0) std::perror("receive_floor"), std::exit(1);
    return result;
}

struct Pairs {
    std::array<int, connections> clients{}, servers{};
};

Pairs connect_all() {
    Pairs pairs;
    const int listener = must(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    must(bind(listener, generic, size)), must(listen(listener, connections)),
        must(getsockname(listener, generic, &size));
    for (size_t i = 0; i < connections; i++) {
        pairs.clients[i] = must(socket(AF_INET, SOCK_STREAM, 0));
        must(connect(pairs.clients[i], generic, size));
        pairs.servers[i] = must(accept(listener, nullptr, nullptr));
    }
    return pairs;
}

// Keeps in_flight requests of each connection under way.
void send_requests(const Pairs& pairs, const std::atomic<bool>& stopped) {
    const std::vector<char> request(request_size, 7);
    std::array<size_t, connections> sent{}, replied{};
    std::array<pollfd, connections> polls{};
    std::array<char, reply_size * in_flight> replies{};
    while (!stopped) {
        for (size_t i = 0; i < connections; i++) {
            for (; sent[i] - replied[i] / reply_size < in_flight; sent[i]++)
                if (send(pairs.clients[i], request.data(), request_size, MSG_NOSIGNAL) <= 0) return;
            polls[i] = {.fd = pairs.clients[i], .events = POLLIN, .revents = 0};
        }
        poll(polls.data(), polls.size(), 100);
        for (size_t i = 0; i < connections; i++) {
            const ssize_t n =
                polls[i].revents ? recv(polls[i].fd, replies.data(), replies.size(), MSG_DONTWAIT) : 0;
            if (n > 0) replied[i] += static_cast<size_t>(n);
        }
    }
}

// Bytes received within so many seconds.
uint64_t receive_for(const Pairs& pairs, double duration, uint32_t& crc) {
    const int epoll = must(epoll_create1(0));
    for (uint32_t i = 0; i < connections; i++) {
        epoll_event event{.events = EPOLLIN, .data = {.u32 = i}};
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, pairs.servers[i], &event));
    }
    std::vector<uint8_t> buffer(64 << 10);
    const std::array<char, reply_size * in_flight> reply{};
    std::array<size_t, connections> received{};
    std::array<epoll_event, connections> events{};
    uint64_t bytes = 0;
    for (const double began = seconds(CLOCK_MONOTONIC); seconds(CLOCK_MONOTONIC) - began < duration;) {
        const int count = epoll_wait(epoll, events.data(), events.size(), 100);
        for (int e = 0; e < count; e++) {
            const uint32_t i = events[static_cast<size_t>(e)].data.u32;
            const ssize_t n = recv(pairs.servers[i], buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (n <= 0) continue;
            crc = millrace::crc32c({buffer.data(), static_cast<size_t>(n)}, crc);
            bytes += static_cast<size_t>(n), received[i] += static_cast<size_t>(n);
            const size_t whole = received[i] / request_size;
            received[i] %= request_size;
            if (whole > 0)
                must(
                    static_cast<int>(send(pairs.servers[i], reply.data(), whole * reply_size, MSG_NOSIGNAL)));
        }
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    const double duration = argc > 1 ? std::atof(argv[1]) : 3;
    const Pairs pairs = connect_all();
    std::atomic<bool> stopped = false;
    std::thread sender{[&] { send_requests(pairs, stopped); }};
    uint32_t crc = 0;
    receive_for(pairs, duration / 4, crc);
    const double before = seconds(CLOCK_THREAD_CPUTIME_ID);
    const uint64_t bytes = receive_for(pairs, duration, crc);
    const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
    stopped = true;
    for (const int fd : pairs.servers) shutdown(fd, SHUT_RDWR);
    sender.join();
    std::printf("%.4f\n", cpu / static_cast<double>(bytes) * 1e9);
    return crc == 0;  // So that nothing of it is left out.
}
