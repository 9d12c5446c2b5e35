// A cleaned file takes the place of the segments that it was made from.
//
// What always holds: until the swap's name is durable the old files count, from then on the new one, however
// often the end comes in between; a reader never sees one file's positions in another file.
#include "segment_writer.h"
#include "storage.h"

namespace millrace {

Task<Result<>> PartitionLog::replace(const CleanGroup& group, SegmentWriter& writer) {
    ASSERT(!replacing_ && held_from_ == group.first() && settled_ >= group.until);
    const std::string swap = directory_ + "/" + swap_name({group.first(), group.until});
    auto result = co_await rename_file(storage_.io(), writer.path_aside(".log"), swap);
    if (!result) co_return result;
    result = co_await sync_directory(storage_.io(), directory_);
    if (!result) co_return Error::kafka_storage_error;  // A swap is there, or not: nobody knows.
    replacing_ = true;
    take_over(group, writer);
    result = co_await rename_into_place(group, writer);
    // Memory has gone over to the new file: there is no way back.
    if (!result) storage_.fail("a cleaned segment could not be put in its place");
    replacing_ = false;
    storage_.replaced_files().notify_all();
    co_return result ? result : Result<>{Error::kafka_storage_error};
}

// In memory, at once: from here nobody opens the old files, and who has them open goes on reading them.
void PartitionLog::take_over(const CleanGroup& group, SegmentWriter& writer) {
    while (!chunks_.empty() && chunks_.front()->segment < group.until) drop_first_chunk();
    const auto at = [&](Offset base) {
        return std::find_if(segments_.begin(), segments_.end(),
                            [&](const auto& segment) { return segment->base >= base; });
    };
    const auto first = at(group.first()), behind = at(group.until);
    ASSERT(behind - first == static_cast<ptrdiff_t>(group.bases.size()));
    auto cleaned = std::make_unique<Segment>(Segment{.base = group.first(),
                                                     .version = ++versions_,
                                                     .size = writer.size(),
                                                     .out = writer.size(),
                                                     .scheduled = writer.size(),
                                                     .allocated = writer.size(),
                                                     .sealed = true,
                                                     .final = true,
                                                     .first_timestamp = writer.first_timestamp(),
                                                     .max_timestamp = writer.index().max_timestamp()});
    for (auto it = first; it != behind; ++it) {
        const Segment& old = **it;
        ASSERT(old.final && old.out == old.size && !old.file);
        cleaned->made_ms = std::max(cleaned->made_ms, old.made_ms);
        storage_.forget_file(key_of(old));
    }
    *first = std::move(cleaned);
    segments_.erase(first + 1, behind);
    storage_.indexes().put(key_of(*segment_at(group.first())), std::move(writer.index()));
}

// The old files go before the swap gets its last name: were one of them left behind it, it would come back.
Task<Result<>> PartitionLog::rename_into_place(const CleanGroup& group, const SegmentWriter& writer) {
    Io& io = storage_.io();
    Result<> result;
    for (const std::string_view suffix : {".index", ".timeindex"})
        if (result) result = co_await rename_file(io, writer.path_aside(suffix), writer.path(suffix));
    for (const Offset base : group.bases)
        for (const std::string_view suffix : {".sum", ".index", ".timeindex", ".txnindex", ".log"})
            if (result && (base != group.first() || suffix == ".sum"))
                result = co_await remove_file(io, directory_ + "/" + offset_name(base, suffix));
    if (result) result = co_await sync_directory(io, directory_);
    const std::string swap = directory_ + "/" + swap_name({group.first(), group.until});
    if (result) result = co_await rename_file(io, swap, writer.path(".log"));
    if (result) result = co_await sync_directory(io, directory_);
    co_return result;
}

Task<Result<>> PartitionLog::await_replaced() {
    while (replacing_ && failure() == Error::none) co_await storage_.replaced_files();
    co_return failure() == Error::none ? Result<>{} : Result<>{failure()};
}

}  // namespace millrace
