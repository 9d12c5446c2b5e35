// Batching of records for the log.
#include "record_queue.h"

namespace millrace::coordinator {

std::vector<RecordLog::Record> RecordQueue::Batch::records() const {
    std::vector<RecordLog::Record> all;
    all.reserve(extents.size());
    const Bytes whole = bytes;
    for (const Extent& extent : extents) {
        RecordLog::Record record{.key = whole.subspan(extent.key_at, extent.value_at - extent.key_at)};
        if (extent.has_value) record.value = whole.subspan(extent.value_at, extent.end - extent.value_at);
        all.push_back(record);
    }
    return all;
}

Error RecordQueue::propose(int64_t wall_ms, Done done) {
    ASSERT(!extents_.empty());
    const size_t size = draft_.size();
    Error refusal = Error::none;
    if (size > options_.append_batch_max_bytes)
        refusal = Error::invalid_commit_offset_size;
    else if (queued_size_ + size > options_.append_queue_max_bytes)
        refusal = Error::coordinator_not_available;
    if (refusal == Error::none) {
        if (batches_.empty() || batches_.back().bytes.size() + size > options_.append_batch_max_bytes)
            batches_.emplace_back();
        append_draft(batches_.back());
        batches_.back().proposals.push_back(std::move(done));
        batches_.back().wall_ms = wall_ms;
        queued_size_ += size;
    }
    draft_.clear();
    extents_.clear();
    return refusal;
}

void RecordQueue::append_draft(Batch& batch) {
    const size_t base = batch.bytes.size();
    const Bytes draft = draft_.view();
    batch.bytes.insert(batch.bytes.end(), draft.begin(), draft.end());
    for (Batch::Extent extent : extents_)
        batch.extents.push_back(
            {base + extent.key_at, base + extent.value_at, base + extent.end, extent.has_value});
    ASSERT(batch.bytes.size() <= options_.append_batch_max_bytes);
}

RecordQueue::Batch RecordQueue::take() {
    ASSERT(!batches_.empty());
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    queued_size_ -= batch.bytes.size();
    return batch;
}

void RecordQueue::fail_all(Error error) {
    while (!batches_.empty()) {
        const Batch batch = take();
        for (const Done& done : batch.proposals) done(error);
    }
}

}  // namespace millrace::coordinator
