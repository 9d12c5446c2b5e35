// Addresses as text.
#include "millrace/address.h"

#include <doctest/doctest.h>

namespace millrace {

TEST_CASE("an address is a host, bracketed where it has colons, and a port") {
    const auto check = [](std::string_view text, std::string_view host, uint16_t port) {
        CAPTURE(text);
        const auto at = parse_host_port(text);
        REQUIRE(at);
        CHECK(at->host == host);
        CHECK(at->port == port);
    };
    check("127.0.0.1:9092", "127.0.0.1", 9092);
    check("[::1]:0", "::1", 0);
    check(":65535", "", 65535);
    check("some.host:1", "some.host", 1);
    for (const char* text :
         {"", "host", "host:", "host:x", "host:1x", "host:65536", "host:-1", "[::1]", "host:+1"})
        CHECK_FALSE(parse_host_port(text));
    CHECK(host_port_text("::1", 5) == "[::1]:5");
    CHECK(host_port_text("host", 5) == "host:5");
    CHECK(host_port_text("", 5) == ":5");
}

}  // namespace millrace
