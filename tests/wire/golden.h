// Messages written by Apache Kafka's own classes, and what a test can do with a message by its name.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "millrace/wire.h"

namespace millrace::wire::test {

struct Golden {
    std::string message;  // E.g. "ProduceRequest".
    int16_t key;
    int16_t version;
    std::string kind;  // default, populated, nulls or unknown_tag.
    int16_t header_version;
    std::string json;
    std::vector<uint8_t> body;
    std::vector<uint8_t> frame;  // Empty for internal records.

    std::string title() const { return message + " v" + std::to_string(version) + " " + kind; }
};

// All of tests/wire/golden: those that have frames, or those that have not.
enum class Which { protocol, internal };
const std::vector<Golden>& golden(Which which);

std::vector<uint8_t> from_hex(std::string_view hex);
std::string to_hex(Bytes bytes);

struct MessageUses {
    Api api;
    // Decodes and encodes again; false when the body is refused.
    bool (*recode)(Bytes body, int16_t version, Arena& memory, Writer& out);
    // JSON with our names of fields: of the decoded body, and of a message fresh from its constructor.
    std::string (*json)(Bytes body, int16_t version);
    std::string (*default_json)(int16_t version);
    std::string (*text)(Bytes body, int16_t version);
};
const std::map<std::string, MessageUses>& all_messages();

}  // namespace millrace::wire::test
