// Produce: each partition's batch is checked and appended on its home shard, then waits for what `acks` asks.
//
// The batches of one request that live on one shard cross together. Nothing is awaited before they are
// appended but room, where one request stays before the next: a connection's requests append in their order.
#include "handlers.h"
#include "millrace/batch.h"

namespace millrace {
namespace {

using Request = wire::ProduceRequest;
using Response = wire::ProduceResponse;

// One partition of the request, on its way to its shard and back. Lies in the request's arena.
struct Item {
    Slot slot;
    Bytes records;
    Response::Partition* answer = nullptr;
    std::optional<Offset> awaited = {};  // Up to where it must be safe.
    Item* next = nullptr;                // Of the same shard.
};

// What crosses to one shard. The arena, and the items, are the target's while it works there.
struct Part {
    ShardId home;
    std::optional<Slot> held = {};  // Of its only item: it waits for its home.
    Item* first = nullptr;
    Item* last = nullptr;
    Arena arena = {};
    uint64_t records = 0, bytes = 0;  // Appended.

    void add(Item& item) { last = (first ? last->next : first) = &item; }
};

struct Terms {
    int16_t version;
    Acks acks;
    int32_t timeout_ms;
};

void refuse(Response::Partition& answer, Error error, std::string_view message = {}) {
    answer.error_code = error;
    answer.base_offset = -1;
    if (!message.empty()) answer.error_message = message;
}

constexpr std::string_view nearly_full =
    "The broker's disk is nearly full: records are refused until there is room again.";

bool is_reserved(std::string_view topic) {
    return topic == offsets_topic_name || topic == "__transaction_state" || topic == "__share_group_state" ||
           topic == metadata_topic_name;
}

// None: keep what the producer chose.
std::optional<Codec> codec_of(Compression compression) {
    switch (compression) {
        case Compression::uncompressed: return Codec::none;
        case Compression::gzip: return Codec::gzip;
        case Compression::snappy: return Codec::snappy;
        case Compression::lz4: return Codec::lz4;
        case Compression::zstd: return Codec::zstd;
        case Compression::producer: return {};
    }
    return {};
}

// What a batch may become when it is decompressed: a quarter of the shard's memory, at most 128 MiB.
DecompressLimits limits_of(const Shard& home) {
    constexpr uint64_t least = 8 << 20;
    DecompressLimits limits;
    const uint64_t share = home.node().config.memory_bytes / home.node().shard_count() / 4;
    if (share > 0) limits.size_max = std::clamp(share, least, limits.size_max);
    return limits;
}

ClientBatchRules rules_for(const TopicConfig& topic, int16_t version, int64_t now_ms,
                           const DecompressLimits& limits) {
    return {
        .produce_version = version,
        .size_max = static_cast<uint32_t>(topic.max_message_bytes),
        .compacted = topic.cleanup_compact,
        .timestamp_type = topic.timestamp_type,
        .now_ms = now_ms,
        .before_max_ms = topic.timestamp_before_max_ms,
        .after_max_ms = topic.timestamp_after_max_ms,
        .codec = codec_of(topic.compression),
        .limits = limits,
    };
}

std::optional<int> level_of(const TopicConfig& topic) {
    switch (topic.compression) {
        case Compression::gzip: return topic.gzip_level;
        case Compression::lz4: return topic.lz4_level;
        case Compression::zstd: return topic.zstd_level;
        default: return {};
    }
}

// The bytes to append: as sent where nothing is to change, else in `changed`.
Result<Bytes> final_bytes(const ClientBatch& batch, const TopicConfig& topic, int64_t now_ms,
                          std::vector<uint8_t>& changed, Shard& home) {
    const BatchView view = batch.view();
    const bool logs_time = topic.timestamp_type == TimestampType::log_append_time;
    if (batch.needs_rebuild) {
        Compressor compressor;
        auto rebuilt =
            rebuild_batch(view,
                          {.codec = codec_of(topic.compression).value_or(view.codec().value_or(Codec::none)),
                           .level = level_of(topic),
                           .timestamp_type = topic.timestamp_type,
                           .log_append_time = logs_time ? now_ms : -1,
                           .limits = limits_of(home)},
                          compressor, home.decompressor());
        if (!rebuilt) return rebuilt.error();
        if (rebuilt->size() > static_cast<size_t>(topic.max_message_bytes)) return Error::message_too_large;
        changed = std::move(*rebuilt);
        return Bytes{changed};
    }
    if (view.timestamp_type() == topic.timestamp_type && view.max_timestamp() == batch.max_timestamp)
        return batch.bytes;
    changed.assign(batch.bytes.begin(), batch.bytes.end());
    patch_timestamps(changed, topic.timestamp_type, batch.max_timestamp);
    return Bytes{changed};
}

void list_record_errors(const ClientBatch& batch, Response::Partition& answer, Arena& arena) {
    answer.record_errors = arena.make<Response::RecordError>(batch.record_errors.size());
    for (size_t i = 0; i < batch.record_errors.size(); i++)
        answer.record_errors[i] = {.batch_index = batch.record_errors[i].index,
                                   .batch_index_error_message = batch.record_errors[i].message};
}

// One partition, on its home shard. The offset up to which it must be safe, when there is something to await.
std::optional<Offset> append_one(Shard& home, const Item& item, const Terms& terms, Part& part) {
    Response::Partition& answer = *item.answer;
    Hosted* hosted = home.hosted(item.slot);
    if (!hosted) return refuse(answer, home.why_absent(item.slot)), std::nullopt;
    const TopicConfig& topic = hosted->settings->config;
    if (terms.acks == Acks::all && topic.min_insync_replicas > 1)
        return refuse(answer, Error::not_enough_replicas), std::nullopt;
    const int64_t now_ms = home.io().wall_ms();
    const ClientBatch batch = validate_client_batch(
        item.records, rules_for(topic, terms.version, now_ms, limits_of(home)), home.decompressor());
    if (!batch.ok()) {
        refuse(answer, batch.error, batch.message);
        list_record_errors(batch, answer, part.arena);
        return std::nullopt;
    }
    if (batch.view().is_transactional())  // Nobody can have begun a transaction here.
        return refuse(answer, Error::invalid_txn_state), std::nullopt;
    std::vector<uint8_t> changed;
    const auto bytes = final_bytes(batch, topic, now_ms, changed, home);
    if (!bytes) return refuse(answer, bytes.error()), std::nullopt;
    const auto appended = hosted->partition->append(*bytes);
    if (!appended) {
        const bool is_low =
            appended.error() == Error::kafka_storage_error && home.storage().is_low_on_space();
        return refuse(answer, appended.error(), is_low ? nearly_full : ""), std::nullopt;
    }
    answer.base_offset = appended->first.value;
    answer.log_start_offset = hosted->partition->log_start().value;
    if (topic.timestamp_type == TimestampType::log_append_time) answer.log_append_time_ms = now_ms;
    if (!appended->duplicate) {
        part.records += static_cast<uint64_t>(appended->last - appended->first + 1);
        part.bytes += bytes->size();
    }
    return appended->last + 1;
}

// All partitions of the request that live on `home`. Its timeout counts from here: for room, then for the
// acknowledgement.
Task<bool> append_part(Shard& home, Part& part, Terms terms) {
    const Shard::Visit visit{home};
    const uint64_t deadline_ns =
        home.io().now_ns() + static_cast<uint64_t>(std::max(terms.timeout_ms, 0)) * 1'000'000;
    AppendGate& gate = home.append_gate();
    auto order = AppendGate::Order::client;
    Result<> entered;
    for (Item* item = part.first; item; item = item->next, order = AppendGate::Order::continued) {
        if (entered && !gate.is_open()) entered = co_await gate.enter(order, deadline_ns);
        if (entered)
            item->awaited = append_one(home, *item, terms, part);
        else
            refuse(*item->answer, entered.error());
    }
    (void)home.decompressor().decompress(Codec::none, {});  // A large batch's memory is not kept.
    if (terms.acks == Acks::none) co_return true;
    for (Item* item = part.first; item; item = item->next) {
        if (!item->awaited) continue;
        Hosted* hosted = home.hosted(item->slot);
        if (!hosted) {
            refuse(*item->answer, Error::unknown_topic_or_partition);
            continue;
        }
        const auto safe = co_await hosted->partition->acknowledged(*item->awaited, terms.acks, deadline_ns);
        if (!safe) refuse(*item->answer, safe.error());
    }
    co_return true;
}

// All parts of a request. Nearly always there is one, which needs no memory of its own.
class Parts {
 public:
    Part& for_slot(const Shard& shard, Slot slot) {
        const ShardId home = shard.home(slot);
        if (shard.is_held(slot)) return add(Part{.home = home, .held = slot});
        Part* same = nullptr;
        each([&](Part& part) {
            if (part.home == home && !part.held) same = &part;
        });
        return same ? *same : add(Part{.home = home});
    }
    template <class F> void each(F visit) {
        if (first_) visit(*first_);
        for (Part& part : others_) visit(part);
    }
    Part* only() { return first_ && others_.empty() ? &*first_ : nullptr; }

