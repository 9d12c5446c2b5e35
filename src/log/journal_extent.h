// Where a log's segments end by what the journals say, and which bytes of them the journals still hold.
#pragma once
#include <map>

#include "file_reader.h"
#include "journal_reader.h"

namespace millrace {

struct SegmentEnd {
    uint64_t position = 0;
    Offset next;
};
struct JournalExtent {
    std::map<Offset, SegmentEnd> segments;  // By base; those that the journal speaks of.
    size_t pieces_used = 0;                 // The others were being written when the end came.
    bool has_gap = false;                   // Pieces are missing in between.
};
// The ranges that may not have been flushed are looked at in the partition's directory.
Task<Result<JournalExtent>> extent_of(Io& io, std::string directory, const RecoveredLog& journal);

// What the journal holds of that segment's bytes.
void lay_over(FileReader& reader, const RecoveredLog& journal, const JournalExtent& extent, Offset segment);

}  // namespace millrace
