// Reads tests/wire/golden.
#include "tests/wire/golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace millrace::wire::test {
namespace {

Golden read_line(const std::string& line) {
    const auto json = nlohmann::json::parse(line);
    const std::string frame = json.value("frame", "");
    return {.message = json.at("message"),
            .key = json.value("key", int16_t{-1}),
            .version = json.at("version"),
            .kind = json.at("kind"),
            .header_version = json.value("header_version", int16_t{0}),
            .json = json.at("json").dump(),
            .body = from_hex(json.at("body").get<std::string>()),
            .frame = from_hex(frame)};
}

std::vector<Golden> read_all(Which which) {
    std::vector<std::filesystem::path> paths;
    for (const auto& file : std::filesystem::directory_iterator(TEST_DATA "/wire/golden")) {
        const std::string name = file.path().filename();
        if (which == Which::internal ? name.starts_with("internal-") : std::isdigit(name[0]))
            paths.push_back(file.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Golden> all;
    for (const auto& path : paths) {
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) all.push_back(read_line(line));
    }
    return all;
}

}  // namespace

const std::vector<Golden>& golden(Which which) {
    static const std::vector<Golden> protocol = read_all(Which::protocol),
                                     internal = read_all(Which::internal);
    return which == Which::protocol ? protocol : internal;
}

std::vector<uint8_t> from_hex(std::string_view hex) {
    std::vector<uint8_t> bytes;
    bytes.reserve(hex.size() / 2);
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

std::string to_hex(Bytes bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (uint8_t byte : bytes) (hex += digits[byte >> 4]) += digits[byte & 15];
    return hex;
}

}  // namespace millrace::wire::test
