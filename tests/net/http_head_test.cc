// HTTP request heads: what is served, what is refused and how.
#include "http_head.h"

#include <doctest/doctest.h>

namespace millrace {
namespace {

HttpHead parsed(std::string_view bytes) {
    const auto head = parse_http_head(bytes);
    REQUIRE(head);
    return *head;
}
int refusal(std::string_view bytes) { return parsed(bytes).refusal; }

TEST_CASE("a head is read when its empty line is there") {
    const std::string_view text = "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8\r\n\r\n";
    for (size_t size = 0; size < text.size(); size++) CHECK_FALSE(parse_http_head(text.substr(0, size)));
    const HttpHead head = parsed(std::string{text} + "more");
    CHECK(head.refusal == 0);
    CHECK(head.size == text.size());
    CHECK(head.path == "/metrics");
    CHECK(head.wants_body);
    CHECK(head.keep_alive);
}

TEST_CASE("HEAD wants no body, and the connection follows its field and version") {
    CHECK_FALSE(parsed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").wants_body);
    CHECK_FALSE(parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n").keep_alive);
    CHECK_FALSE(parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\n\r\n").keep_alive);
    CHECK_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
    CHECK(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST_CASE("paths are percent-decoded") {
    CHECK(parsed("GET /a%20b%2Fc?d%zz HTTP/1.0\r\n\r\n").path == "/a b/c");
    for (const auto* path : {"/%", "/%2", "/%zz", "/%00", "relative", "*", "http://a/"})
        CHECK(refusal("GET " + std::string{path} + " HTTP/1.0\r\n\r\n") == 400);
}

TEST_CASE("what is not served is refused with its status") {
    CHECK(refusal("PUT / HTTP/1.1\r\nHost: a\r\n\r\n") == 405);
    CHECK(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
    CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == 400);  // No host.
    CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
    CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n") == 413);
    CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == 0);
    CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") == 413);
}

TEST_CASE("malformed heads are bad requests") {
    for (const auto* head : {
             "\r\n\r\n",
             "GET\r\n\r\n",
             "GET /\r\n\r\n",
             "GET / HTTP\r\n\r\n",
             "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
             "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
             "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
             "GET / HTTP/1.1\r\nHost a\r\n\r\n",
             "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: a\nb\r\n\r\n",
             "GET / HTTP/1.1\r\n: a\r\n\r\n",
         }) {
        CAPTURE(head);
        CHECK(refusal(head) == 400);
        CHECK_FALSE(parsed(head).keep_alive);
    }
}

}  // namespace
}  // namespace millrace
