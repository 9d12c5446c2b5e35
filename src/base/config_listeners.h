// Listeners: where a broker listens and what it tells its clients. Private to base.
#pragma once
#include "millrace/config.h"

namespace millrace {

struct HostPort {
    std::string host;
    uint16_t port;
};
// "HOST:PORT", "[::1]:PORT", ":PORT".
std::optional<HostPort> parse_host_port(std::string_view text);

// Fills config.listeners from the settings; adds to errors.
void read_listeners(LoadedConfig& loaded);

}  // namespace millrace
