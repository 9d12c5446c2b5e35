// What entries say of the logs.
#include "journal_logs.h"

namespace millrace {

// The header is sound, its payload is not: how far the log had come is known.
void apply_header(RecoveredLog& log, const Entry& entry) {
    if (entry.kind == EntryKind::data) return add_lost(log, entry, entry.length);
    log = {.left = entry.kind == EntryKind::left, .last_sequence = log.last_sequence};
    log.has_state = true;
    log.segment = Offset{entry.segment}, log.position = entry.position, log.next = Offset{entry.next};
}

// Bytes that the journal does not have: up to where the entry is, and `length` more.
void add_lost(RecoveredLog& log, const Entry& entry, uint32_t length) {
    log.pieces.push_back({.segment = Offset{entry.segment},
                          .position = entry.position,
                          .length = length,
                          .is_part = entry.part != 0,
                          .lost = true,
                          .next = Offset{entry.next},
                          .bytes_at = log.bytes.size(),
                          .sequence = entry.sequence});
}

// Whether the log, as read so far, is where a later file's state says that it was.
bool agrees(const RecoveredLog& log, const Entry& state) {
    if (log.pieces.empty()) return log.segment.value == state.segment && log.position == state.position;
    const RecoveredPiece& last = log.pieces.back();
    return last.segment.value == state.segment && last.position + last.length == state.position;
}

namespace {

void begin_with(RecoveredLog& log, const Entry& entry, const StatePayload& state) {
    log.has_state = true;
    log.topic_id = Uuid{state.topic_id};
    log.segment = Offset{entry.segment}, log.position = entry.position;
    log.next = Offset{entry.next};
    log.log_start = std::max(log.log_start, Offset{state.log_start});
}

// The files of segments below it are the truth: nothing of them is applied again.
void settle(RecoveredLog& log, Offset segment) {
    std::erase_if(log.pieces, [&](const RecoveredPiece& piece) { return piece.segment < segment; });
    if (log.segment >= segment) return;
    log.segment = log.next = segment;
    log.position = 0;
}

}  // namespace

void apply_to(RecoveredLog& log, const AppliedEntry& applied) {
    const auto& [entry, payload, known_durable] = applied;
    switch (entry.kind) {
        case EntryKind::state: {
            StatePayload state;
            if (payload.size() != sizeof state) return apply_header(log, entry);
            std::memcpy(&state, payload.data(), sizeof state);
            if (log.left) log = {.last_sequence = log.last_sequence};  // Back again.
            return begin_with(log, entry, state);
        }
        case EntryKind::left: {
            LeftPayload left;
            if (payload.size() != sizeof left) return apply_header(log, entry);
            std::memcpy(&left, payload.data(), sizeof left);
            log = {.left = true, .left_generation = left.generation, .last_sequence = log.last_sequence};
            return begin_with(log, entry, left.state);
        }
        case EntryKind::data:
        case EntryKind::range: {
            const bool in_segment = entry.kind == EntryKind::range;
            log.pieces.push_back({.segment = Offset{entry.segment},
                                  .position = entry.position,
                                  .length = entry.length,
                                  .in_segment = in_segment,
                                  .is_part = entry.part != 0,
                                  .known_durable = known_durable,
                                  .next = Offset{entry.next},
                                  .hash = entry.payload_hash,
                                  .bytes_at = log.bytes.size(),
                                  .sequence = entry.sequence});
            log.bytes.insert(log.bytes.end(), payload.begin(), payload.end());
            return;
        }
        case EntryKind::epoch:
            log.epochs.push_back({Epoch{static_cast<int32_t>(entry.position)}, Offset{entry.next}});
            return;
        case EntryKind::log_start: log.log_start = std::max(log.log_start, Offset{entry.next}); return;
        case EntryKind::removed: log.removed = true; return;
        case EntryKind::settled: return settle(log, Offset{entry.segment});
        default: return;
    }
}

// Where two journals speak of a slot, the later life is right, since no journal is emptied before all that
// all of them held is in the segments. In one life it was moved: it is where it has not left, or, when it had
// not arrived yet, as it left last.
bool is_newer(const RecoveredLog& log, const RecoveredLog& than) {
    if (log.incarnation != than.incarnation) return log.incarnation > than.incarnation;
    if (log.left != than.left) return than.left;
    return log.left && log.left_generation > than.left_generation;
}

}  // namespace millrace
