// The cache of fetch sessions: see the header.
#include "fetch_session.h"

namespace millrace {
namespace {

constexpr uint64_t idle_before_eviction_ns = 120'000'000'000;  // As Kafka's.

FetchKey key_of(const wire::FetchRequest::Topic& topic, int32_t partition, bool by_id) {
    return {.topic = by_id ? std::string() : std::string(topic.topic),
            .topic_id = by_id ? topic.topic_id : Uuid{},
            .partition = partition};
}

}  // namespace

bool FetchSession::update(const wire::FetchRequest& request) {
    for (const auto& topic : request.topics) {
        for (const auto& asked : topic.partitions) {
            const FetchKey key = key_of(topic, asked.partition, by_id);
            auto found = index_.find(key);
            if (found == index_.end()) {
                if (partitions_.size() >= partitions_max) return false;
                partitions_.push_back({.key = key});
                found = index_.emplace(key, std::prev(partitions_.end())).first;
            }
            SessionPartition& partition = *found->second;
            partition.current_leader_epoch = asked.current_leader_epoch;
            partition.fetch_offset = asked.fetch_offset;
            partition.last_fetched_epoch = asked.last_fetched_epoch;
            partition.max_bytes = asked.partition_max_bytes;
        }
    }
    for (const auto& topic : request.forgotten_topics_data) {
        for (int32_t partition : topic.partitions) {
            const FetchKey key{.topic = by_id ? std::string() : std::string(topic.topic),
                               .topic_id = by_id ? topic.topic_id : Uuid{},
                               .partition = partition};
            const auto found = index_.find(key);
            if (found == index_.end()) continue;
            partitions_.erase(found->second);
            index_.erase(found);
        }
    }
    return true;
}

FetchSessions::FetchSessions(Shard& shard)
    : shard_(shard),
      slots_(static_cast<size_t>(std::max(0, shard.config().fetch_session_slots)) /
             shard.node().shard_count()) {}

FetchSession* FetchSessions::find(int32_t id, int32_t epoch, bool by_id, Error& error) {
    const auto found = sessions_.find(id);
    error = Error::fetch_session_id_not_found;
    if (found == sessions_.end() || found->second->in_use) return nullptr;
    FetchSession& session = *found->second;
    error = Error::invalid_fetch_session_epoch;
    if (session.epoch != epoch) return nullptr;
    error = Error::fetch_session_topic_id_error;
    if (session.by_id != by_id) return nullptr;
    error = Error::none;
    session.epoch = epoch == INT32_MAX ? 1 : epoch + 1;
    session.used_ns = shard_.io().now_ns();
    return &session;
}

FetchSession* FetchSessions::create(const wire::FetchRequest& request, bool by_id) {
    size_t partitions = 0;
    for (const auto& topic : request.topics) partitions += topic.partitions.size();
    if (!make_place(partitions)) return nullptr;
    auto session = std::make_unique<FetchSession>();
    session->by_id = by_id;
    session->used_ns = shard_.io().now_ns();
    if (!session->update(request)) return nullptr;
    do {
        session->id = static_cast<int32_t>(shard_.io().random() & INT32_MAX);
    } while (session->id == 0 || sessions_.contains(session->id));
    return (sessions_[session->id] = std::move(session)).get();
}

// Room for one more: a session that was long idle goes first, then the smallest that is smaller than the new
// one.
bool FetchSessions::make_place(size_t partitions) {
    if (sessions_.size() < slots_) return true;
    const uint64_t now_ns = shard_.io().now_ns();
    auto victim = sessions_.end();
    for (auto place = sessions_.begin(); place != sessions_.end(); ++place) {
        FetchSession& session = *place->second;
        if (session.in_use) continue;
        if (now_ns - session.used_ns > idle_before_eviction_ns) return sessions_.erase(place), true;
        if (session.partitions().size() >= partitions) continue;
        if (victim == sessions_.end() || session.partitions().size() < victim->second->partitions().size())
            victim = place;
    }
    if (victim == sessions_.end()) return false;
    sessions_.erase(victim);
    return true;
}

void FetchSessions::close(int32_t id) { take(id); }

std::unique_ptr<FetchSession> FetchSessions::take(int32_t id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second->in_use) return {};
    return std::move(sessions_.extract(found).mapped());
}

void FetchSessions::adopt(std::unique_ptr<FetchSession> session) {
    const int32_t id = session->id;
    if (!sessions_.contains(id) && make_place(session->partitions().size()))
        sessions_[id] = std::move(session);
}

}  // namespace millrace
