// Sockets: which submission each op becomes; listening and shutting down, which never wait, without the ring.
//
// Accepted sockets stay blocking: the ring waits for them itself, and a non-blocking one would say -EAGAIN.
#include <cerrno>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "millrace/address.h"
#include "millrace/host.h"
#include "ring.h"

namespace millrace {

namespace {

constexpr int backlog = 4096;  // Cut down by net.core.somaxconn.
constexpr uint32_t pieces_max = 1024;

int new_socket(const sockaddr_storage& address) {
    const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

void set_option(int fd, int level, int option, int value) {
    const int rc = setsockopt(fd, level, option, &value, sizeof value);
    ASSERT(rc == 0);
}

bool binds_and_listens(int fd, const sockaddr_storage& address, socklen_t length) {
    return bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0 && listen(fd, backlog) == 0;
}

int listener(const sockaddr_storage& address, socklen_t length, bool shared) {
    const int fd = new_socket(address);
    if (fd < 0) return fd;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (shared) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // Inherited by what it accepts.
    if (address.ss_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (binds_and_listens(fd, address, length)) return fd;
    const int error = errno;
    close(fd);
    return -error;
}

int listen_on(const Op& op) {
    sockaddr_storage address;
    const socklen_t length = parse_address(op.path, address);
    if (length == 0) return -EINVAL;
    if (op.flags & Op::sole) {
        // Without SO_REUSEPORT this fails when anyone listens there.
        const int probe = listener(address, length, false);
        if (probe < 0) return probe;
        close(probe);
    }
    return listener(address, length, true);
}

int connecting_socket(const Op& op) {
    sockaddr_storage address;
    if (parse_address(op.path, address) == 0) return -EINVAL;
    const int fd = new_socket(address);
    if (fd >= 0) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

socklen_t make_v4(const std::string& host, uint16_t port, sockaddr_storage& address) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1 ? sizeof v4 : 0;
}

socklen_t make_v6(const std::string& host, uint16_t port, sockaddr_storage& address) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1 ? sizeof v6 : 0;
}

// The address on the first line of /etc/hosts that has this name, IPv4 before IPv6; empty when there is none.
std::string look_up_name(const std::string& name) {
    if (name == "localhost") return "127.0.0.1";
    std::istringstream lines(read_small_file("/etc/hosts").text);
    std::string line, word, v6;
    while (std::getline(lines, line)) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string number;
        words >> number;
        while (words >> word) {
            if (word != name) continue;
            if (number.find(':') == std::string::npos) return number;
            if (v6.empty()) v6 = number;
        }
    }
    return v6;
}

}  // namespace

socklen_t parse_address(const char* text, sockaddr_storage& address) {
    address = {};
    const std::string_view whole = text;
    const auto at = parse_host_port(whole);
    if (!at) return 0;
    const uint16_t port = at->port;
    std::string host(at->host);
    if (whole.starts_with('[')) return make_v6(host, port, address);
    if (host.empty()) host = "0.0.0.0";
    if (const socklen_t length = make_v4(host, port, address)) return length;
    host = look_up_name(host);
    if (const socklen_t length = make_v4(host, port, address)) return length;
    address = {};
    return make_v6(host, port, address);
}

std::string address_text(const sockaddr_storage& address) {
    char host[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
        return std::string(host) + ":" + std::to_string(ntohs(v4.sin_port));
    }
    if (address.ss_family != AF_INET6) return {};
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, host, sizeof host);
        return std::string(host) + ":" + std::to_string(ntohs(v6.sin6_port));
    }
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return "[" + std::string(host) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

std::string UringIo::local_address(int fd) const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return {};
    return address_text(address);
}

std::string UringIo::peer_address(int fd) const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return {};
    return address_text(address);
}

void UringIo::start_socket(Op& op) {
    switch (op.kind) {
        case Op::Kind::listen: return finish_later(op, listen_on(op));
        case Op::Kind::shutdown:
            // The ring would give it to a kernel worker.
            return finish_later(op, ::shutdown(op.fd, SHUT_RDWR) < 0 ? -errno : 0);
        case Op::Kind::connect: {
            const int fd = connecting_socket(op);
            if (fd < 0) return finish_later(op, fd);
            op.io_private = static_cast<uint64_t>(fd);
            return queue(op);
        }
        default: return queue(op);
    }
}

void UringIo::prepare_socket(io_uring_sqe& entry, Op& op) {
    switch (op.kind) {
        case Op::Kind::accept:
            return io_uring_prep_multishot_accept(&entry, op.fd, nullptr, nullptr, SOCK_CLOEXEC);
        case Op::Kind::receive:
            io_uring_prep_recv_multishot(&entry, op.fd, nullptr, 0, 0);
            entry.flags |= IOSQE_BUFFER_SELECT;
            entry.buf_group = ReceivePool::group;
            return;
        case Op::Kind::connect: return prepare_connect(entry, op);
        case Op::Kind::send: return prepare_send(entry, op);
        case Op::Kind::close: return io_uring_prep_close(&entry, op.fd);
        default: ASSERT(!"not an op of sockets");
    }
}

void UringIo::prepare_connect(io_uring_sqe& entry, Op& op) {
    auto& address = aside(entry).address;
    const socklen_t length = parse_address(op.path, address);  // 0 if the name has vanished: -EINVAL.
    const int fd = static_cast<int>(op.io_private);
    io_uring_prep_connect(&entry, fd, reinterpret_cast<sockaddr*>(&address), length);
}

void UringIo::complete_connect(Op& op, int32_t value) {
    const int fd = static_cast<int>(op.io_private);
    if (value < 0) ::close(fd);
    finish(op, {.value = value < 0 ? value : fd});
}

// MSG_WAITALL: the kernel goes on by itself after a part, so that a short send is rare.
void UringIo::prepare_send(io_uring_sqe& entry, Op& op) {
    static_assert(sizeof(Piece) == sizeof(iovec) && offsetof(Piece, size) == offsetof(iovec, iov_len));
    ASSERT(op.piece_count > 0 && op.piece_count <= pieces_max);
    constexpr int flags = MSG_NOSIGNAL | MSG_WAITALL;
    if (op.piece_count == 1)
        return io_uring_prep_send(&entry, op.fd, op.pieces->data, op.pieces->size, flags);
    auto& message = aside(entry).message;
    message = {};
    message.msg_iov = reinterpret_cast<iovec*>(const_cast<Piece*>(op.pieces));
    message.msg_iovlen = op.piece_count;
    io_uring_prep_sendmsg(&entry, op.fd, &message, flags);
}

}  // namespace millrace
