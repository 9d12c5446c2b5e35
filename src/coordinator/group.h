// One classic group: its members, their votes, the states they go through together.
//
// Always: the leader, where there is one, is a member; every static instance id leads to the member that
// holds it; protocols count exactly the members that support them. Soft state: only what the records say
// survives.
#pragma once
#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/coordinator.h"
#include "millrace/wire/classic_group_records.h"
#include "offset_table.h"
#include "parked.h"
#include "timer_queue.h"

namespace millrace::coordinator {

using ParkedJoin = Parked<wire::JoinGroupResponse>;
using ParkedSync = Parked<wire::SyncGroupResponse>;

// A way to share the work that a member knows ("range", "cooperative-sticky"), and its bytes for the leader.
struct Protocol {
    std::string name;
    std::string metadata;

    bool operator==(const Protocol&) const = default;
};

// What a member says of itself.
struct MemberTerms {
    std::optional<std::string> instance_id;
    std::string client_id, client_host;
    int32_t rebalance_timeout_ms = 0;
    int32_t session_timeout_ms = 0;
    std::vector<Protocol> protocols;  // Most wanted first; names are unique.
};

struct Member {
    Member(std::string id, MemberTerms terms, Group& group, TimerQueue& timers);

    bool is_static() const { return terms.instance_id.has_value(); }
    // Its bytes for that protocol; empty when it does not know it.
    std::string_view metadata(const std::optional<std::string>& protocol) const;

    std::string id;
    MemberTerms terms;
    std::string assignment;
    ParkedJoin* join = nullptr;
    ParkedSync* sync = nullptr;
    bool is_new = false;     // Has not got its id yet: its session ends although its join is parked.
    bool owes_sync = false;  // Has its join answer, has not synced in this generation.
    Timer session;
};

// Has been given an id (KIP-394) and not come back with it yet.
struct PendingMember {
    PendingMember(Group& group, TimerQueue& timers) : timer(timers, Timer::Kind::pending, &group) {}
    Timer timer;
};

class Group {
 public:
    Group(std::string id, TimerQueue& timers, GroupStats& stats);
    Group(const Group&) = delete;
    ~Group();

    // -- State. --
    const std::string id;
    GroupState state() const { return state_; }
    GroupState previous_state() const { return previous_state_; }
    bool is(GroupState state) const { return state_ == state; }
    int32_t generation() const { return generation_; }
    int64_t state_since_ms() const { return state_since_ms_; }  // Wall clock; -1: unknown.
    const std::optional<std::string>& protocol_type() const { return protocol_type_; }
    const std::optional<std::string>& protocol() const { return protocol_; }
    const std::optional<std::string>& leader() const { return leader_; }

    void transition(GroupState to, int64_t wall_ms);
    // Generation + 1; its protocol is chosen and it goes to CompletingRebalance, or to Empty without members.
    void next_generation(int64_t wall_ms);
    // As a record says: members, assignments, generation. Only before there are any.
    void restore(const wire::GroupMetadataValue& value);
    // As if no record had ever been: an Empty group without protocol type.
    void reset_to_simple();

    // -- Members. --
    std::list<Member>& members() { return members_; }  // In the order in which they came.
    const std::list<Member>& members() const { return members_; }
    Member* find(std::string_view member_id);
    Member* find_static(std::string_view instance_id);
    Member& add(std::string member_id, MemberTerms terms, std::string_view protocol_type);
    void remove(Member& member);  // Nothing of it may be parked.
    void rename_static(Member& member, std::string new_id);
    void set_terms(Member& member, MemberTerms terms);
    bool is_leader(const Member& member) const { return leader_ == member.id; }
    // The leader that rejoined, or the first member that did instead; false when nobody did.
    bool elect_joined_leader();
    int32_t longest_rebalance_timeout_ms() const;
    // unknown_member_id, fenced_instance_id or none. KIP-345.
    Error validate(std::string_view member_id, const std::optional<std::string_view>& instance_id);

    void park_join(Member& member, ParkedJoin& call);
    void answer_join(Member& member, const wire::JoinGroupResponse& response);
    size_t joins_parked() const { return joins_parked_; }
    bool has_all_joined() const { return joins_parked_ == members_.size() && pending_.empty(); }

    std::map<std::string, PendingMember, std::less<>>& pending() { return pending_; }
    const std::map<std::string, PendingMember, std::less<>>& pending() const { return pending_; }
    PendingMember& add_pending(std::string member_id);
    bool remove_pending(std::string_view member_id);

    // -- Protocols. --
    bool supports(std::string_view protocol_type, const std::vector<Protocol>& protocols) const;
    // The one with the most votes among those that all members know; on a tie the one voted for first.
    std::string select_protocol() const;
    bool uses_consumer_protocol() const { return protocol_type_ == "consumer"; }
    // Where subscriptions are unknown, a group of consumers counts as subscribed to everything.
    bool is_subscribed(std::string_view topic) const;
    bool knows_subscriptions() const { return subscribed_.has_value(); }

    // -- What else belongs to it. --
    OffsetTable offsets;
    bool is_recorded = false;  // A group record of it is in the log, not a tombstone.
    uint32_t proposals = 0;    // Its records on the way to the log.
    Timer join_timer, sync_timer;
    bool member_came = false;  // In an initial rebalance: since the last delay began.
    int32_t initial_delay_ms = 0, initial_left_ms = 0;
    std::vector<GroupEvent> history;

    // Whether anybody outside can see it; a group that cannot be seen does not exist.
    bool is_visible() const;

 private:
    void count_protocols(const Member& member, int delta);
    std::set<std::string> candidate_protocols() const;
    void find_subscriptions();

    TimerQueue& timers_;
    GroupStats& stats_;
    GroupState state_ = GroupState::empty;
    GroupState previous_state_ = GroupState::empty;
    int64_t state_since_ms_ = -1;
    int32_t generation_ = 0;
    std::optional<std::string> protocol_type_, protocol_, leader_;
    std::list<Member> members_;
    std::unordered_map<std::string_view, std::list<Member>::iterator> by_id_;  // Looked up, never walked.
    std::map<std::string, Member*, std::less<>> by_instance_;
    std::map<std::string, PendingMember, std::less<>> pending_;
    std::map<std::string, size_t, std::less<>> supporters_;
    std::optional<std::set<std::string, std::less<>>> subscribed_;
    size_t joins_parked_ = 0;
};

}  // namespace millrace::coordinator
