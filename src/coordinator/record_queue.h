// Records on their way to the log: what is proposed while an append is under way goes together in the next.
//
// Always: a proposal is in one batch as a whole; every proposal is told its end exactly once; order is kept.
#pragma once
#include <deque>
#include <functional>
#include <vector>

#include "millrace/coordinator.h"
#include "millrace/wire.h"

namespace millrace::coordinator {

class RecordQueue {
 public:
    // Called with none once the records are committed, or with what became of them.
    using Done = std::function<void(Error)>;

    struct Batch {
        struct Extent {  // In bytes.
            size_t key_at, value_at, end;
            bool has_value;
        };
        std::vector<uint8_t> bytes;
        std::vector<Extent> extents;
        std::vector<Done> proposals;
        int64_t wall_ms = 0;

        std::vector<RecordLog::Record> records() const;
    };

    explicit RecordQueue(const GroupOptions& options) : options_(options) {}

    // Collects the records of one proposal.
    template <class Key, class Value> void add(const Key& key, const Value& value, int16_t version) {
        const size_t at = draft_.size();
        wire::encode_record_key(draft_, key);
        const size_t value_at = draft_.size();
        wire::encode_record_value(draft_, value, version);
        extents_.push_back({at, value_at, draft_.size(), true});
    }
    template <class Key> void add_tombstone(const Key& key) {
        const size_t at = draft_.size();
        wire::encode_record_key(draft_, key);
        extents_.push_back({at, draft_.size(), draft_.size(), false});
    }
    size_t draft_size() const { return draft_.size(); }
    size_t draft_count() const { return extents_.size(); }

    // Queues what was collected. invalid_commit_offset_size: more than one append may hold;
    // coordinator_not_available: the queue is full. Then `done` is never called.
    Error propose(int64_t wall_ms, Done done);

    // `done` is called after the newest proposal's; there must be one.
    void follow_newest(Done done) {
        ASSERT(!is_empty()), batches_.back().proposals.push_back(std::move(done));
    }

    bool is_empty() const { return batches_.empty(); }
    // The oldest batch; at least one proposal.
    Batch take();
    // Everything that was not taken is answered with `error`.
    void fail_all(Error error);

 private:
    void append_draft(Batch& batch);

    const GroupOptions& options_;
    wire::Writer draft_;
    std::vector<Batch::Extent> extents_;
    std::deque<Batch> batches_;
    size_t queued_size_ = 0;
};

}  // namespace millrace::coordinator
