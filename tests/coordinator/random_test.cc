// Many simulated members of a few groups, in random schedules with slow, refused and lost appends and
// restarts.
//
// What must hold whatever happens: one leader and one protocol per generation; generations only grow in one
// life; who may not send heartbeats may not commit; an acknowledged commit is never lost and a refused one
// never seen; every call is answered; what the records say is what the coordinator knows.
#include <map>

#include "lab.h"

using namespace millrace;
using namespace millrace::test;

namespace {

class Dice {
 public:
    explicit Dice(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
    size_t below(size_t n) { return next() % n; }
    bool one_in(size_t n) { return below(n) == 0; }

 private:
    uint64_t next() {
        state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
        return state_ * 0x2545f4914f6cdd1d >> 11;
    }
    uint64_t state_;
};

struct Actor {
    std::string group, name;
    std::optional<std::string> instance;
    int partition = 0;
    std::string id;
    int32_t generation = -1;
    std::string protocol = "range";
    JoinCall join;
    int join_life = 0;  // Of the coordinator that the join was put to.
    SyncCall sync;
    CallOf<wire::OffsetCommitResponse> commit;
    int64_t committing = 0;
    bool leads = false, joined = false, stable = false;
    std::vector<std::string> members;
    std::optional<int64_t> acknowledged;
    std::vector<int64_t> in_doubt;  // Commits whose outcome was unknown, after the last acknowledged one.
};

class Play {
 public:
    explicit Play(uint64_t seed)
        : dice_(seed), lab_({.group_initial_rebalance_delay_ms = 500, .append_batch_max_bytes = 2'000}) {
        for (int i = 0; i < 15; i++) {
            Actor& actor = actors_.emplace_back();
            actor.group = "g" + std::to_string(i % 3);
            actor.name = "c" + std::to_string(i);
            actor.partition = i;
            if (i % 4 == 0) actor.instance = "i" + std::to_string(i);
        }
    }
    void run() {
        for (int step = 0; step < 400; step++) {
            act(actors_[dice_.below(actors_.size())]);
            world();
            for (Actor& actor : actors_) collect(actor);
        }
        finish();
    }
    uint64_t generations() const { return leaders_.size(); }
    uint64_t commits() const { return commits_; }

 private:
    void act(Actor& actor) {
        switch (dice_.below(10)) {
            case 0:
            case 1:
            case 2:
            case 3: return actor.joined ? sync(actor) : join(actor);
            case 4:
            case 5: return commit(actor);
            case 6: return heartbeat(actor);
            case 7: return dice_.one_in(4) ? leave(actor) : void();
            case 8: return dice_.one_in(4) ? vanish(actor) : void();
            default: return actor.joined && dice_.one_in(3) ? join(actor) : void();
        }
    }
    void world() {
        if (lab_.log.is_held() && dice_.one_in(2)) end_append();
        lab_.log.holds = lab_.log.holds ? !dice_.one_in(10) : dice_.one_in(4);
        lab_.log.fails_with = dice_.one_in(20) ? Error::not_enough_replicas : Error::none;
        if (dice_.one_in(8)) lab_.pass(static_cast<int64_t>(dice_.below(4'000)));
        if (dice_.one_in(100) || lab_.coordinator->resigned()) restart();
    }
    void end_append() {
        lab_.log.release(dice_.one_in(10)   ? Error::not_enough_replicas
                         : dice_.one_in(40) ? Error::request_timed_out
                                            : Error::none);
    }
    void restart() {
        lab_.log.fails_with = Error::none;
        lab_.restart();
        life_++;
    }

    void join(Actor& actor) {
        if (actor.join) return;
        if (dice_.one_in(5)) actor.protocol = actor.protocol == "range" ? "sticky" : "range";
        actor.stable = false;
        actor.join_life = life_;
        actor.join = lab_.join({.group = actor.group,
                                .member = actor.id,
                                .instance = actor.instance,
                                .protocols = {{actor.protocol, "m" + std::to_string(dice_.below(3))},
                                              {actor.protocol == "range" ? "sticky" : "range", "m"}},
                                .rebalance_ms = 10'000,
                                .version = static_cast<int16_t>(dice_.one_in(4) ? 3 : 9),
                                .client = actor.name});
    }
    void sync(Actor& actor) {
        if (actor.sync || actor.join) return;
        SyncSpec spec{.group = actor.group,
                      .member = actor.id,
                      .generation = actor.generation,
                      .instance = actor.instance};
        if (actor.leads)
            for (const std::string& member : actor.members)
                spec.assignments.emplace_back(member, "for " + member);
        actor.sync = lab_.sync(spec);
    }
    void heartbeat(Actor& actor) {
        if (actor.id.empty()) return;
        take(actor, lab_.heartbeat(actor.id, actor.generation, actor.group, view(actor.instance)));
    }
    void commit(Actor& actor) {
        if (actor.commit || actor.id.empty() || actor.generation < 0) return;
        const Error beat = lab_.heartbeat(actor.id, actor.generation, actor.group, view(actor.instance));
        actor.committing = ++next_offset_;
        actor.commit = lab_.commit({.group = actor.group,
                                    .member = actor.id,
                                    .generation = actor.generation,
                                    .partition = actor.partition,
                                    .offset = actor.committing,
                                    .instance = actor.instance});
        if (beat == Error::none || beat == Error::rebalance_in_progress) return;
        REQUIRE(actor.commit->done());  // Refused for the same reason, at once.
        const Error told = (*actor.commit)->topics[0].partitions[0].error_code;
        CHECK((told == beat || (beat == Error::unknown_member_id && told == Error::illegal_generation)));
    }
    void leave(Actor& actor) {
        if (actor.id.empty()) return;
        leaves_.push_back(lab_.leave({{.member = actor.id, .instance = actor.instance}}, 5, actor.group));
        forget(actor);
    }
    void vanish(Actor& actor) {
        if (actor.join) lost_joins_.push_back(std::move(actor.join));
        if (actor.sync) lost_syncs_.push_back(std::move(actor.sync));
        forget(actor);
    }
    void forget(Actor& actor) {
        actor.id.clear();
        actor.generation = -1;
        actor.joined = actor.stable = actor.leads = false;
    }
    void take(Actor& actor, Error error) {
        if (error == Error::unknown_member_id || error == Error::fenced_instance_id) forget(actor);
        if (error == Error::illegal_generation || error == Error::rebalance_in_progress) actor.joined = false;
    }
    static std::optional<std::string_view> view(const std::optional<std::string>& text) {
        return text ? std::optional<std::string_view>(*text) : std::nullopt;
    }

    void collect(Actor& actor) {
        if (actor.join && actor.join->done()) joined(actor, *std::exchange(actor.join, nullptr)->reply);
        if (actor.sync && actor.sync->done()) {
            const auto call = std::exchange(actor.sync, nullptr);
            take(actor, (*call)->error_code);
            if ((*call)->error_code == Error::none && !actor.id.empty() && !(*call)->assignment.empty())
                CHECK(as_text((*call)->assignment).starts_with("for "));
        }
        if (actor.commit && actor.commit->done()) committed(actor);
    }
    void joined(Actor& actor, const wire::JoinGroupResponse& reply) {
        if (reply.error_code == Error::member_id_required) return void(actor.id = reply.member_id);
        take(actor, reply.error_code);
        if (reply.error_code != Error::none) return;
        actor.id = reply.member_id;
        actor.generation = reply.generation_id;
        actor.joined = true;
        actor.leads = !reply.members.empty() && reply.leader == reply.member_id;
        actor.members.clear();
        for (const auto& member : reply.members) actor.members.emplace_back(member.member_id);
        judge_generation(actor, reply);
    }
    void judge_generation(const Actor& actor, const wire::JoinGroupResponse& reply) {
        int32_t& newest = newest_[{actor.join_life, actor.group}];
        CHECK(reply.generation_id >= newest);
        newest = reply.generation_id;
        const auto key = std::tuple(actor.join_life, actor.group, reply.generation_id);
        const auto protocol = protocols_.emplace(key, *reply.protocol_name).first;
        CHECK(protocol->second == *reply.protocol_name);
        if (!reply.members.empty()) {
            CHECK(reply.leader == reply.member_id);
            // A static leader may come back under another id; its members are those of the generation still.
            const auto leader = leaders_.emplace(key, actor.instance.value_or(actor.id)).first;
            CHECK(leader->second == actor.instance.value_or(actor.id));
        }
    }
    void committed(Actor& actor) {
        const auto call = std::exchange(actor.commit, nullptr);
        const Error error = (*call)->topics[0].partitions[0].error_code;
        if (error == Error::none) {
            commits_++;
            actor.acknowledged = actor.committing;
            actor.in_doubt.clear();
        } else if (error == Error::not_coordinator || error == Error::coordinator_not_available) {
            actor.in_doubt.push_back(actor.committing);
        }
    }

    void finish() {
        lab_.log.fails_with = Error::none;
        lab_.log.holds = false;
        while (lab_.log.is_held()) lab_.log.release();
        if (lab_.coordinator->resigned()) restart();
        lab_.pass(1'000'000);  // Everybody's session ends.
        for (Actor& actor : actors_) {
            if (actor.join) CHECK(actor.join->done());
            if (actor.sync) CHECK(actor.sync->done());
            if (actor.commit) CHECK(actor.commit->done());
            collect(actor);
        }
        for (const auto& call : lost_joins_) CHECK(call->done());
        for (const auto& call : lost_syncs_) CHECK(call->done());
        for (const auto& call : leaves_) CHECK(call->done());
        CHECK(lab_.coordinator->stats().members == 0);
        CHECK(lab_.coordinator->stats().pending_members == 0);
        judge_offsets();
        const std::string before = lab_.durable_text();
        lab_.restart();
        CHECK(lab_.durable_text() == before);
        judge_offsets();
    }
    void judge_offsets() {
        for (const Actor& actor : actors_) {
            const int64_t found = lab_.offset(actor.group, "t", actor.partition);
            const bool is_doubted = std::ranges::find(actor.in_doubt, found) != actor.in_doubt.end();
            CHECK((found == actor.acknowledged.value_or(-1) || is_doubted));
        }
    }

    Dice dice_;
    Lab lab_;
    std::deque<Actor> actors_;
    int life_ = 0;
    int64_t next_offset_ = 0;
    uint64_t commits_ = 0;
    std::map<std::pair<int, std::string>, int32_t> newest_;
    std::map<std::tuple<int, std::string, int32_t>, std::string> leaders_, protocols_;
    std::vector<JoinCall> lost_joins_;
    std::vector<SyncCall> lost_syncs_;
    std::vector<CallOf<wire::LeaveGroupResponse>> leaves_;
};

}  // namespace

TEST_CASE("two hundred random schedules break no promise") {
    uint64_t generations = 0, commits = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        INFO("seed ", seed);
        Play play(seed);
        play.run();
        generations += play.generations();
        commits += play.commits();
    }
    CHECK(generations > 1'000);  // The schedules do reach what they are to judge.
    CHECK(commits > 1'000);
}