 private:
    Part& add(Part part) {
        return first_ ? others_.emplace_back(std::move(part)) : first_.emplace(std::move(part));
    }
    std::optional<Part> first_;
    std::vector<Part> others_;
};

Task<bool> send_part(Shard& here, Part& part, Terms terms) {
    if (part.held) part.home = co_await here.settled_home(*part.held);
    auto crossing =
        here.on<bool>(part.home, [&part, terms](Shard& home) { return append_part(home, part, terms); });
    co_return co_await crossing;
}

// Why a partition of this topic may not be written by this request; none when it may.
Error refusal(const Call& call, const TopicLookup& lookup, int32_t index) {
    if (!lookup.topic) return lookup.error;
    if (is_reserved(lookup.topic->name) && call.client_id() != "__admin_client")
        return Error::invalid_topic_exception;
    if (index < 0 || index >= lookup.topic->partition_count()) return Error::unknown_topic_or_partition;
    return Error::none;
}

// The answers' skeleton, and what goes to which shard.
Parts distribute(Call& call, const Request& request, Response& response) {
    Parts parts;
    const bool are_acks_known = request.acks >= -1 && request.acks <= 1;
    response.responses = call.arena.make<Response::Topic>(request.topic_data.size());
    for (size_t t = 0; t < request.topic_data.size(); t++) {
        const Request::Topic& asked = request.topic_data[t];
        Response::Topic& topic = response.responses[t];
        topic = {.name = asked.name, .topic_id = asked.topic_id, .partition_responses = {}};
        topic.partition_responses = call.arena.make<Response::Partition>(asked.partition_data.size());
        const TopicLookup lookup = find_topic(call.shard, asked.name, asked.topic_id, call.version() >= 13);
        for (size_t p = 0; p < asked.partition_data.size(); p++) {
            Response::Partition& answer = topic.partition_responses[p];
            answer.index = asked.partition_data[p].index;
            const Error error =
                are_acks_known ? refusal(call, lookup, answer.index) : Error::invalid_required_acks;
            if (error != Error::none) {
                refuse(answer, error);
                continue;
            }
            const Slot slot = lookup.topic->partitions[answer.index].slot;
            const auto& records = asked.partition_data[p].records;
            Item& item = call.arena.make<Item>(1).front();
            item = {.slot = slot, .records = records ? records->whole() : Bytes{}, .answer = &answer};
            parts.for_slot(call.shard, slot).add(item);
        }
    }
    return parts;
}

size_t failures(const Response& response) {
    size_t count = 0;
    for (const Response::Topic& topic : response.responses)
        for (const Response::Partition& partition : topic.partition_responses)
            count += partition.error_code != Error::none;
    return count;
}

}  // namespace

Task<Response> handle_produce(Call& call, const Request& request) {
    Response response;
    Parts parts = distribute(call, request, response);
    const Terms terms{
        .version = call.version(), .acks = Acks{request.acks}, .timeout_ms = request.timeout_ms};
    if (Part* const only = parts.only()) {
        co_await send_part(call.shard, *only, terms);
    } else {
        std::vector<Task<bool>> sent;
        parts.each([&](Part& part) { sent.push_back(send_part(call.shard, part, terms)); });
        co_await gather(std::move(sent));
    }
    parts.each([&](Part& part) {
        call.connection.work.note(part.home);
        call.state.messages_in.add(part.records);
        call.state.topic_bytes_in.add(part.bytes);
        call.hold_arena(std::move(part.arena));
    });
    const size_t failed = failures(response);
    call.state.failed_produces.add(failed > 0);
    call.state.failed_produce_partitions.add(failed);
    call.no_reply = terms.acks == Acks::none;
    // With acks=0 the closed connection is all that a producer can notice.
    if (call.no_reply && failed > 0) call.close = true;
    co_return response;
}

}  // namespace millrace
