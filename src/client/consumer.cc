// Consuming: fetches from every leader at once, batches into records, positions behind what was read.
#include "millrace/client.h"
#include "millrace/wire/fetch.h"

namespace millrace::client {

namespace {

std::optional<std::string> text_of(std::optional<Bytes> bytes) {
    if (!bytes) return std::nullopt;
    return std::string(as_text(*bytes));
}

ConsumedRecord consumed(int32_t partition, const Record& record) {
    ConsumedRecord out{.partition = partition,
                       .offset = record.offset.value,
                       .timestamp = record.timestamp,
                       .key = text_of(record.key),
                       .value = text_of(record.value)};
    for (const RecordHeader& header : record.headers())
        out.headers.emplace_back(std::string(header.key), text_of(header.value));
    return out;
}

Fetched fetched_of(const wire::FetchResponse::Partition& told) {
    Fetched fetched{.partition = told.partition_index,
                    .error = told.error_code,
                    .high_watermark = told.high_watermark,
                    .log_start_offset = told.log_start_offset};
    if (told.records && !told.records->empty()) {
        const Bytes bytes = told.records->whole();
        fetched.records.assign(bytes.begin(), bytes.end());
    }
    return fetched;
}

}  // namespace

Consumer::Consumer(Client& client, std::string topic, FetchOptions options)
    : client_(client), topic_(std::move(topic)), options_(options) {}

void Consumer::assign(std::map<int32_t, int64_t> positions) { positions_ = std::move(positions); }

int64_t Consumer::high_watermark(int32_t partition) const {
    const auto found = high_watermarks_.find(partition);
    return found == high_watermarks_.end() ? -1 : found->second;
}

Task<Result<std::vector<ConsumedRecord>>> Consumer::poll() {
    const TopicInfo* topic = client_.topic(topic_);
    std::map<int32_t, std::vector<int32_t>> by_leader;
    bool stale = topic == nullptr;
    for (const auto& [partition, position] : positions_) {
        if (!topic || static_cast<size_t>(partition) >= topic->partitions.size()) continue;
        const int32_t leader = topic->partitions[static_cast<size_t>(partition)].leader;
        leader < 0 ? stale = true : (by_leader[leader].push_back(partition), false);
    }
    if (by_leader.empty() && !stale) {  // Nothing is assigned.
        co_await sleep_for(client_.io(), static_cast<uint64_t>(options_.max_wait_ms) * 1'000'000);
        co_return std::vector<ConsumedRecord>{};
    }
    std::vector<Task<Result<std::vector<Fetched>>>> fetching;
    for (auto& [leader, partitions] : by_leader) fetching.push_back(fetch_from(leader, partitions));
    const std::vector<Result<std::vector<Fetched>>> answers = co_await gather(std::move(fetching));
    std::vector<ConsumedRecord> records;
    Error failed = Error::none;
    for (const auto& answer : answers) {
        if (!answer) {
            is_retriable(answer.error()) ? stale = true : (failed = answer.error(), false);
            continue;
        }
        for (const Fetched& fetched : *answer) {
            const Error error = take(fetched, records);
            if (error == Error::none) continue;
            is_retriable(error) ? stale = true : (failed = error, false);
        }
    }
    if (!records.empty()) co_return records;
    if (failed != Error::none) co_return failed;
    if (stale) {
        co_await sleep_for(client_.io(), client_.options().backoff_ms * 1'000'000);
        const Result<> refreshed = co_await client_.refresh({topic_});
        if (!refreshed && !is_retriable(refreshed.error())) co_return refreshed.error();
    }
    co_return records;
}

Task<Result<std::vector<Fetched>>> Consumer::fetch_from(int32_t node, std::vector<int32_t> partitions) {
    const Result<ClientConnection*> connection = co_await client_.node(node);
    if (!connection) co_return connection.error();
    const TopicInfo* topic = client_.topic(topic_);
    if (!topic) co_return Error::unknown_topic_or_partition;
    std::vector<wire::FetchRequest::Partition> asked;
    for (int32_t partition : partitions) {
        const auto position = positions_.find(partition);
        if (position == positions_.end()) continue;  // Taken away meanwhile.
        asked.push_back({.partition = partition,
                         .fetch_offset = position->second,
                         .partition_max_bytes = options_.partition_max_bytes});
    }
    wire::FetchRequest::Topic asked_topic{
        .topic = topic_, .topic_id = topic->id, .partitions = std::span(asked)};
    const wire::FetchRequest request{.max_wait_ms = options_.max_wait_ms,
                                     .min_bytes = options_.min_bytes,
                                     .max_bytes = options_.max_bytes,
                                     .isolation_level = static_cast<int8_t>(options_.read_committed),
                                     .topics = {&asked_topic, 1}};
    Task<Result<Reply<wire::FetchResponse>>> asking = (*connection)->call<wire::FetchResponse>(request);
    const auto reply = co_await asking;
    if (!reply) co_return reply.error();
    if ((*reply)->error_code != Error::none) co_return (*reply)->error_code;
    std::vector<Fetched> all;
    for (const auto& told : (*reply)->responses)
        for (const auto& partition : told.partitions) all.push_back(fetched_of(partition));
    co_return all;
}

// Adds the records from this partition's position on, and moves it.
Error Consumer::take(const Fetched& fetched, std::vector<ConsumedRecord>& out) {
    if (fetched.error != Error::none) return fetched.error;
    const auto position = positions_.find(fetched.partition);
    if (position == positions_.end()) return Error::none;
    high_watermarks_[fetched.partition] = fetched.high_watermark;
    BatchReader batches(fetched.records, PartialTail::tolerated);
    while (const auto batch = batches.next()) {
        if (!batch->crc_matches()) return Error::corrupt_message;
        if (batch->next_offset().value <= position->second) continue;
        if (!batch->is_control()) {
            Result<RecordReader> records = RecordReader::open(*batch, decompressor_);
            if (!records) return records.error();
            while (const auto record = records->next())
                if (record->offset.value >= position->second)
                    out.push_back(consumed(fetched.partition, *record));
            if (records->error() != Error::none) return records->error();
        }
        position->second = batch->next_offset().value;
    }
    return batches.error();
}

}  // namespace millrace::client
