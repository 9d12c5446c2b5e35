// Reading HTTP request heads.
#include "http_head.h"

#include <algorithm>

namespace millrace {
namespace {

constexpr std::string_view line_end = "\r\n";

// The text up to the separator, which is taken off too; all of it when there is none.
std::string_view take_until(std::string_view& text, std::string_view separator) {
    const size_t at = text.find(separator);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + separator.size());
    return taken;
}

bool is_token(std::string_view text) {
    const auto legal = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), legal);
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f) || c < 0; });
}

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

std::optional<std::string> decode_path(std::string_view target) {
    std::string path;
    const std::string_view raw = target.substr(0, target.find('?'));
    for (size_t i = 0; i < raw.size(); i++) {
        if (raw[i] != '%') {
            path += raw[i];
            continue;
        }
        if (i + 2 >= raw.size()) return std::nullopt;
        const auto high = hex_digit(raw[i + 1]), low = hex_digit(raw[i + 2]);
        if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
        path += static_cast<char>(*high * 16 + *low);
        i += 2;
    }
    return path;
}

// 0, or the status that refuses it.
int read_request_line(std::string_view line, HttpHead& head, bool& is_1_1) {
    const std::string_view method = take_until(line, " "), target = take_until(line, " ");
    if (!is_token(method) || target.empty() || target.find_first_of("\t\r\n") != target.npos) return 400;
    if (line.size() != 8 || !line.starts_with("HTTP/")) return 400;
    if (line != "HTTP/1.1" && line != "HTTP/1.0") return 505;
    is_1_1 = line == "HTTP/1.1";
    head.keep_alive = is_1_1;
    if (method != "GET" && method != "HEAD" && method != "POST") return 405;
    head.wants_body = method != "HEAD";
    head.is_post = method == "POST";
    auto path = target.front() == '/' ? decode_path(target) : std::nullopt;
    if (!path) return 400;
    head.path = std::move(*path);
    return 0;
}

void read_connection_field(std::string_view value, HttpHead& head) {
    while (!value.empty()) {
        const std::string option = lower(trimmed(take_until(value, ",")));
        if (option == "close") head.keep_alive = false;
        if (option == "keep-alive") head.keep_alive = true;
    }
}

int read_fields(std::string_view fields, HttpHead& head, bool is_1_1) {
    int hosts = 0;
    while (!fields.empty()) {
        std::string_view value = take_until(fields, line_end);
        if (value.find(':') == value.npos) return 400;
        const std::string_view raw_name = take_until(value, ":");
        if (!is_token(raw_name) || !is_printable(value)) return 400;
        const std::string name = lower(raw_name);
        if (name == "host") hosts++;
        if (name == "origin" && head.is_post) return 403;  // A page in somebody's browser.
        if (name == "connection") read_connection_field(value, head);
        if (name == "transfer-encoding") return 413;
        if (name == "content-length" && trimmed(value) != "0") return 413;
    }
    return hosts > 1 || (is_1_1 && hosts == 0) ? 400 : 0;
}

}  // namespace

std::optional<HttpHead> parse_http_head(std::string_view bytes) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == bytes.npos) return std::nullopt;
    HttpHead head{.size = end + 4, .path = {}};
    std::string_view fields = bytes.substr(0, end);
    const std::string_view request_line = take_until(fields, line_end);
    bool is_1_1 = false;
    head.refusal = read_request_line(request_line, head, is_1_1);
    if (head.refusal == 0) head.refusal = read_fields(fields, head, is_1_1);
    if (head.refusal != 0) head.keep_alive = false;
    return head;
}

std::string_view http_reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Unknown";
    }
}

}  // namespace millrace
