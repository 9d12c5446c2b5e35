// Classic consumer groups and committed offsets: a state machine over one partition of `__consumer_offsets`.
//
// It does no I/O: time and random ids are handed in, and records leave through a RecordLog. Offsets become
// visible only when their record is committed; every parked call is answered exactly once, at the latest by
// resign(). Owned by the home shard of its partition.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base.h"
#include "millrace/log_line.h"
#include "millrace/task.h"
#include "millrace/wire/describe_groups.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/leave_group.h"
#include "millrace/wire/list_groups.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/offset_delete.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/sync_group.h"

namespace millrace {

// The partition of `__consumer_offsets` that a group lives in: abs(hash) mod count, with the hash of a Java
// string (over UTF-16 units). Every client's idea of it must be the same, so it may never change.
int32_t coordinator_partition(std::string_view group_id, int32_t partition_count);

// ---- What it needs from above --------------------------------------------------------------------------

// Deadlines follow the monotonic clock, stamps in records the wall clock; a jump of the wall clock expels
// nobody.
struct GroupTime {
    int64_t now_ms = 0;
    int64_t wall_ms = 0;
};

// The partition's log, as far as a coordinator needs it.
class RecordLog {
 public:
    struct Record {
        Bytes key;
        std::optional<Bytes> value;  // None: a tombstone.
    };
    // Appends all of them as one batch, stamped `wall_ms`, and ends when it is committed (flushed, below the
    // high watermark), with the time of that. The records stay valid until then; one append is under way at
    // a time. not_enough_replicas, message_too_large, record_list_too_large, invalid_record and
    // throttling_quota_exceeded mean: it was not written and never will be. After any other error the
    // outcome is unknown: the coordinator resigns.
    virtual Task<Result<GroupTime>> append(std::span<const Record> records, int64_t wall_ms) = 0;

 protected:
    ~RecordLog() = default;
};

// Where new member ids come from.
class IdSource {
 public:
    virtual Uuid next_id() = 0;

 protected:
    ~IdSource() = default;
};

// ---- Options and limits --------------------------------------------------------------------------------

// Kafka's names; those without a Kafka name are limits of ours.
struct GroupOptions {
    int32_t group_min_session_timeout_ms = 6'000;
    int32_t group_max_session_timeout_ms = 1'800'000;
    int32_t group_initial_rebalance_delay_ms = 3'000;
    int32_t group_max_size = 2'147'483'647;
    int32_t offset_metadata_max_bytes = 4'096;
    int64_t offsets_retention_minutes = 10'080;
    int64_t offsets_retention_check_interval_ms = 600'000;

    int32_t new_member_join_timeout_ms = 300'000;  // A new member's join is answered by then (as in Kafka).
    size_t groups_max = 1'000'000;                 // Above: coordinator_not_available for new groups.
    size_t members_max = 1'000'000;             // Joined and pending, of all groups: group_max_size_reached.
    size_t append_batch_max_bytes = 1'000'000;  // Keys and values in one append.
    size_t append_queue_max_bytes = 64 << 20;   // Waiting for the log: coordinator_not_available.
    size_t history_max = 16;                    // Events kept per group.
};

// Who asks.
struct GroupContext {
    std::string_view client_id;    // Empty when there is none.
    std::string_view client_host;  // As Kafka stores it: "/127.0.0.1".
    int16_t version = 0;           // Of the request: timeouts, member ids and replies depend on it.
    GroupTime time;
};

// ---- What can be seen of it ----------------------------------------------------------------------------

enum class GroupState : uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };
std::string_view group_state_name(GroupState state);  // "PreparingRebalance", as DescribeGroups says it.

// Why a group is where it is. The newest history_max are kept in memory; none are durable.
struct GroupEvent {
    int64_t wall_ms = 0;
    int32_t generation = 0;
    GroupState state = GroupState::empty;  // After the event.
    std::string reason;                    // At most 200 bytes.
};

// Counters since the start, gauges as of now; plain numbers for the shard's metrics.
struct GroupStats {
    std::array<uint64_t, 5> groups{};  // By GroupState.
    uint64_t members = 0, pending_members = 0, offsets = 0;
    uint64_t rebalances = 0, rebalances_completed = 0, members_expired = 0;
    uint64_t offset_commits = 0, offsets_expired = 0, offsets_deleted = 0;
    uint64_t appends = 0, append_failures = 0;
    uint64_t records_skipped = 0;  // On load: of a kind or version that this coordinator does not know.
};

