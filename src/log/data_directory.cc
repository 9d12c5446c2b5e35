// Names in a data directory.
#include "data_directory.h"

#include <charconv>

#include "files.h"
#include "layout.h"

namespace millrace {

std::optional<PartitionName> partition_name_of(std::string_view name) {
    const size_t dash = name.rfind('-');
    if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) return {};
    PartitionName result{.topic = std::string{name.substr(0, dash)}};
    const char* const end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data() + dash + 1, end, result.partition);
    if (error != std::errc{} || stopped != end || result.partition < 0) return {};
    if (std::to_string(result.partition) != name.substr(dash + 1)) return {};
    return result;
}

Task<Result<std::string>> read_text(Io& io, std::string path) {
    const auto bytes = co_await read_file(io, std::move(path));
    if (!bytes) co_return bytes.error();
    co_return std::string{as_text(*bytes)};
}

Task<Result<>> remove_directory(Io& io, std::string path) {
    co_return co_await remove_tree(io, std::move(path));
}

PartitionFiles sort_partition_files(const std::vector<std::string>& names) {
    PartitionFiles files;
    const auto take = [](std::string_view name, std::string_view suffix, std::set<Offset>& to) {
        const auto offset = offset_of_name(name, suffix);
        if (offset) to.insert(*offset);
        return offset.has_value();
    };
    for (const std::string& name : names) {
        if (take(name, ".log", files.segments) || take(name, ".index", files.indexes) ||
            take(name, ".timeindex", files.time_indexes) || take(name, ".sum", files.sums) ||
            take(name, ".snapshot", files.snapshots))
            continue;
        if (name == "leader-epoch-checkpoint" || name == "leader-epoch-checkpoint.copy")
            files.has_epochs = true;
        else if (name == "partition.meta")
            files.has_meta = true;
        else if (name == "partition.metadata")
            files.has_metadata = true;
        else if (name == "damaged")
            files.has_damaged = true;
        else
            files.others.push_back(name);
    }
    return files;
}

}  // namespace millrace
