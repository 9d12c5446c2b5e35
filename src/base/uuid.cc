// Uuids and Kafka's text form: URL-safe base64, 22 characters.
#include "millrace/base.h"

namespace millrace {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string Uuid::to_text() const {
    std::string text;
    uint32_t bits = 0;
    int count = 0;
    for (uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 63];
    }
    text += alphabet[bits << (6 - count) & 63];
    ASSERT(text.size() == 22);
    return text;
}

std::optional<Uuid> Uuid::from_text(std::string_view text) {
    if (text.size() != 22) return {};
    Uuid id;
    uint32_t bits = 0;
    int count = 0;
    size_t filled = 0;
    for (char c : text) {
        const size_t digit = alphabet.find(c);
        if (digit == alphabet.npos) return {};
        bits = bits << 6 | static_cast<uint32_t>(digit);
        count += 6;
        if (count >= 8 && filled < id.bytes.size()) {
            id.bytes[filled++] = static_cast<uint8_t>(bits >> (count - 8));
            count -= 8;
        }
    }
    return id;
}

}  // namespace millrace
