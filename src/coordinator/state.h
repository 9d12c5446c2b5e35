// The whole of a coordinator behind its public face: groups, timers, the way to the log.
//
// Functions that change something leave answers in `replies` and records in `queue`; whoever entered from
// outside calls settle() last, when all is consistent again, and only then do callers go on.
#pragma once
#include <map>
#include <memory>

#include "group.h"
#include "millrace/wire/classic_group_records.h"
#include "millrace/wire/offset_records.h"
#include "record_queue.h"

namespace millrace {

using coordinator::Group;
using coordinator::Member;
using coordinator::MemberTerms;
using coordinator::ParkedJoin;
using ParkedError = coordinator::Parked<Error>;
using coordinator::ParkedSync;
using coordinator::Timer;

struct GroupCoordinator::State {
    enum class Life : uint8_t { loading, serving, resigned };

    State(const GroupOptions& options, RecordLog& log, IdSource& ids, Logger& logger)
        : options(options), log(log), ids(ids), logger(logger), queue(this->options) {}

    const GroupOptions options;
    RecordLog& log;
    IdSource& ids;
    Logger& logger;
    Life life = Life::loading;
    GroupTime time;  // Of the last call, tick or commit.
    GroupStats stats;
    coordinator::TimerQueue timers;
    std::map<std::string, std::unique_ptr<Group>, std::less<>> groups;
    coordinator::RecordQueue queue;
    coordinator::Replies replies;
    Timer retention{timers, Timer::Kind::retention};
    std::optional<std::string> retention_cursor;  // The last group that this round of expiry looked at.
    Signal work;                                  // There is something to append, or nothing more will come.
    bool settling = false;
    Arena scratch;  // For one record or one reply; forgotten at the next use.

    // -- life.cc --
    Error refusal() const;  // coordinator_load_in_progress, not_coordinator, or none.
    void settle();
    Task<> append_loop();
    void resign();
    void end_of_append(const coordinator::RecordQueue::Batch& batch, const Result<GroupTime>& result);
    void tick();
    void fire(Timer& timer);

    // -- replay.cc --
    void apply(Bytes key, const std::optional<Bytes>& value);
    void apply_offset(std::string_view group_id, std::string_view topic, int32_t partition,
                      const std::optional<wire::OffsetCommitValue>& value);
    void apply_group(std::string_view group_id, const wire::GroupMetadataValue* value);
    void take_assignment(Group& group, const wire::GroupMetadataValue& value);
    void apply_offset_record(Bytes key_body, const std::optional<Bytes>& value);
    void apply_group_record(Bytes key_body, const std::optional<Bytes>& value);

    // -- groups.cc --
    Group* find(std::string_view group_id);
    const Group* find_visible(std::string_view group_id) const;
    Group* find_or_create(std::string_view group_id);  // Null above groups_max.
    void forget_if_nothing(std::string_view group_id);
    void note(Group& group, std::string reason);
    Error propose(Group& group, coordinator::RecordQueue::Done done);
    using Assignments = std::map<std::string_view, Bytes>;
    // One record of the group as it stands, with these assignments.
    Error propose_group(Group& group, const Assignments& assignments, coordinator::RecordQueue::Done done);

    // -- rebalance.cc --
    void rebalance_or_complete(Group& group, std::string reason);
    void prepare_rebalance(Group& group, std::string reason);
    void complete_if_all_joined(Group& group);
    void complete_join(Group& group);
    void record_empty(Group& group);
    void expel_absent(Group& group);
    void start_generation(Group& group);
    void end_of_join_wait(Group& group);
    void end_of_sync_wait(Group& group);
    void session_ended(Group& group, Member& member);
    void pending_ended(Group& group, std::string member_id);
    // Answers what it has parked with `error`; it is no member any more.
    void expel(Group& group, Member& member, Error error);
    void extend_session(Member& member);
    void cancel_assignment(Group& group, Error error);
    wire::JoinGroupResponse join_reply(const Group& group, const Member& member, Arena& out) const;
    void answer_sync(Member& member, const wire::SyncGroupResponse& response);
    void sync_received(Group& group, Member& member);

    // -- join.cc --
    struct JoinCall {
        const wire::JoinGroupRequest& request;
        const GroupContext& context;
        ParkedJoin& parked;
        MemberTerms terms;
        std::string client_reason;
    };
    void join(JoinCall call);
    bool accepts(Group& group, std::string_view member_id) const;
    void join_new(Group& group, JoinCall& call);
    void join_known(Group& group, JoinCall& call);
    void join_again(Group& group, Member& member, JoinCall& call);
    void add_pending(Group& group, std::string member_id, JoinCall& call);
    void add_member(Group& group, std::string member_id, JoinCall& call);
    void update_member(Group& group, Member& member, JoinCall& call, std::string reason);
    void repark(Group& group, Member& member, ParkedJoin& parked);
    void replace_static(Group& group, Member& member, std::string new_id, JoinCall& call);
    void record_replacement(Group& group, Member& member, JoinCall& call, struct Replaced before);
    std::string new_member_id(const JoinCall& call);

    // -- sync.cc --
    void sync(const wire::SyncGroupRequest& request, ParkedSync& parked);
    Error may_sync(Group* group, const wire::SyncGroupRequest& request);
    void propose_assignment(Group& group, const wire::SyncGroupRequest& request);
    Error heartbeat(const wire::HeartbeatRequest& request);
    // `recorded` is answered when what it changed is in the log, or at once.
    wire::LeaveGroupResponse leave(const wire::LeaveGroupRequest& request, const GroupContext& context,
                                   ParkedError& recorded, Arena& out);
    Error leave_one(Group* group, const wire::LeaveGroupRequest::Member& who);
    void left(Group& group, std::string reason);

    // -- offsets.cc --
    // The group that may commit, made if the commit makes it.
    Result<Group*> group_for_commit(const wire::OffsetCommitRequest& request, int16_t version);
    Error may_commit(Group& group, const wire::OffsetCommitRequest& request);
    void commit(const wire::OffsetCommitRequest& request, int16_t version, ParkedError& parked);
    bool fits(const wire::OffsetCommitRequest::Partition& partition) const;
    Error may_delete_offsets(std::string_view group_id);
    void delete_offsets(const wire::OffsetDeleteRequest& request, ParkedError& parked);

    // -- retention.cc --
    void expire_offsets();
    void expire_group_offsets(Group& group);
    bool has_expired(const Group& group, std::string_view topic,
                     const coordinator::StoredOffset& offset) const;
    void record_round(Group& group, ParkedError& parked);
    // Adds tombstones for those of the group's offsets that are wanted(topic, offset), as many as one append
    // may hold. Whether that was all of them.
    template <class Wanted> bool add_offset_tombstones(const Group& group, const Wanted& wanted);
};

// What a client is told when its records could not be appended.
Error append_error_for_client(Error error);

}  // namespace millrace
