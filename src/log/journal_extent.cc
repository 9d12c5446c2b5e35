// What the journals say about one log's segments.
#include "journal_extent.h"

#include "files.h"
#include "sums.h"

namespace millrace {

namespace {

// Whether the bytes of a range came to the device before the end.
Task<Result<bool>> is_there(Io& io, std::string path, RecoveredPiece piece) {
    const auto info = co_await file_info(io, path);
    if (!info) co_return info.error();
    if (!*info || (*info)->size < piece.position + piece.length) co_return false;
    const auto fd = co_await open_file(io, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    std::vector<uint8_t> bytes(piece.length);
    const auto read = co_await direct_read(io, *fd, piece.position, bytes);
    co_await close_file(io, *fd);
    if (!read) co_return read.error();
    co_return PagedHash::of(piece.position, bytes) == piece.hash;
}

}  // namespace

Task<Result<JournalExtent>> extent_of(Io& io, std::string directory, const RecoveredLog& journal) {
    JournalExtent complete;
    Offset at = journal.segment;
    complete.segments[at] = {journal.position, journal.next};
    auto ends = complete.segments;
    for (size_t i = 0; i < journal.pieces.size(); i++) {
        const RecoveredPiece piece = journal.pieces[i];
        const SegmentEnd last = ends.at(at);
        const bool follows = piece.segment == at && piece.position == last.position;
        const bool begins = piece.segment == last.next && piece.segment > at && piece.position == 0;
        complete.has_gap = !follows && !begins;
        if (complete.has_gap) break;
        if (piece.in_segment && !piece.known_durable) {
            const auto there =
                co_await is_there(io, directory + "/" + offset_name(piece.segment, ".log"), piece);
            if (!there) co_return there.error();
            if (!*there) break;
        }
        if (begins) at = piece.segment, ends[at] = {0, at};
        ends[at].position += piece.length;
        if (piece.is_part) continue;
        ends[at].next = piece.next;
        complete.segments = ends;
        complete.pieces_used = i + 1;
    }
    co_return complete;
}

void lay_over(FileReader& reader, const RecoveredLog& journal, const JournalExtent& extent, Offset segment) {
    for (size_t i = 0; i < extent.pieces_used; i++) {
        const RecoveredPiece& piece = journal.pieces[i];
        if (piece.segment == segment && !piece.in_segment)
            reader.lay_over(piece.position, Bytes{journal.bytes}.subspan(piece.bytes_at, piece.length));
    }
}

}  // namespace millrace
