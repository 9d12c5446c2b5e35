// Producing: records of one topic into batches, batches to the partitions' leaders.
#include "millrace/client.h"
#include "millrace/wire/init_producer_id.h"
#include "millrace/wire/produce.h"

namespace millrace::client {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;

int64_t timestamp_of(const OutgoingRecord& record, int64_t now_ms) {
    return record.timestamp.value_or(now_ms);
}

}  // namespace

Producer::Producer(Client& client, std::string topic, ProducerOptions options)
    : client_(client), topic_(std::move(topic)), options_(options) {
    ASSERT(!options.idempotent || options.acks == -1);
}

Task<Result<>> Producer::open() {
    Result<> ready = co_await client_.ready(topic_, options_.auto_create);
    if (!ready) co_return ready;
    lanes_.resize(client_.topic(topic_)->partitions.size());
    if (!options_.idempotent) co_return Result<>{};
    const uint64_t deadline = client_.io().now_ns() + client_.options().retry_ms * ns_per_ms;
    for (;;) {
        wire::InitProducerIdRequest request{.transaction_timeout_ms = 60000};
        request.transactional_id.reset();
        const auto reply = co_await client_.ask_any<wire::InitProducerIdResponse>(request);
        const Error error = reply ? (*reply)->error_code : reply.error();
        if (error == Error::none) {
            producer_id_ = ProducerId{(*reply)->producer_id};
            producer_epoch_ = (*reply)->producer_epoch;
            co_return Result<>{};
        }
        if (!is_retriable(error) || client_.io().now_ns() >= deadline) co_return error;
        co_await sleep_for(client_.io(), client_.options().backoff_ms * ns_per_ms);
    }
}

int32_t Producer::partition_count() const { return static_cast<int32_t>(lanes_.size()); }

int32_t Producer::choose_partition(const OutgoingRecord& record) {
    if (record.partition) return *record.partition;
    if (record.key) return partition_of_key(*record.key, partition_count());
    return turn_;
}

Result<> Producer::add(const OutgoingRecord& record) {
    ASSERT(!lanes_.empty());
    const int32_t partition = choose_partition(record);
    if (partition < 0 || partition >= partition_count()) return Error::invalid_partitions;
    Lane& lane = lanes_[static_cast<size_t>(partition)];
    const NewRecord fresh{.timestamp = timestamp_of(record, client_.io().wall_ms()),
                          .key = record.key,
                          .value = record.value,
                          .headers = record.headers};
    const size_t size = BatchBuilder::size_bound(fresh);
    if (!lane.builder.empty() && lane.builder.size() + size > options_.batch_size) {
        close_batch(lane);
        if (!record.key && !record.partition) turn_ = (turn_ + 1) % partition_count();
    }
    lane.builder.add(fresh);
    waiting_ += size;
    return {};
}

void Producer::close_batch(Lane& lane) {
    if (lane.builder.empty()) return;
    BatchOptions& options = lane.builder.options();
    options.codec = options_.codec;
    options.producer_id = producer_id_;
    options.producer_epoch = producer_epoch_;
    options.base_sequence = options_.idempotent ? lane.next_sequence : -1;
    const int32_t count = lane.builder.count();
    lane.next_sequence = static_cast<int32_t>((uint32_t(lane.next_sequence) + uint32_t(count)) & 0x7fffffff);
    lane.closed.push_back({lane.builder.build(compressor_), count});
}

Task<std::vector<Produced>> Producer::flush() {
    std::vector<Task<std::vector<Produced>>> sending;
    for (size_t i = 0; i < lanes_.size(); i++) {
        close_batch(lanes_[i]);
        if (!lanes_[i].closed.empty()) sending.push_back(send_lane(static_cast<int32_t>(i)));
    }
    waiting_ = 0;
    std::vector<std::vector<Produced>> by_partition = co_await gather(std::move(sending));
    std::vector<Produced> all;
    for (auto& some : by_partition) all.insert(all.end(), some.begin(), some.end());
    co_return all;
}

Task<std::vector<Produced>> Producer::send_lane(int32_t partition) {
    std::vector<Produced> results;
    Lane& lane = lanes_[static_cast<size_t>(partition)];
    while (!lane.closed.empty()) {
        Batch batch = std::move(lane.closed.front());
        lane.closed.pop_front();
        Produced result = co_await send_batch(partition, std::move(batch));
        results.push_back(std::move(result));
    }
    co_return results;
}

Task<Produced> Producer::send_batch(int32_t partition, Batch batch) {
    const uint64_t deadline = client_.io().now_ns() + client_.options().retry_ms * ns_per_ms;
    for (;;) {
        Produced result = co_await send_once(partition, batch);
        if (result.error == Error::none || !is_retriable(result.error) || client_.io().now_ns() >= deadline)
            co_return result;
        co_await sleep_for(client_.io(), client_.options().backoff_ms * ns_per_ms);
        const Result<> refreshed = co_await client_.refresh({topic_});
        if (!refreshed && !is_retriable(refreshed.error())) co_return result;
    }
}

Task<Produced> Producer::send_once(int32_t partition, const Batch& batch) {
    Produced result{.partition = partition, .count = batch.count};
    const Result<ClientConnection*> connection = co_await client_.leader(topic_, partition);
    if (!connection) {
        result.error = connection.error();
        co_return result;
    }
    const TopicInfo* topic = client_.topic(topic_);
    wire::ProduceRequest::Partition data{.index = partition, .records = wire::Records(Bytes(batch.bytes))};
    wire::ProduceRequest::Topic to{
        .name = topic_, .topic_id = topic ? topic->id : Uuid{}, .partition_data = {&data, 1}};
    const wire::ProduceRequest request{
        .acks = options_.acks, .timeout_ms = options_.timeout_ms, .topic_data = {&to, 1}};
    if (options_.acks == 0) {
        result.error = (*connection)->send_only(request).error();
        co_await (*connection)->drained();
        co_return result;
    }
    Task<Result<Reply<wire::ProduceResponse>>> sending = (*connection)->call<wire::ProduceResponse>(request);
    const auto reply = co_await sending;
    if (!reply) {
        result.error = reply.error();
    } else if ((*reply)->responses.size() != 1 || (*reply)->responses[0].partition_responses.size() != 1) {
        result.error = Error::unknown_server_error;
    } else {
        const auto& told = (*reply)->responses[0].partition_responses[0];
        result.error = told.error_code;
        result.base_offset = told.base_offset;
        result.message = told.error_message.value_or("");
    }
    co_return result;
}

}  // namespace millrace::client
