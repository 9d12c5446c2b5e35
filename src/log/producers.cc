// Idempotent producers: sequences checked, batches remembered, snapshots in Kafka's format.
#include "producers.h"

namespace millrace {

namespace {

constexpr size_t snapshot_header = 10, snapshot_entry = 46;

// Sequences go from 2147483647 on to 0.
int32_t sequence_after(int32_t sequence, int64_t by) {
    return static_cast<int32_t>((int64_t{sequence} + by) & INT32_MAX);
}

}  // namespace

int32_t Producers::Batch::first_sequence() const {
    return last_sequence < 0 ? -1 : sequence_after(last_sequence, -int64_t{delta});
}

void Producers::Producer::add(const Batch& batch) {
    if (count == batches_max) {
        std::move(batches.begin() + 1, batches.end(), batches.begin());
        count--;
    }
    batches[count++] = batch;
}

const Producers::Batch* Producers::Producer::find(int32_t first_sequence, int32_t last_sequence) const {
    for (size_t i = 0; i < count; i++)
        if (batches[i].last_sequence == last_sequence && batches[i].first_sequence() == first_sequence)
            return &batches[i];
    return nullptr;
}

Result<std::optional<Producers::Batch>> Producers::check(const BatchHeader& batch) const {
    using Found = std::optional<Batch>;
    if (batch.producer_id.value < 0 || batch.is_control()) return Found{};
    const auto known = producers_.find(batch.producer_id);
    if (known == producers_.end()) return Found{};  // Expired or new: any sequence is accepted.
    const Producer& producer = known->second;
    const int32_t last_sequence = sequence_after(batch.base_sequence, batch.last_delta);
    if (batch.producer_epoch == producer.epoch)
        if (const Batch* found = producer.find(batch.base_sequence, last_sequence)) return Found{*found};
    if (batch.producer_epoch < producer.epoch) return Error::invalid_producer_epoch;
    if (batch.producer_epoch > producer.epoch)
        return batch.base_sequence == 0 ? Result<Found>{Found{}} : Error::out_of_order_sequence_number;
    if (producer.count == 0) return Found{};
    const int32_t last = producer.batches[producer.count - 1u].last_sequence;
    if (last >= 0 && batch.base_sequence != sequence_after(last, 1))
        return Error::out_of_order_sequence_number;
    return Found{};
}

void Producers::record(const BatchHeader& batch, int64_t now_ms, size_t producers_max) {
    if (batch.producer_id.value < 0 || batch.is_control()) return;
    if (producers_.size() >= producers_max && !producers_.contains(batch.producer_id)) forget_silent_one();
    Producer& producer = producers_[batch.producer_id];
    if (batch.producer_epoch != producer.epoch) {
        producer.epoch = batch.producer_epoch;
        producer.count = 0;
    }
    // Recovery may read a batch twice.
    if (producer.count > 0 && producer.batches[producer.count - 1u].last >= batch.last()) return;
    producer.heard_ms = now_ms;
    producer.add({.last_sequence = sequence_after(batch.base_sequence, batch.last_delta),
                  .last = batch.last(),
                  .delta = batch.last_delta,
                  .timestamp = batch.max_timestamp});
}

bool Producers::is_last(ProducerId id, Offset last) const {
    const auto known = producers_.find(id);
    if (known == producers_.end() || known->second.count == 0) return false;
    return known->second.batches[known->second.count - 1u].last == last;
}

void Producers::expire(int64_t now_ms, int64_t silence_max_ms) {
    std::erase_if(producers_, [&](const auto& entry) {
        return entry.second.transaction_first < 0 && now_ms - entry.second.heard_ms > silence_max_ms;
    });
}

void Producers::forget_silent_one() {
    auto silent = producers_.end();
    const auto before = [](const auto& a, const auto& b) {
        return std::pair{a.second.heard_ms, a.first} < std::pair{b.second.heard_ms, b.first};
    };
    for (auto it = producers_.begin(); it != producers_.end(); ++it)
        if (silent == producers_.end() || before(*it, *silent)) silent = it;
    if (silent != producers_.end()) producers_.erase(silent);
}

ProducerId Producers::largest_id() const {
    ProducerId largest{-1};
    for (const auto& [id, producer] : producers_) largest = std::max(largest, id);
    return largest;
}

std::vector<uint8_t> Producers::to_snapshot() const {
    std::vector<std::pair<ProducerId, const Producer*>> sorted;
    size_t count = 0;
    for (const auto& [id, producer] : producers_) {
        sorted.emplace_back(id, &producer);
        count += std::max<size_t>(producer.count, 1);
    }
    std::sort(sorted.begin(), sorted.end());
    std::vector<uint8_t> bytes(snapshot_header + count * snapshot_entry);
    store_big<int16_t>(bytes.data(), 1);
    store_big<int32_t>(bytes.data() + 6, static_cast<int32_t>(count));
    uint8_t* p = bytes.data() + snapshot_header;
    for (const auto& [id, producer] : sorted) {
        for (size_t i = 0; i < std::max<size_t>(producer->count, 1); i++, p += snapshot_entry) {
            const Batch batch = producer->count ? producer->batches[i] : Batch{.last = Offset{-1}};
            store_big(p, id.value);
            store_big(p + 8, producer->epoch);
            store_big(p + 10, batch.last_sequence);
            store_big(p + 14, batch.last.value);
            store_big(p + 22, batch.delta);
            store_big(p + 26, batch.timestamp);
            store_big(p + 34, producer->coordinator_epoch);
            store_big(p + 38, producer->transaction_first);
        }
    }
    store_big<uint32_t>(bytes.data() + 2, crc32c(Bytes{bytes}.subspan(6)));
    return bytes;
}

bool Producers::from_snapshot(Bytes bytes, int64_t now_ms) {
    clear();
    if (bytes.size() < snapshot_header || load_big<int16_t>(bytes.data()) != 1) return false;
    if (load_big<uint32_t>(bytes.data() + 2) != crc32c(bytes.subspan(6))) return false;
    const auto count = load_big<int32_t>(bytes.data() + 6);
    if (count < 0 || bytes.size() - snapshot_header != static_cast<uint64_t>(count) * snapshot_entry)
        return false;
    for (const uint8_t* p = bytes.data() + snapshot_header; p < bytes.data() + bytes.size();
         p += snapshot_entry) {
        Producer& producer = producers_[ProducerId{load_big<int64_t>(p)}];
        const auto epoch = load_big<int16_t>(p + 8);
        if (epoch != producer.epoch) producer.count = 0;
        producer.epoch = epoch;
        producer.coordinator_epoch = load_big<int32_t>(p + 34);
        producer.transaction_first = load_big<int64_t>(p + 38);
        const Batch batch{.last_sequence = load_big<int32_t>(p + 10),
                          .last = Offset{load_big<int64_t>(p + 14)},
                          .delta = load_big<int32_t>(p + 22),
                          .timestamp = load_big<int64_t>(p + 26)};
        // Its silence counts from its last batch, not from this start; a clock ahead does not make it
        // immortal.
        producer.heard_ms = batch.timestamp < 0 ? now_ms : std::min(batch.timestamp, now_ms);
        if (batch.last.value >= 0 || batch.last_sequence >= 0) producer.add(batch);
    }
    return true;
}

}  // namespace millrace
