// Addresses as text: "HOST:PORT". Names are not looked up here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

// The host without brackets, a view into what was split; empty: every interface, or this machine.
struct HostPort {
    std::string_view host;
    uint16_t port;
};
// "HOST:PORT", "[::1]:PORT", ":PORT". None when there is no port from 0 to 65535 behind the last colon.
std::optional<HostPort> parse_host_port(std::string_view text);
// An IPv6 host in brackets.
std::string host_port_text(std::string_view host, int32_t port);

}  // namespace millrace