// One committed offset; the views are valid during the call that hands it over.
struct CommittedOffset {
    std::string_view group, topic;
    Uuid topic_id;  // Zero when the commit named the topic only by its name before ids were stored.
    int32_t partition = 0, leader_epoch = -1;
    int64_t offset = 0;
    std::string_view metadata;
    int64_t commit_ms = 0;  // Wall clock.
};

// ---- The coordinator -----------------------------------------------------------------------------------

class GroupCoordinator {
 public:
    // What is referred to must outlive it. It begins loading: calls are refused until loaded().
    GroupCoordinator(const GroupOptions& options, RecordLog& log, IdSource& ids, Logger& logger);
    ~GroupCoordinator();  // After run() has ended and every call was answered.

    // -- Life. --

    // One record of the partition, in order, before loaded(): data records of batches without a transaction
    // or of committed ones. Untrusted: a record that makes no sense is counted and skipped.
    void replay(Bytes key, std::optional<Bytes> value);
    // Everything committed was replayed: from here it serves. Members of restored groups get a whole
    // session timeout from now.
    void loaded(GroupTime time);
    // Appends what the calls want recorded; the owner starts it once and must see it end before destruction.
    // Ends after resign().
    Task<> run();
    // Leadership is lost or the node stops: every parked call is answered with not_coordinator, and so is
    // every later one. Final; leading again takes a new object that replays. Idempotent.
    void resign();
    // True after resign(), which it calls itself when an append ended with an unknown outcome.
    bool resigned() const;

    // When tick is next wanted, on the monotonic clock; none when nothing is pending. May be early.
    std::optional<int64_t> next_deadline_ms() const;
    // Expels members, completes joins, expires offsets: all that is due at `time`.
    void tick(GroupTime time);

    // -- Requests. Their views must stay valid until the task ends; what is returned points into `out`. --

    // Waits for the members (or the timeouts) of the rebalance. KIP-394, KIP-345, KIP-814, KIP-800.
    Task<wire::JoinGroupResponse> join(wire::JoinGroupRequest request, GroupContext context, Arena& out);
    // Waits for the leader's assignment to be committed.
    Task<wire::SyncGroupResponse> sync(wire::SyncGroupRequest request, GroupContext context, Arena& out);
    wire::HeartbeatResponse heartbeat(const wire::HeartbeatRequest& request, GroupContext context);
    // Versions 0-2 name one member outside the list; the answer's shape follows context.version.
    Task<wire::LeaveGroupResponse> leave(wire::LeaveGroupRequest request, GroupContext context, Arena& out);

    // Partitions that the broker refused (unauthorised, unknown) are not in the request; the broker adds
    // them to the answer. With version 10 the broker has set each topic's name from its id.
    Task<wire::OffsetCommitResponse> commit_offsets(wire::OffsetCommitRequest request, GroupContext context,
                                                    Arena& out);
    // One group of an OffsetFetch in the form of version 8 and above: the broker makes it from an older
    // request, and flattens the answer. With version 10 it has set each topic's name from its id; an offset
    // that was committed under another id is not this topic's. No topics: all that the group has committed.
    // An unknown partition has offset -1 and no error.
    wire::OffsetFetchResponse::Group fetch_offsets(const wire::OffsetFetchRequest::Group& asked,
                                                   Arena& out) const;
    Task<wire::OffsetDeleteResponse> delete_offsets(wire::OffsetDeleteRequest request, GroupContext context,
                                                    Arena& out);

    // DescribeGroups, one group. authorized_operations is the broker's to fill in.
    wire::DescribeGroupsResponse::Group describe(std::string_view group_id, GroupContext context,
                                                 Arena& out) const;
    // ListGroups; filters are compared without case, empty ones match all. Only error_code and groups of
    // the answer are set: the broker joins the partitions.
    wire::ListGroupsResponse list(const wire::ListGroupsRequest& request, Arena& out) const;
    // DeleteGroups, one group: group_id_not_found, non_empty_group, or none once the tombstones are
    // committed.
    Task<Error> delete_group(std::string_view group_id, GroupContext context);
    // The topic is gone: its offsets go too, in every group of this partition. `topic` must outlive the task.
    Task<Error> topic_deleted(std::string_view topic, GroupTime time);

    // -- To look at. --

    const GroupStats& stats() const;
    // The group's newest events, oldest first; empty for an unknown group.
    std::vector<GroupEvent> history(std::string_view group_id) const;
    // Every committed offset, by group, topic and partition: lag is computed from it.
    void each_committed(const std::function<void(const CommittedOffset&)>& visit) const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace millrace
