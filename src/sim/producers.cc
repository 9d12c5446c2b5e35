// Producers: one identity after another; a batch whose fate is unknown ends an identity, as only then may
// what it sent come late.
#include <fmt/core.h>

#include "workload.h"

namespace millrace::sim {

namespace {

// What a broker may answer to a good batch while disks and machines fail.
bool is_excused(Error error) { return is_retriable(error) || error == Error::unknown_topic_or_partition; }

// Also that an earlier one, which it had acknowledged, is gone.
bool is_excused_in_memory(Error error) {
    return is_excused(error) || error == Error::out_of_order_sequence_number;
}

}  // namespace

Task<> Workload::produce(Io& io, size_t place, ProducerPlan plan) {
    Actor actor(*this, io, place, plan.retry_ms);
    while (actor.goes_on()) {
        co_await produce_as_one(actor, plan);
        co_await actor.rest(300);
    }
    co_await actor.client.close();
}

Task<> Workload::produce_as_one(Actor& actor, const ProducerPlan& plan) {
    client::Producer producer(actor.client, plan.topic,
                              {.acks = plan.acks, .batch_size = 8192, .idempotent = plan.idempotent});
    const Result<> opened = co_await producer.open();
    actor.saw("open", opened.error());
    if (!opened) co_return;
    const uint32_t identity = ledger_.new_producer();
    const uint64_t rounds = 20 + below(300);
    for (uint64_t round = 0; round < rounds && actor.goes_on(); round++) {
        const bool all_kept = co_await send_round(actor, plan, producer, identity);
        if (!all_kept) co_return;
        co_await actor.rest(60);
    }
}

Task<bool> Workload::send_round(Actor& actor, const ProducerPlan& plan, client::Producer& producer,
                                uint32_t identity) {
    std::map<int32_t, std::deque<Ledger::WriteId>> sent;
    for (uint64_t left = 1 + below(8); left > 0; left--) {
        const auto partition = static_cast<int32_t>(below(static_cast<uint64_t>(producer.partition_count())));
        std::optional<uint32_t> key;
        if (plan.keys > 0) key = static_cast<uint32_t>(below(plan.keys));
        const auto [write, value] = ledger_.send(identity, {plan.topic, partition}, key);
        const std::string text = Ledger::value_text(value, 16 + below(plan.value_size_max));
        const std::string key_text = key ? fmt::format("key {}", *key) : "";
        const std::optional<Bytes> key_bytes = key ? std::optional{as_bytes(key_text)} : std::nullopt;
        const auto added = producer.add({.key = key_bytes, .value = as_bytes(text), .partition = partition});
        ASSERT(added.ok());
        sent[partition].push_back(write);
    }
    const auto results = co_await producer.flush();
    const bool in_memory = ledger_.topics()[plan.topic].in_memory;
    std::set<int32_t> failed;
    for (const client::Produced& result : results) {
        auto& writes = sent[result.partition];
        ASSERT(writes.size() >= static_cast<size_t>(result.count));
        // What follows a failed batch of an idempotent producer is out of sequence.
        if (result.error != Error::none && failed.insert(result.partition).second &&
            !(in_memory ? is_excused_in_memory(result.error) : is_excused(result.error)))
            ledger_.problem(fmt::format("{}-{}: a good batch was answered {}", plan.topic, result.partition,
                                        error_name(result.error)));
        for (int32_t i = 0; i < result.count; i++, writes.pop_front())
            if (result.error != Error::none)
                continue;
            else if (in_memory)
                ledger_.acknowledge_in_memory({plan.topic, result.partition}, writes.front(),
                                              result.base_offset + i, actor.io.now_ns());
            else if (plan.acks == 1)
                ledger_.acknowledge_written(writes.front(), result.base_offset + i, actor.io.now_ns());
            else
                ledger_.acknowledge(writes.front(), result.base_offset + i);
        if (result.error == Error::none) actor.did();
        actor.saw("produce", result.error);
    }
    co_return failed.empty();
}

}  // namespace millrace::sim
