// The head of an HTTP/1.x request (RFC 9112), as far as a server without bodies needs it. Untrusted bytes in,
// a value out; strict where leniency has led others into request smuggling.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

struct HttpHead {
    int refusal = 0;  // The status that answers a head that cannot be served; the rest is meaningless then.
    size_t size = 0;  // Bytes of the head, its empty line included.
    bool is_post = false;    // Without a body.
    bool wants_body = true;  // Not of HEAD.
    bool keep_alive = true;
    std::string path;  // Percent-decoded, without the query.
};

// Nothing while the head is incomplete.
std::optional<HttpHead> parse_http_head(std::string_view bytes);

std::string_view http_reason(int status);

}  // namespace millrace
