// What a journal's entries say of one log, as they are read in their order.
//
// What always holds: a log's pieces are in the order of their entries; nothing below a `settled` entry is
// among them. Lives while a shard's journals are read.
#pragma once
#include "journal_reader.h"

namespace millrace {

struct AppliedEntry {
    const Entry& entry;
    Bytes payload;  // Its hash is right.
    bool known_durable = false;
};
void apply_to(RecoveredLog& log, const AppliedEntry& applied);
// The header is sound, its payload is not: how far the log had come is known.
void apply_header(RecoveredLog& log, const Entry& entry);
// Bytes that the journal does not have: up to where the entry is, and `length` more.
void add_lost(RecoveredLog& log, const Entry& entry, uint32_t length);
// Whether the log, as read so far, is where a later file's state says that it was.
bool agrees(const RecoveredLog& log, const Entry& state);
// Of two journals that speak of a slot.
bool is_newer(const RecoveredLog& log, const RecoveredLog& than);

}  // namespace millrace
