// Fetch: what is wanted (from the request or its session), read on each home shard, waited for when there is
// too little, and told: everything in a full fetch, only what is new in a session's later ones.
#include "fetch_session.h"
#include "fetch_wait.h"
#include "handlers.h"

namespace millrace {
namespace {

using Request = wire::FetchRequest;
using Response = wire::FetchResponse;

// A partition in the answer's order: where its result is, or why there is none.
struct Wanted {
    FetchKey key;
    Error error = Error::none;
    size_t part = 0, item = 0;         // In Plan::parts, when there is no error.
    SessionPartition* told = nullptr;  // In the session: what the client knows.
};

struct Plan {
    std::vector<Wanted> wanted;
    std::vector<std::unique_ptr<FetchPart>> parts;
    bool has_error = false;
    uint64_t homes_version = 0;  // Of the shard, when the parts were made.

    const FetchItem& result(const Wanted& wanted) const { return parts[wanted.part]->items[wanted.item]; }
    size_t size() const {
        size_t bytes = 0;
        for (const auto& part : parts) bytes += part->size();
        return bytes;
    }
    bool is_urgent() const {
        return has_error ||
               std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part->is_urgent(); });
    }
};

size_t part_for(Plan& plan, ShardId home) {
    for (size_t i = 0; i < plan.parts.size(); i++)
        if (plan.parts[i]->home == home) return i;
    plan.parts.push_back(std::make_unique<FetchPart>(home));
    return plan.parts.size() - 1;
}

void add(Plan& plan, Call& call, const SessionPartition& asked, SessionPartition* told) {
    Wanted wanted{.key = asked.key, .told = told};
    const bool by_id = call.version() >= 13;
    const TopicLookup lookup = find_topic(call.shard, asked.key.topic, asked.key.topic_id, by_id);
    if (!lookup.topic) {
        wanted.error = lookup.error;
    } else if (asked.key.partition < 0 || asked.key.partition >= lookup.topic->partition_count()) {
        wanted.error = Error::unknown_topic_or_partition;
    } else {
        const Slot slot = lookup.topic->partitions[asked.key.partition].slot;
        wanted.part = part_for(plan, call.shard.home(slot));
        auto& items = plan.parts[wanted.part]->items;
        wanted.item = items.size();
        items.push_back({.slot = slot,
                         .topic_id = asked.key.topic_id,
                         .from = Offset{asked.fetch_offset},
                         .max_bytes = static_cast<size_t>(std::max(asked.max_bytes, 0)),
                         .current_leader_epoch = Epoch{asked.current_leader_epoch},
                         .last_fetched_epoch = Epoch{asked.last_fetched_epoch}});
    }
    plan.has_error |= wanted.error != Error::none;
    plan.wanted.push_back(std::move(wanted));
}

Plan plan_full(Call& call, const Request& request) {
    Plan plan{.homes_version = call.shard.homes_version()};
    const bool by_id = call.version() >= 13;
    for (const auto& topic : request.topics)
        for (const auto& asked : topic.partitions)
            add(plan, call,
                {.key = {by_id ? std::string() : std::string(topic.topic), by_id ? topic.topic_id : Uuid{},
                         asked.partition},
                 .current_leader_epoch = asked.current_leader_epoch,
                 .fetch_offset = asked.fetch_offset,
                 .last_fetched_epoch = asked.last_fetched_epoch,
                 .max_bytes = asked.partition_max_bytes},
                nullptr);
    return plan;
}

Plan plan_session(Call& call, FetchSession& session) {
    Plan plan{.homes_version = call.shard.homes_version()};
    for (SessionPartition& partition : session.partitions()) add(plan, call, partition, &partition);
    return plan;
}

// At the budget's end it is 0: then the fetch waits, and comes back empty at its time, so that readers who do
// not read cost no more than the budget.
size_t byte_limit(const Call& call, const Request& request) {
    const auto asked = std::clamp(request.max_bytes, 0, call.shard.config().fetch_max_bytes);
    return call.state.reply_budget.share_of(static_cast<uint64_t>(asked));
}

// Each shard may fill its share of the answer; a request's limit is not a hard one in Kafka either (KIP-74).
void share_bytes(Plan& plan, size_t max_bytes, bool may_read) {
    for (auto& part : plan.parts) part->max_bytes = max_bytes / plan.parts.size(), part->may_read = may_read;
}

// What partitions of the plan had other homes goes to them; what was read goes back to where it lies.
void regroup(Call& call, Plan& plan) {
    auto old = std::exchange(plan.parts, {});
    for (Wanted& wanted : plan.wanted) {
        if (wanted.error != Error::none) continue;
        const FetchItem& item = old[wanted.part]->items[wanted.item];
        wanted.part = part_for(plan, call.shard.home(item.slot));
        auto& items = plan.parts[wanted.part]->items;
        wanted.item = items.size();
        items.push_back(item.again());
    }
    for (auto& part : old) const HeldPart takes_it_home{call, std::move(part)};
}

