// Fetch sessions (KIP-227): the broker remembers what a consumer reads, and tells it only what is new.
//
// A shard's sessions are its own. One goes along when its connection moves to another shard; a client that
// comes back on a new connection of another shard is told that its session is not known, and starts over. Ids
// are random; the number of sessions is limited.
#pragma once
#include <list>
#include <map>
#include <memory>

#include "millrace/shard.h"
#include "millrace/wire/fetch.h"

namespace millrace {

// A partition as fetches name it: by the topic's id from version 13 on, by its name before.
struct FetchKey {
    std::string topic;
    Uuid topic_id;
    int32_t partition = 0;
    auto operator<=>(const FetchKey&) const = default;
};

struct SessionPartition {
    FetchKey key;
    int32_t current_leader_epoch = -1;
    int64_t fetch_offset = 0;
    int32_t last_fetched_epoch = -1;
    int32_t max_bytes = 0;

    // What the client was told last.
    int64_t high_watermark = -1, last_stable_offset = -1, log_start = -1;
    bool has_error = false;
};

class FetchSession {
 public:
    static constexpr size_t partitions_max = 100'000;

    int32_t id = 0;
    int32_t epoch = 1;  // That the next request must carry.
    bool by_id = false;
    uint64_t used_ns = 0;
    bool in_use = false;  // A fetch of it is parked.

    // In the order of reading; those that gave bytes go last, so that all get their turn.
    std::list<SessionPartition>& partitions() { return partitions_; }
    // Takes over what a request says: new and changed partitions, and forgotten ones. False above the limit.
    bool update(const wire::FetchRequest& request);
    void move_last(std::list<SessionPartition>::iterator place) {
        partitions_.splice(partitions_.end(), partitions_, place);
    }

 private:
    std::list<SessionPartition> partitions_;
    std::map<FetchKey, std::list<SessionPartition>::iterator> index_;
};

class FetchSessions {
 public:
    explicit FetchSessions(Shard& shard);

    // Null with the reason: fetch_session_id_not_found, invalid_fetch_session_epoch,
    // fetch_session_topic_id_error.
    FetchSession* find(int32_t id, int32_t epoch, bool by_id, Error& error);
    // Null when all places are taken by sessions in recent use: the fetch is then answered without one.
    FetchSession* create(const wire::FetchRequest& request, bool by_id);
    void close(int32_t id);
    // Nothing when it is not there, or in use.
    std::unique_ptr<FetchSession> take(int32_t id);
    // One of another shard. Where there is no place for it, its client starts over.
    void adopt(std::unique_ptr<FetchSession> session);
    size_t count() const { return sessions_.size(); }

 private:
    bool make_place(size_t partitions);

    Shard& shard_;
    const size_t slots_;
    std::map<int32_t, std::unique_ptr<FetchSession>> sessions_;
};

}  // namespace millrace
