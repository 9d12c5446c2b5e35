// Judges what clients saw: every value is sent once, so that a log and its readers can be held against it.
//
// Calls come in the order of time. A write that is neither acknowledged nor refused may or may not be there.
// Owned by the run that records it.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base.h"

namespace millrace::sim {

struct Anomaly {
    enum class Kind : uint8_t {
        lost,        // Acknowledged, not in the log at the end.
        duplicated,  // In the log twice.
        reordered,   // Before a value that the same producer sent earlier.
        misplaced,   // Not at the offset that the acknowledgement gave.
        refused,     // In the log although the producer was told that it is not.
        invented,    // In the log or read, but never sent, or not yet.
        unstable,    // Read, and at the end its offset holds nothing or something else: it was read too soon.
        skipped,     // A consumer went past it.
        read_again,  // A consumer went back without having asked.
    };
    Kind kind;
    uint32_t partition;
    uint64_t value;
    Offset offset;

    bool operator==(const Anomaly&) const = default;
    std::string to_text() const;
};

enum class Delivery : uint8_t {
    exactly_once,   // Idempotent producers: no duplicates, and the order of sending.
    at_least_once,  // Retries may duplicate and reorder.
};

class History {
 public:
    struct Entry {
        Offset offset;
        uint64_t value;
    };
    using WriteId = size_t;

    explicit History(Delivery delivery = Delivery::exactly_once) : delivery_(delivery) {}

    // A producer sends a value, which no one has sent before.
    // Where the log is compacted, a value may be gone that a later one of its key supersedes.
    WriteId send(uint32_t producer, uint32_t partition, uint64_t value, std::optional<uint32_t> key = {});
    void acknowledge(WriteId write, Offset offset);
    void refuse(WriteId write);
    // An acknowledgement that has lost its worth: the write may be there or not.
    void doubt(WriteId write);
    // The partition has lost what was only in memory: whatever was read of writes that are not acknowledged
    // (see doubt) may be gone, its offsets mean other values, and consumers go on wherever they find
    // themselves.
    void break_off(uint32_t partition);
    // A consumer starts, or starts again, at this offset.
    void seek(uint32_t consumer, uint32_t partition, Offset offset);
    void read(uint32_t consumer, uint32_t partition, Entry entry);

    // The whole log of a partition, read after all faults have ended; it begins at `start` since older
    // records were deleted on purpose.
    void finish(uint32_t partition, Offset start, std::vector<Entry> log);

    // All partitions that were written or read are finished. Empty: nothing is wrong.
    std::vector<Anomaly> check() const;
    size_t acknowledged_count() const;

 private:
    enum class State : uint8_t { unknown, acknowledged, refused };
    struct Write {
        uint32_t producer;
        uint32_t partition;
        uint64_t value;
        std::optional<uint32_t> key;
        State state = State::unknown;
        Offset offset{-1};
    };
    struct Reading {
        uint32_t consumer;
        Entry entry;
        bool is_seek;              // Then only the entry's offset counts.
        size_t sent_before;        // How many writes had been sent.
        bool is_break = false;     // Nobody's: the partition broke off here.
        bool is_forgiven = false;  // Its value need not be there.
    };
    struct Partition {
        std::vector<Reading> readings;
        std::optional<Offset> start;
        std::vector<Entry> log;
        std::map<uint32_t, Offset> newest;  // Of each key, in the log.

        bool supersedes(const Write& write, Offset offset) const;
    };

    void check_log(uint32_t number, const Partition& partition, std::vector<Anomaly>& found) const;
    void check_writes(std::vector<Anomaly>& found) const;
    void check_readings(uint32_t number, const Partition& partition, std::vector<Anomaly>& found) const;
    void check_steps(uint32_t number, const Partition& partition, std::vector<Anomaly>& found) const;

    Delivery delivery_;
    std::vector<Write> writes_;  // In the order of sending.
    std::map<uint64_t, WriteId> by_value_;
    std::map<uint32_t, Partition> partitions_;
};

}  // namespace millrace::sim
