// Directories that look like partitions but that no metadata names.
#pragma once
#include <set>
#include <string>

#include "millrace/io.h"

namespace millrace {

// Renames each directory NAME-NUMBER of the data directory that is not in `known` to NAME-NUMBER.MS-stray:
// never deleted for being unknown, since it may be the metadata that is wrong. Logs a warning for each. How
// many; kafka_storage_error. Before any partition is opened.
Task<Result<size_t>> set_aside_unknown(Io& io, std::string directory, std::set<std::string> known);

}  // namespace millrace
