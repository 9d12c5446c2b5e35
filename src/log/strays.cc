// Setting aside what no metadata names.
#include "millrace/strays.h"

#include "files.h"

namespace millrace {

namespace {

bool looks_like_partition(std::string_view name) {
    const size_t dash = name.rfind('-');
    if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) return false;
    return name.find_first_not_of("0123456789", dash + 1) == std::string_view::npos;
}

}  // namespace

Task<Result<size_t>> set_aside_unknown(Io& io, std::string directory, std::set<std::string> known) {
    const auto names = co_await list_directory(io, directory);
    if (!names) co_return names.error();
    size_t count = 0;
    for (const std::string& name : *names) {
        if (known.contains(name) || !looks_like_partition(name)) continue;
        const std::string path = directory + "/" + name;
        const auto info = co_await file_info(io, path);
        if (!info) co_return info.error();
        if (!*info || !(*info)->is_directory) continue;
        const std::string target = path + "." + std::to_string(io.wall_ms()) + "-stray";
        io.log().warn("log", "a directory that no metadata names is set aside",
                      {{"directory", path}, {"as", target}});
        const auto renamed = co_await rename_file(io, path, target);
        if (!renamed) co_return told_outside(renamed.error());
        count++;
    }
    if (count == 0) co_return count;
    const auto synced = co_await sync_directory(io, directory);
    if (!synced) co_return told_outside(synced.error());
    co_return count;
}

}  // namespace millrace
