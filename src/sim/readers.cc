// Consumers with partitions of their own choice, and members of a group that commit what they have read.
#include <fmt/core.h>

#include "workload.h"

namespace millrace::sim {

namespace {

constexpr int32_t max_wait_ms = 200;
constexpr uint64_t heartbeat_ns = 500'000'000;
constexpr int32_t session_timeout_ms = 3000, rebalance_timeout_ms = 4000;

}  // namespace

void Workload::note_reads(uint32_t identity, const std::string& topic,
                          const std::vector<client::ConsumedRecord>& records) {
    for (const client::ConsumedRecord& record : records)
        ledger_.read(identity, {topic, record.partition}, record.offset, record.value.value_or(""));
}

// ---- Of their own choice --------------------------------------------------------------------------------

Task<> Workload::consume(Io& io, size_t place, std::string topic) {
    Actor actor(*this, io, place, 2000);
    while (actor.goes_on()) {
        co_await consume_as_one(actor, topic);
        co_await actor.rest(300);
    }
    co_await actor.client.close();
}

Task<> Workload::consume_as_one(Actor& actor, std::string topic) {
    client::Consumer consumer(
        actor.client, topic,
        {.max_wait_ms = max_wait_ms, .partition_max_bytes = below(2) == 0 ? 4096 : 1 << 20});
    const uint32_t identity = ledger_.new_consumer();
    const uint64_t polls = 50 + below(300);
    for (uint64_t poll = 0; poll < polls && actor.goes_on(); poll++) {
        if (poll % 20 == 0) {
            const bool taken = co_await take_new_partitions(actor, consumer, topic, identity);
            if (!taken) co_return;
        }
        const auto records = co_await consumer.poll();
        actor.saw("poll", records.error());
        if (records) {
            note_reads(identity, topic, *records);
            actor.did(records->size());
            continue;
        }
        if (records.error() != Error::offset_out_of_range) co_return;
        const bool found = co_await find_range(actor, consumer, topic, identity);
        if (!found) co_return;
    }
}

Task<bool> Workload::take_new_partitions(Actor& actor, client::Consumer& consumer, std::string topic,
                                         uint32_t identity) {
    const Result<> known = co_await actor.client.refresh({topic});
    actor.saw("metadata", known.error());
    const client::TopicInfo* info = actor.client.topic(topic);
    if (!known || !info) co_return false;
    Positions positions = consumer.positions();
    for (const auto& partition : info->partitions)
        if (positions.try_emplace(partition.index, 0).second)
            ledger_.seek(identity, {topic, partition.index}, 0);
    consumer.assign(std::move(positions));
    co_return true;
}

// An offset that is no more is below the start; there is none above the end.
Task<bool> Workload::find_range(Actor& actor, client::Consumer& consumer, std::string topic,
                                uint32_t identity) {
    Positions positions = consumer.positions();
    for (auto& [partition, position] : positions) {
        const auto start = co_await actor.client.list_offset(topic, partition, -2);
        const auto end = co_await actor.client.list_offset(topic, partition, -1);
        if (!start || !end) co_return false;
        const bool may_end_before = ledger_.topics()[topic].in_memory;
        if (position > *end && may_end_before) {
            position = *end;
            ledger_.seek(identity, {topic, partition}, position);
        } else if (position > *end)
            ledger_.problem(fmt::format("{}-{}: ends at {}, read were {}", topic, partition, *end, position));
        if (position >= *start) continue;
        position = *start;
        ledger_.seek(identity, {topic, partition}, position);
    }
    consumer.assign(std::move(positions));
    co_return true;
}

// ---- In a group -----------------------------------------------------------------------------------------

Task<> Workload::take_part(Io& io, size_t place, std::string topic) {
    Actor actor(*this, io, place, 2000);
    while (actor.goes_on()) {
        co_await be_member(actor, topic);
        co_await actor.rest(300);
    }
    co_await actor.client.close();
}

Task<> Workload::be_member(Actor& actor, std::string topic) {
    client::GroupMember member(actor.client, {.group = std::string(group),
                                              .topics = {topic},
                                              .session_timeout_ms = session_timeout_ms,
                                              .rebalance_timeout_ms = rebalance_timeout_ms});
    for (uint64_t turn = 0; turn < 5 && actor.goes_on(); turn++) {
        auto assigned = co_await member.join();
        actor.saw("join", assigned.error());
        if (!assigned) co_return;
        co_await read_assigned(actor, member, topic, (*assigned)[topic]);
        if (member.member_id().empty()) co_return;
    }
    const Result<> left = co_await member.leave();
    actor.saw("leave", left.error());
}

// Until the group moves on, or something's fate is unknown: then this generation commits no more.
Task<> Workload::read_assigned(Actor& actor, client::GroupMember& member, std::string topic,
                               std::vector<int32_t> partitions) {
    auto positions = co_await committed_positions(actor, topic, partitions);
    actor.saw("committed", positions.error());
    if (!positions) co_return;
    client::Consumer consumer(actor.client, topic, {.max_wait_ms = max_wait_ms});
    consumer.assign(*positions);
    const uint32_t identity = ledger_.new_consumer();
    for (const auto& [partition, offset] : *positions) ledger_.seek(identity, {topic, partition}, offset);
    uint64_t beat_ns = actor.io.now_ns();
    const uint64_t polls = 20 + below(200);
    for (uint64_t poll = 0; poll < polls && actor.goes_on(); poll++) {
        const auto records = co_await consumer.poll();
        if (!records) {
            actor.saw("group poll", records.error());
            co_return;
        }
        note_reads(identity, topic, *records);
        if (below(4) == 0 && !partitions.empty()) {
            const Result<> kept = co_await commit(member, topic, consumer.positions());
            actor.saw("commit", kept.error());
            if (!kept) co_return;
            actor.did();
        }
        if (actor.io.now_ns() - beat_ns < heartbeat_ns) continue;
        const Result<> alive = co_await member.heartbeat();
        if (!alive) co_return;
        if (partitions.empty()) actor.did();
        beat_ns = actor.io.now_ns();
    }
}

Task<Result<Workload::Positions>> Workload::committed_positions(Actor& actor, std::string topic,
                                                                std::vector<int32_t> partitions) {
    Positions floors, positions;
    for (int32_t partition : partitions)
        floors[partition] = ledger_.commit_floor(std::string(group), {topic, partition});
    auto offsets = co_await client::committed_offsets(actor.client, std::string(group));
    if (!offsets) co_return offsets.error();
    for (const auto& [partition, floor] : floors) {
        const auto& of_topic = (*offsets)[topic];
        const auto found = of_topic.find(partition);
        const int64_t offset = found == of_topic.end() ? -1 : found->second;
        if (offset < floor)
            ledger_.problem(
                fmt::format("{}-{}: committed is {}, it was {}", topic, partition, offset, floor));
        if (offset >= 0) ledger_.committed(std::string(group), {topic, partition}, offset);
        positions[partition] = std::max<int64_t>(offset, 0);
    }
    co_return positions;
}

Task<Result<>> Workload::commit(client::GroupMember& member, std::string topic, Positions positions) {
    const Result<> kept = co_await member.commit({{topic, positions}});
    if (!kept) co_return kept.error();
    for (const auto& [partition, offset] : positions)
        ledger_.committed(std::string(group), {topic, partition}, offset);
    co_return Result<>{};
}

}  // namespace millrace::sim
