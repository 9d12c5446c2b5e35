// Names of hosts to addresses, through the seam: literals, localhost, /etc/hosts. A static binary cannot use
// the C library's resolver.
#include "millrace/address.h"
#include "millrace/client.h"

namespace millrace::client {

namespace {

constexpr size_t hosts_size_max = 1 << 20;

bool is_address(std::string_view host) {
    if (host.find(':') != std::string_view::npos) return true;  // IPv6; the Io refuses what is none.
    return !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Task<std::string> read_hosts(Io& io) {
    Once opening{io, Op::Kind::open, {.flags = Op::read_only, .path = "/etc/hosts"}};
    const int fd = co_await opening;
    if (fd < 0) co_return "";
    std::string text;
    IoBuffer buffer(IoBuffer::alignment);
    while (text.size() < hosts_size_max) {
        Once reading{io,
                     Op::Kind::read,
                     {.fd = fd,
                      .data = buffer.data(),
                      .size = buffer.size(),
                      .offset = text.size(),
                      .buffer = &buffer}};
        const int n = co_await reading;
        if (n <= 0) break;
        text += as_text(Bytes(buffer.bytes()).first(static_cast<size_t>(n)));
    }
    Once closing{io, Op::Kind::close, {.fd = fd}};
    co_await closing;
    co_return text;
}

std::string_view next_word(std::string_view& line) {
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return line = {};
    const size_t end = std::min(line.find_first_of(" \t\r", first), line.size());
    const std::string_view word = line.substr(first, end - first);
    line.remove_prefix(end);
    return word;
}

// The first IPv4 address of the name, else the first address.
std::optional<std::string> look_up(std::string_view hosts, std::string_view name) {
    std::optional<std::string> found;
    while (!hosts.empty()) {
        const size_t end = std::min(hosts.find('\n'), hosts.size());
        std::string_view line = hosts.substr(0, end);
        hosts.remove_prefix(std::min(end + 1, hosts.size()));
        line = line.substr(0, line.find('#'));
        const std::string_view address = next_word(line);
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            if (word != name) continue;
            if (address.find(':') == std::string_view::npos) return std::string(address);
            if (!found) found = std::string(address);
        }
    }
    return found;
}

}  // namespace

Task<std::optional<std::string>> resolve_address(Io& io, std::string address) {
    const auto at = parse_host_port(address);
    if (!at) co_return std::nullopt;
    if (at->host.empty() || at->host == "localhost") co_return host_port_text("127.0.0.1", at->port);
    if (is_address(at->host)) co_return host_port_text(at->host, at->port);
    const std::string hosts = co_await read_hosts(io);
    const std::optional<std::string> found = look_up(hosts, at->host);
    if (!found) co_return std::nullopt;
    co_return host_port_text(*found, at->port);
}

}  // namespace millrace::client
