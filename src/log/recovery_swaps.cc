// Replacements by cleaned segments that the last life began: finished where the new file's name was durable,
// else undone. Segments and names only; what the journal says of them comes later.
#include "recovery.h"

namespace millrace {

Task<Result<>> Recovery::finish_swaps() {
    const auto names = co_await list_directory(io_, log_.directory_);
    if (!names) co_return names.error();
    for (const std::string& name : *names) {
        Result<> result;
        const auto swap = swap_of_name(name);
        if (swap) result = co_await finish_swap(*swap, *names);
        // Aside, and no swap needs it: indexes are made anew.
        if (name.ends_with(".cleaned")) result = co_await remove_file(io_, log_.directory_ + "/" + name);
        if (!result) co_return result;
    }
    co_return Result<>{};
}

// As PartitionLog::rename_into_place, from wherever it had come to.
Task<Result<>> Recovery::finish_swap(SwapName swap, std::vector<std::string> names) {
    io_.log().info("log", "a cleaned segment is put in its place",
                   {{"directory", log_.directory_}, {"base", swap.base}, {"until", swap.until}});
    for (const std::string& name : names)
        for (const std::string_view suffix : {".sum", ".index", ".timeindex", ".txnindex", ".log"}) {
            const auto base = offset_of_name(name, suffix);
            if (!base || *base < swap.base || *base >= swap.until) continue;
            if (*base == swap.base && suffix == ".log") continue;  // Replaced by the rename.
            auto removed = co_await remove_file(io_, log_.directory_ + "/" + name);
            if (!removed) co_return removed;
        }
    auto result = co_await sync_directory(io_, log_.directory_);
    const std::string to = log_.directory_ + "/" + offset_name(swap.base, ".log");
    if (result) result = co_await rename_file(io_, log_.directory_ + "/" + swap_name(swap), to);
    if (result) result = co_await sync_directory(io_, log_.directory_);
    co_return result;
}

}  // namespace millrace
