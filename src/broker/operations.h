// The operations that a client may ask about, as bits (1 << operation code), while nobody is denied anything.
#pragma once
#include <cstdint>

namespace millrace {

// Read, write, create, delete, alter, describe, describe configs, alter configs.
inline constexpr int32_t all_topic_operations = 0b1101'1111'1000;
// Create, alter, describe, cluster action, describe configs, alter configs, idempotent write.
inline constexpr int32_t all_cluster_operations = 0b1'1111'1010'0000;
// Read, delete, describe, describe configs, alter configs.
inline constexpr int32_t all_group_operations = 0b1101'0100'1000;

}  // namespace millrace
