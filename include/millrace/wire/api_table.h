// Every API of Kafka 4.3 by its key: the versions we can decode, and those that a broker may advertise.
//
// Constant data; any shard may read it. Which of them a broker serves, and with which right, is its own
// table.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ApiEntry {
    int16_t key;
    const char* name;
    Versions versions;    // Those that are decoded.
    Versions advertised;  // Those to name in ApiVersions once the API is served; empty for controllers' APIs.
    int16_t flexible_since;

    constexpr bool is_for_clients() const { return advertised.first <= advertised.last; }
};

// All of them, by ascending key.
std::span<const ApiEntry> api_table();

// Null for a key that Kafka does not have, or has no more.
const ApiEntry* find_api(int16_t key);

// Request headers are version 1, or 2 with tags; response headers 0, or 1 with tags. The response to
// ApiVersions has header version 0 always, since its reader does not know yet what the broker speaks.
int16_t request_header_version(const ApiEntry& api, int16_t version);
int16_t response_header_version(const ApiEntry& api, int16_t version);

}  // namespace millrace::wire