// Waits while a home is about to change.
Task<> follow_homes(Call& call, Plan& plan) {
    const auto held = [&] {
        for (const auto& part : plan.parts)
            for (const FetchItem& item : part->items)
                if (call.shard.is_held(item.slot)) return std::optional(item.slot);
        return std::optional<Slot>{};
    };
    while (const auto slot = held()) co_await call.shard.settled_home(*slot);
    if (std::exchange(plan.homes_version, call.shard.homes_version()) == call.shard.homes_version())
        co_return;
    regroup(call, plan);
}

Task<bool> read_all(Call& call, Plan& plan) {
    const auto read = [&](FetchPart& part) {
        return call.shard.on<bool>(part.home, [&part](Shard& home) { return read_part(home, part); });
    };
    if (plan.parts.size() == 1) co_return co_await read(*plan.parts[0]);
    std::vector<Task<bool>> reads;
    for (auto& part : plan.parts) reads.push_back(read(*part));
    co_await gather(std::move(reads));
    co_return true;
}

// Reads until there is enough, something that must be told, or the time is over.
Task<> read_enough(Call& call, Plan& plan, const Request& request) {
    const uint64_t deadline_ns =
        call.shard.io().now_ns() + static_cast<uint64_t>(std::max(request.max_wait_ms, 0)) * 1'000'000;
    const auto needed = static_cast<size_t>(std::clamp(request.min_bytes, 0, std::max(request.max_bytes, 0)));
    while (true) {
        if (call.shard.is_any_held() || plan.homes_version != call.shard.homes_version())
            co_await follow_homes(call, plan);
        const size_t limit = byte_limit(call, request);
        const bool may_read = limit > 0 || request.max_bytes <= 0 || call.shard.config().fetch_max_bytes <= 0;
        share_bytes(plan, limit, may_read);
        call.state.reply_budget.take(limit);  // Until it is known how much it is.
        co_await read_all(call, plan);
        call.state.reply_budget.give_back(limit);
        const size_t found = plan.size();
        if ((may_read && found >= needed) || plan.is_urgent() || plan.parts.empty()) break;
        if (call.shard.io().now_ns() >= deadline_ns || !call.shard.is_ready()) break;
        if (!may_read) {
            co_await call.state.reply_budget.wait(deadline_ns);
            continue;
        }
        co_await await_news(call.shard, plan.parts, static_cast<int64_t>(needed - found), deadline_ns);
    }
}

// Whether a session's client has to hear of this partition.
bool is_news(const Wanted& wanted, const Plan& plan) {
    const SessionPartition& told = *wanted.told;
    if (wanted.error != Error::none || told.has_error) return true;
    const FetchItem& found = plan.result(wanted);
    return found.is_urgent() || !found.slice.empty() || found.high_watermark.value != told.high_watermark ||
           found.last_stable_offset.value != told.last_stable_offset ||
           found.log_start.value != told.log_start;
}

void remember(const Wanted& wanted, const Plan& plan) {
    SessionPartition& told = *wanted.told;
    told.has_error = wanted.error != Error::none || plan.result(wanted).error != Error::none;
    if (told.has_error) return;
    const FetchItem& found = plan.result(wanted);
    told.high_watermark = found.high_watermark.value;
    told.last_stable_offset = found.last_stable_offset.value;
    told.log_start = found.log_start.value;
}

Response::Partition tell(Call& call, const Wanted& wanted, const Plan& plan, int8_t isolation) {
    Response::Partition told{.partition_index = wanted.key.partition, .error_code = wanted.error};
    if (wanted.error != Error::none) {
        told.high_watermark = -1;
        return told;
    }
    const FetchItem& found = plan.result(wanted);
    told.error_code = found.error;
    if (isolation == 0) told.aborted_transactions.reset();  // Null where nobody asked.
    told.high_watermark = -1;
    if (found.error != Error::none) return told;
    told.high_watermark = found.high_watermark.value;
    told.last_stable_offset = found.last_stable_offset.value;
    told.log_start_offset = found.log_start.value;
    if (found.diverging)
        told.diverging_epoch = {.epoch = found.diverging->epoch.value,
                                .end_offset = found.diverging->end.value};
    if (found.slice.empty()) return told;
    const auto pieces = call.arena.make<Bytes>(found.slice.pieces().size());
    std::copy(found.slice.pieces().begin(), found.slice.pieces().end(), pieces.begin());
    told.records = wire::Records{std::span<const Bytes>{pieces}};
    return told;
}

