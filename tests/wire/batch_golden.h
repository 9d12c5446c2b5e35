// The record-batch samples that Apache Kafka 4.3.1 wrote, with what its own reader made of them.
#pragma once
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "millrace/batch.h"

namespace millrace::golden {

inline std::vector<uint8_t> bytes_of(const std::string& file) {
    std::ifstream in(std::string(TEST_DATA) + "/wire/golden/" + file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<nlohmann::json> samples() {
    std::ifstream in(std::string(TEST_DATA) + "/wire/golden/record-batches.jsonl");
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(in, line);) all.push_back(nlohmann::json::parse(line));
    return all;
}

inline std::vector<uint8_t> from_hex(const std::string& text) {
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return bytes;
}

inline std::string from_base64(const std::string& text) {
    static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    uint32_t held = 0;
    int bits = 0;
    for (char c : text) {
        if (c == '=') break;
        held = held << 6 | static_cast<uint32_t>(letters.find(c));
        bits += 6;
        if (bits >= 8) bytes += static_cast<char>(held >> (bits -= 8) & 255);
    }
    return bytes;
}

// A base64 string or null.
inline std::optional<std::string> part(const nlohmann::json& value) {
    if (value.is_null()) return {};
    return from_base64(value.get<std::string>());
}

}  // namespace millrace::golden
