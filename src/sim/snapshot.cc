// The last look: every topic, every record, every committed offset.
#include "workload.h"

namespace millrace::sim {

Task<Workload::Snapshot> Workload::look_at_everything(Io& io) {
    Snapshot snapshot;
    client::Client client(io, {.seeds = {broker_address_}, .retry_ms = 20'000});
    Result<> known = co_await client.refresh({});
    if (known) {
        snapshot.complete = true;
        for (const auto& [name, topic] : client.topics())
            snapshot.topics[name] = static_cast<int32_t>(topic.partitions.size());
    }
    for (const Ledger::Place& place : ledger_.places()) {
        if (!snapshot.complete || !snapshot.topics.contains(place.first)) continue;
        snapshot.complete = co_await read_log(client, place, snapshot);
        // Retention went past where the reading began.
        if (!snapshot.complete && ledger_.topics()[place.first].rolls)
            snapshot.complete = co_await read_log(client, place, snapshot);
    }
    if (snapshot.complete) {
        const auto offsets = co_await client::committed_offsets(client, std::string(group));
        snapshot.complete = offsets.ok();
        if (offsets)
            for (const auto& [topic, partitions] : *offsets)
                for (const auto& [partition, offset] : partitions)
                    snapshot.committed[{topic, partition}] = offset;
    }
    co_await client.close();
    co_return snapshot;
}

Task<bool> Workload::read_log(client::Client& client, Ledger::Place place, Snapshot& snapshot) {
    const auto start = co_await client.list_offset(place.first, place.second, -2);
    const auto end = co_await client.list_offset(place.first, place.second, -1);
    if (!start || !end) co_return false;
    client::Consumer consumer(client, place.first, {.max_wait_ms = 100});
    consumer.assign({{place.second, *start}});
    auto& log = snapshot.logs[place];
    log.clear();
    snapshot.starts[place] = *start;
    while (consumer.positions().at(place.second) < *end) {
        const auto records = co_await consumer.poll();
        if (!records) co_return false;
        for (const client::ConsumedRecord& record : *records)
            log.push_back(
                {Offset{record.offset}, ledger_.number_of(place, record.offset, record.value.value_or(""))});
    }
    co_return true;
}

}  // namespace millrace::sim
