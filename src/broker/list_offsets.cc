// ListOffsets and OffsetForLeaderEpoch: where a partition begins, ends, where a time or an epoch falls.
#include <set>

#include "handlers.h"

namespace millrace {
namespace {

using Request = wire::ListOffsetsRequest;
using Response = wire::ListOffsetsResponse;

// Timestamps with a meaning of their own (PROTOCOL: KIP-79, KIP-734, KIP-405, KIP-1005).
constexpr int64_t latest = -1, earliest = -2, max_timestamp = -3, earliest_local = -4, latest_tiered = -5,
                  earliest_pending_upload = -6;

Error check_version(int64_t timestamp, int16_t version) {
    const auto needs = [&](int16_t least) {
        return version >= least ? Error::none : Error::unsupported_version;
    };
    if (timestamp >= earliest) return Error::none;
    if (timestamp == max_timestamp) return needs(7);
    if (timestamp == earliest_local) return needs(8);
    if (timestamp == latest_tiered) return needs(9);
    if (timestamp == earliest_pending_upload) return needs(11);
    return Error::unsupported_version;
}

struct Found {
    Error error = Error::none;
    TimestampOffset place;
};

struct Asked {
    Slot slot;
    int32_t leader_epoch;
    int64_t timestamp;
};

TimestampOffset place_of(const Partition& partition, Offset offset, Epoch epoch_there) {
    return {.offset = offset,
            .timestamp = -1,
            .leader_epoch = epoch_there.value < 0 ? partition.leader_epoch() : epoch_there};
}

// So that whoever has the acknowledgement of a record finds it below the high watermark.
Task<> flush_written(Shard& home, Slot slot) {
    constexpr uint64_t wait_ns_max = 5'000'000'000;
    Hosted* hosted = home.hosted(slot);
    if (!hosted) co_return;
    const Offset written = hosted->partition->log().written();
    auto flushing = hosted->partition->acknowledged(written, Acks::all, home.io().now_ns() + wait_ns_max);
    (void)co_await flushing;  // Why it failed shows in the partition itself.
}

// On the partition's home shard.
Task<Found> find_offset(Shard& home, Asked asked) {
    const Shard::Visit visit{home};
    const bool needs_end =
        asked.timestamp >= 0 || asked.timestamp == latest || asked.timestamp == max_timestamp;
    if (needs_end) co_await flush_written(home, asked.slot);
    Hosted* hosted = home.hosted(asked.slot);
    if (!hosted) co_return Found{.error = home.why_absent(asked.slot), .place = {}};
    Partition& partition = *hosted->partition;
    if (const Error error = partition.check_epoch(Epoch{asked.leader_epoch}); error != Error::none)
        co_return Found{.error = error, .place = {}};
    if (const Error error = partition.log().failure(); error != Error::none)
        co_return Found{.error = error, .place = {}};
    if (asked.timestamp == latest)
        co_return Found{.place = place_of(partition, partition.high_watermark(), partition.leader_epoch())};
    if (asked.timestamp == earliest || asked.timestamp == earliest_local)
        co_return Found{.place = place_of(partition, partition.log_start(),
                                          partition.log().epoch_of(partition.log_start()))};
    if (asked.timestamp == latest_tiered || asked.timestamp == earliest_pending_upload)
        co_return Found{};  // There is no tiered storage: no such offset.
    auto finding = partition.log().offset_for_timestamp(asked.timestamp, partition.high_watermark());
    const auto found = co_await finding;
    if (!found) co_return Found{.error = found.error(), .place = {}};
    co_return Found{.place = *found};
}

// What names the same partition twice is refused, each time.
std::set<std::pair<std::string_view, int32_t>> duplicates(const Request& request) {
    std::set<std::pair<std::string_view, int32_t>> seen, twice;
    for (const auto& topic : request.topics)
        for (const auto& partition : topic.partitions) {
            const std::pair key{topic.name, partition.partition_index};
            if (!seen.insert(key).second) twice.insert(key);
        }
    return twice;
}

Task<> answer_partition(Call& call, std::string_view name, const Request::Partition& asked,
                        Response::Partition& answer) {
    answer.partition_index = asked.partition_index;
    const TopicInfo* topic = call.shard.metadata().topic(name);
    answer.error_code = check_version(asked.timestamp, call.version());
    if (answer.error_code == Error::none &&
        (!topic || asked.partition_index < 0 || asked.partition_index >= topic->partition_count()))
        answer.error_code = Error::unknown_topic_or_partition;
    if (answer.error_code != Error::none) co_return;
    const Slot slot = topic->partitions[asked.partition_index].slot;
    const Asked crossing{slot, asked.current_leader_epoch, asked.timestamp};
    const ShardId home = co_await call.shard.settled_home(slot);
    auto finding =
        call.shard.on<Found>(home, [crossing](Shard& home) { return find_offset(home, crossing); });
    const Found found = co_await finding;
    answer.error_code = found.error;
    answer.offset = found.place.offset.value;
    answer.timestamp = found.place.timestamp;
    answer.leader_epoch = found.place.leader_epoch.value;
}

}  // namespace

Task<Response> handle_list_offsets(Call& call, const Request& request) {
    const auto twice = duplicates(request);
    Response response;
    response.topics = call.arena.make<Response::Topic>(request.topics.size());
    std::vector<Task<>> answers;
    for (size_t t = 0; t < request.topics.size(); t++) {
        const Request::Topic& asked = request.topics[t];
        Response::Topic& topic = response.topics[t];
        topic = {.name = asked.name,
                 .partitions = call.arena.make<Response::Partition>(asked.partitions.size())};
        for (size_t p = 0; p < asked.partitions.size(); p++) {
            if (twice.contains({asked.name, asked.partitions[p].partition_index})) {
                topic.partitions[p] = {.partition_index = asked.partitions[p].partition_index,
                                       .error_code = Error::invalid_request};
            } else {
                answers.push_back(
                    answer_partition(call, asked.name, asked.partitions[p], topic.partitions[p]));
            }
        }
    }
    co_await gather(std::move(answers));
    co_return response;
}

// ---- OffsetForLeaderEpoch --------------------------------------------------------------------------------

namespace {

using EpochRequest = wire::OffsetForLeaderEpochRequest;
using EpochResponse = wire::OffsetForLeaderEpochResponse;

struct FoundEnd {
    Error error = Error::none;
    EpochEnd end;
};

Task<FoundEnd> find_epoch_end(Shard& home, Slot slot, int32_t current_epoch, int32_t epoch) {
    Hosted* hosted = home.hosted(slot);
    if (!hosted) co_return FoundEnd{.error = home.why_absent(slot), .end = {}};
    const Error error = hosted->partition->check_epoch(Epoch{current_epoch});
    if (error != Error::none) co_return FoundEnd{.error = error, .end = {}};
    co_return FoundEnd{.end = hosted->partition->epoch_end(Epoch{epoch})};
}

Task<> answer_epoch(Call& call, std::string_view name, const EpochRequest::Partition& asked,
                    EpochResponse::Partition& answer) {
    answer.partition = asked.partition;
    const TopicInfo* topic = call.shard.metadata().topic(name);
    if (!topic || asked.partition < 0 || asked.partition >= topic->partition_count()) {
        answer.error_code = Error::unknown_topic_or_partition;
        co_return;
    }
    const Slot slot = topic->partitions[asked.partition].slot;
    const ShardId home = co_await call.shard.settled_home(slot);
    auto finding = call.shard.on<FoundEnd>(
        home, [slot, current = asked.current_leader_epoch, epoch = asked.leader_epoch](Shard& home) {
            return find_epoch_end(home, slot, current, epoch);
        });
    const FoundEnd found = co_await finding;
    answer.error_code = found.error;
    answer.leader_epoch = found.end.epoch.value;
    answer.end_offset = found.end.end.value;
}

}  // namespace

Task<EpochResponse> handle_offset_for_leader_epoch(Call& call, const EpochRequest& request) {
    EpochResponse response;
    response.topics = call.arena.make<EpochResponse::Topic>(request.topics.size());
    std::vector<Task<>> answers;
    for (size_t t = 0; t < request.topics.size(); t++) {
        const auto& asked = request.topics[t];
        auto& topic = response.topics[t];
        topic = {.topic = asked.topic,
                 .partitions = call.arena.make<EpochResponse::Partition>(asked.partitions.size())};
        for (size_t p = 0; p < asked.partitions.size(); p++)
            answers.push_back(answer_epoch(call, asked.topic, asked.partitions[p], topic.partitions[p]));
    }
    co_await gather(std::move(answers));
    co_return response;
}

}  // namespace millrace
