// The rules of one group's membership; what they lead to (waiting, answering, recording) is in rebalance.cc.
#include "group.h"

#include "subscription.h"

namespace millrace::coordinator {

// ---- Members -------------------------------------------------------------------------------------------

Member::Member(std::string id, MemberTerms terms, Group& group, TimerQueue& timers)
    : id(std::move(id)), terms(std::move(terms)), session(timers, Timer::Kind::session, &group, this) {}

std::string_view Member::metadata(const std::optional<std::string>& protocol) const {
    for (const Protocol& known : terms.protocols)
        if (known.name == protocol) return known.metadata;
    return {};
}

Group::Group(std::string id, TimerQueue& timers, GroupStats& stats)
    : id(std::move(id)),
      join_timer(timers, Timer::Kind::join, this),
      sync_timer(timers, Timer::Kind::sync, this),
      timers_(timers),
      stats_(stats) {
    stats_.groups[size_t(state_)]++;
}

Group::~Group() {
    stats_.groups[size_t(state_)]--;
    stats_.members -= members_.size();
    stats_.pending_members -= pending_.size();
    for (const auto& [topic, partitions] : offsets.topics()) stats_.offsets -= partitions.size();
}

Member* Group::find(std::string_view member_id) {
    const auto at = by_id_.find(member_id);
    return at == by_id_.end() ? nullptr : &*at->second;
}

Member* Group::find_static(std::string_view instance_id) {
    const auto at = by_instance_.find(instance_id);
    return at == by_instance_.end() ? nullptr : at->second;
}

Member& Group::add(std::string member_id, MemberTerms terms, std::string_view protocol_type) {
    ASSERT(!find(member_id));
    if (terms.instance_id) ASSERT(!find_static(*terms.instance_id));
    if (members_.empty()) protocol_type_ = protocol_type;
    ASSERT(protocol_type_ == protocol_type);
    remove_pending(member_id);
    Member& member = members_.emplace_back(std::move(member_id), std::move(terms), *this, timers_);
    by_id_.emplace(member.id, std::prev(members_.end()));
    if (member.is_static()) by_instance_.emplace(*member.terms.instance_id, &member);
    if (!leader_) leader_ = member.id;
    count_protocols(member, 1);
    stats_.members++;
    return member;
}

void Group::remove(Member& member) {
    ASSERT(!member.join && !member.sync);
    count_protocols(member, -1);
    if (member.is_static()) by_instance_.erase(*member.terms.instance_id);
    const bool led = is_leader(member);
    const auto at = by_id_.find(member.id)->second;
    by_id_.erase(member.id);
    members_.erase(at);
    stats_.members--;
    if (led) leader_ = members_.empty() ? std::nullopt : std::optional(members_.front().id);
}

void Group::rename_static(Member& member, std::string new_id) {
    ASSERT(member.is_static() && !find(new_id));
    const bool led = is_leader(member);
    auto node = by_id_.extract(member.id);
    member.id = std::move(new_id);
    node.key() = member.id;
    by_id_.insert(std::move(node));
    if (led) leader_ = member.id;
    ASSERT(find(member.id) == &member);
}

void Group::set_terms(Member& member, MemberTerms terms) {
    ASSERT(member.terms.instance_id == terms.instance_id);
    count_protocols(member, -1);
    member.terms = std::move(terms);
    count_protocols(member, 1);
}

bool Group::elect_joined_leader() {
    if (!leader_) return false;
    if (find(*leader_)->join) return true;
    for (const Member& member : members_) {
        if (!member.join) continue;
        leader_ = member.id;
        return true;
    }
    return false;
}

int32_t Group::longest_rebalance_timeout_ms() const {
    int32_t longest = 0;
    for (const Member& member : members_) longest = std::max(longest, member.terms.rebalance_timeout_ms);
    return longest;
}

Error Group::validate(std::string_view member_id, const std::optional<std::string_view>& instance_id) {
    if (instance_id) {
        const Member* holder = find_static(*instance_id);
        if (!holder) return Error::unknown_member_id;
        if (holder->id != member_id) return Error::fenced_instance_id;
    }
    return find(member_id) ? Error::none : Error::unknown_member_id;
}

void Group::park_join(Member& member, ParkedJoin& call) {
    ASSERT(!member.join);
    member.join = &call;
    joins_parked_++;
}

void Group::answer_join(Member& member, const wire::JoinGroupResponse& response) {
    if (!member.join) return;
    std::exchange(member.join, nullptr)->answer(response);
    joins_parked_--;
}

PendingMember& Group::add_pending(std::string member_id) {
    const auto [at, added] = pending_.try_emplace(std::move(member_id), *this, timers_);
    ASSERT(added);
    at->second.timer.pending_id = &at->first;
    stats_.pending_members++;
    return at->second;
}

bool Group::remove_pending(std::string_view member_id) {
    const auto at = pending_.find(member_id);
    if (at == pending_.end()) return false;
    pending_.erase(at);
    stats_.pending_members--;
    return true;
}

// ---- States --------------------------------------------------------------------------------------------

namespace {

bool may_follow(GroupState to, GroupState from) {
    using enum GroupState;
    switch (to) {
        case preparing_rebalance: return from == stable || from == completing_rebalance || from == empty;
        case completing_rebalance:
        case empty: return from == preparing_rebalance;
        case stable: return from == completing_rebalance;
        case dead: return true;
    }
    return false;
}

}  // namespace

void Group::transition(GroupState to, int64_t wall_ms) {
    ASSERT(may_follow(to, state_));
    stats_.groups[size_t(state_)]--;
    stats_.groups[size_t(to)]++;
    previous_state_ = std::exchange(state_, to);
    state_since_ms_ = wall_ms;
}

void Group::next_generation(int64_t wall_ms) {
    generation_++;
    protocol_.reset();
    if (!members_.empty()) protocol_ = select_protocol();
    find_subscriptions();
    transition(members_.empty() ? GroupState::empty : GroupState::completing_rebalance, wall_ms);
}

void Group::reset_to_simple() {
    ASSERT(is(GroupState::empty) && members_.empty());
    generation_ = 0;
    state_since_ms_ = -1;
    protocol_type_.reset(), protocol_.reset(), leader_.reset(), subscribed_.reset();
}

void Group::restore(const wire::GroupMetadataValue& value) {
    while (!members_.empty()) remove(members_.front());
    generation_ = value.generation;
    state_since_ms_ = value.current_state_timestamp;
    protocol_type_.reset(), protocol_.reset(), leader_.reset();
    if (!value.protocol_type.empty()) protocol_type_ = value.protocol_type;
    if (value.protocol) protocol_ = *value.protocol;
    for (const auto& from : value.members) {
        MemberTerms terms{.client_id = std::string(from.client_id),
                          .client_host = std::string(from.client_host),
                          .rebalance_timeout_ms =
                              from.rebalance_timeout == -1 ? from.session_timeout : from.rebalance_timeout,
                          .session_timeout_ms = from.session_timeout,
                          .protocols = {{protocol_.value_or(""), std::string(as_text(from.subscription))}}};
        if (from.group_instance_id) terms.instance_id = *from.group_instance_id;
        if (find(from.member_id) || (terms.instance_id && find_static(*terms.instance_id))) continue;
        add(std::string(from.member_id), std::move(terms), value.protocol_type).assignment =
            as_text(from.assignment);
    }
    if (value.leader && find(*value.leader)) leader_ = *value.leader;
    stats_.groups[size_t(state_)]--;
    previous_state_ = state_ = members_.empty() ? GroupState::empty : GroupState::stable;
    stats_.groups[size_t(state_)]++;
    find_subscriptions();
}

bool Group::is_visible() const {
    return is_recorded || !is(GroupState::empty) || !pending_.empty() || !offsets.is_empty();
}

// ---- Protocols -----------------------------------------------------------------------------------------

void Group::count_protocols(const Member& member, int delta) {
    for (const Protocol& protocol : member.terms.protocols) {
        size_t& count = supporters_[protocol.name];
        count += static_cast<size_t>(delta);
        if (count == 0) supporters_.erase(protocol.name);
    }
}

bool Group::supports(std::string_view protocol_type, const std::vector<Protocol>& protocols) const {
    if (is(GroupState::empty)) return !protocol_type.empty() && !protocols.empty();
    if (protocol_type_ != protocol_type) return false;
    return std::ranges::any_of(protocols, [this](const Protocol& protocol) {
        const auto at = supporters_.find(protocol.name);
        return (at == supporters_.end() ? 0 : at->second) == members_.size();
    });
}

std::string Group::select_protocol() const {
    ASSERT(!members_.empty());
    std::map<std::string_view, size_t> votes;
    std::string_view best;
    for (const Member& member : members_)
        for (const Protocol& protocol : member.terms.protocols) {
            const auto at = supporters_.find(protocol.name);
            if (at->second != members_.size()) continue;
            votes[protocol.name]++;
            if (best.empty()) best = protocol.name;
            break;
        }
    ASSERT(!votes.empty());
    for (const auto& [name, count] : votes)
        if (count > votes[best]) best = name;
    return std::string(best);
}

void Group::find_subscriptions() {
    subscribed_.reset();
    if (!uses_consumer_protocol()) return;
    std::set<std::string, std::less<>> all;
    for (const Member& member : members_)
        if (!add_subscribed_topics(as_bytes(member.metadata(protocol_)), all)) return;
    subscribed_ = std::move(all);
}

bool Group::is_subscribed(std::string_view topic) const {
    return subscribed_ ? subscribed_->contains(topic) : uses_consumer_protocol();
}

}  // namespace millrace::coordinator
