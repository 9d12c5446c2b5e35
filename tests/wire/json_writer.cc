// The values of a JSON text.
#include "tests/wire/json_writer.h"

namespace millrace::wire::test {
namespace {

std::string base64(Bytes bytes) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const size_t count = std::min<size_t>(3, bytes.size() - i);
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++) group = group << 8 | (j < count ? bytes[i + j] : 0u);
        for (size_t j = 0; j < 4; j++) text += j <= count ? digits[group >> (18 - 6 * j) & 63] : '=';
    }
    return text;
}

}  // namespace

void JsonWriter::put_number(int64_t x) { out_ += std::to_string(x); }
void JsonWriter::put(bool x) { out_ += x ? "true" : "false"; }
void JsonWriter::put(double x) { out_ += std::to_string(x); }
void JsonWriter::put(String x) { ((out_ += '"') += x) += '"'; }  // The golden strings need no escapes.
void JsonWriter::put(const Uuid& x) { put(String(x.to_text())); }
void JsonWriter::put(Bytes x) { put(String(base64(x))); }
void JsonWriter::put_null() { out_ += "null"; }

void JsonWriter::key(const char* name) {
    separate();
    put(String(name));
    out_ += ':';
}
void JsonWriter::open(char bracket) { out_ += bracket, first_ = true; }
void JsonWriter::close(char bracket) { out_ += bracket, first_ = false; }
void JsonWriter::separate() {
    if (!std::exchange(first_, false)) out_ += ',';
}

}  // namespace millrace::wire::test
