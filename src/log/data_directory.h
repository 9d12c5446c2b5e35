// What lies in a data directory, by its names: partitions, and the files of one.
//
// Nothing is opened for this.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "millrace/log_tools.h"

namespace millrace {

struct PartitionFiles {
    std::set<Offset> segments, indexes, time_indexes, sums, snapshots;
    std::vector<std::string> others;  // Whose names tell nothing.
    bool has_epochs = false, has_meta = false, has_metadata = false, has_damaged = false;
};
PartitionFiles sort_partition_files(const std::vector<std::string>& names);

}  // namespace millrace