// One topic's partitions stand together in the answer, in the order of their first one.
void tell_topics(Call& call, const Plan& plan, const std::vector<const Wanted*>& news, int8_t isolation,
                 Response& response) {
    std::vector<std::vector<const Wanted*>> by_topic;
    for (const Wanted* wanted : news) {
        const auto same = std::find_if(by_topic.begin(), by_topic.end(), [&](const auto& group) {
            return group[0]->key.topic_id == wanted->key.topic_id && group[0]->key.topic == wanted->key.topic;
        });
        same == by_topic.end() ? by_topic.push_back({wanted}) : same->push_back(wanted);
    }
    response.responses = call.arena.make<Response::Topic>(by_topic.size());
    for (size_t t = 0; t < by_topic.size(); t++) {
        Response::Topic& topic = response.responses[t];
        topic = {.topic = call.arena.copy(by_topic[t][0]->key.topic),
                 .topic_id = by_topic[t][0]->key.topic_id,
                 .partitions = {}};
        topic.partitions = call.arena.make<Response::Partition>(by_topic[t].size());
        for (size_t p = 0; p < by_topic[t].size(); p++)
            topic.partitions[p] = tell(call, *by_topic[t][p], plan, isolation);
    }
}

void hold(Call& call, Plan& plan) {
    size_t bytes = 0;
    for (auto& part : plan.parts) {
        bytes += part->size();
        call.held.push_back(std::make_unique<HeldPart>(call, std::move(part)));
    }
    call.state.topic_bytes_out.add(bytes);
}

// A connection goes to the one shard that it reads from, unless it reads much: then the sending is the work,
// and any shard does it as well.
void note_work(Call& call, const Plan& plan) {
    constexpr size_t much = 64 << 10;
    if (plan.parts.size() == 1 && plan.size() < much)
        call.connection.work.note(plan.parts[0]->home);
    else if (!plan.parts.empty())
        call.connection.work.note_nowhere();
}

Task<Response> answer_full(Call& call, const Request& request, FetchSession* session) {
    Response response;
    if (session) response.session_id = session->id;
    Plan plan = session ? plan_session(call, *session) : plan_full(call, request);
    if (session) session->in_use = true;
    co_await read_enough(call, plan, request);
    if (session) session->in_use = false;  // Nobody removes a session in use.
    call.connection.fetch_session = response.session_id;
    note_work(call, plan);
    std::vector<const Wanted*> all;
    for (const Wanted& wanted : plan.wanted) {
        all.push_back(&wanted);
        if (session) remember(wanted, plan);
    }
    tell_topics(call, plan, all, request.isolation_level, response);
    hold(call, plan);
    co_return response;
}

// Partitions that gave bytes are read last the next time.
void rotate(FetchSession& session, const Plan& plan, const std::vector<const Wanted*>& news) {
    for (const Wanted* wanted : news) {
        if (wanted->error != Error::none || plan.result(*wanted).slice.empty()) continue;
        auto& partitions = session.partitions();
        const auto place = std::find_if(partitions.begin(), partitions.end(),
                                        [&](const SessionPartition& p) { return &p == wanted->told; });
        session.move_last(place);
    }
}

Task<Response> answer_news(Call& call, const Request& request, FetchSession& session) {
    Response response;
    response.session_id = session.id;
    if (!session.update(request)) co_return Response{.error_code = Error::invalid_request};
    Plan plan = plan_session(call, session);
    session.in_use = true;
    co_await read_enough(call, plan, request);
    session.in_use = false;
    call.connection.fetch_session = session.id;
    note_work(call, plan);
    std::vector<const Wanted*> news;
    for (const Wanted& wanted : plan.wanted) {
        if (!is_news(wanted, plan)) continue;
        news.push_back(&wanted);
        remember(wanted, plan);
    }
    tell_topics(call, plan, news, request.isolation_level, response);
    rotate(session, plan, news);
    hold(call, plan);
    co_return response;
}

size_t failures(const Response& response) {
    size_t count = 0;
    for (const Response::Topic& topic : response.responses)
        for (const Response::Partition& partition : topic.partitions)
            count += partition.error_code != Error::none;
    return count;
}

// KIP-227: epoch -1 closes or goes without, 0 makes a session, others go on with theirs.
Task<Response> answer(Call& call, const Request& request) {
    FetchSessions& sessions = *call.state.fetch_sessions;
    const bool by_id = call.version() >= 13;
    if (request.session_epoch <= 0) {
        if (request.session_id != 0) sessions.close(request.session_id);
        FetchSession* session = request.session_epoch == 0 ? sessions.create(request, by_id) : nullptr;
        co_return co_await answer_full(call, request, session);
    }
    Error error = Error::none;
    FetchSession* session = sessions.find(request.session_id, request.session_epoch, by_id, error);
    if (!session) co_return Response{.error_code = error};
    co_return co_await answer_news(call, request, *session);
}

}  // namespace

Task<Response> handle_fetch(Call& call, const Request& request) {
    const int32_t replica = call.version() >= 15 ? request.replica_state.replica_id : request.replica_id;
    if (replica >= 0)
        co_return Response{.error_code = Error::invalid_request};  // There are no followers yet.
    auto answering = answer(call, request);
    const Response response = co_await answering;
    const size_t failed = failures(response);
    call.state.failed_fetches.add(failed > 0);
    call.state.failed_fetch_partitions.add(failed);
    co_return response;
}

}  // namespace millrace
