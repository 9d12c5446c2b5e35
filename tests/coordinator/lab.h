// A laboratory for the coordinator: a log that commits, waits or fails as told, ids that count, a clock that
// moves by hand, and calls that run until they are answered.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "millrace/coordinator.h"

namespace millrace::test {

// Keeps what was committed, as bytes. Holds an append back until release() while `holds`.
class FakeLog final : public RecordLog {
 public:
    struct Owned {
        std::string key;
        std::optional<std::string> value;
    };

    Task<Result<GroupTime>> append(std::span<const Record> records, int64_t) override {
        appends++;
        batch_sizes.push_back(records.size());
        Error error = fails_with;
        if (holds) {
            Eventual<Error> gate;
            gate_ = &gate;
            error = co_await gate;
        }
        if (error != Error::none) co_return error;
        for (const Record& record : records) {
            Owned owned{.key = std::string(as_text(record.key))};
            if (record.value) owned.value = as_text(*record.value);
            committed.push_back(std::move(owned));
        }
        co_return *clock;
    }
    bool is_held() const { return gate_; }
    // Ends the append that waits.
    void release(Error error = Error::none) {
        REQUIRE(gate_);
        std::exchange(gate_, nullptr)->set(error);
    }

    std::vector<Owned> committed;
    std::vector<size_t> batch_sizes;
    const GroupTime* clock = nullptr;
    size_t appends = 0;
    bool holds = false;
    Error fails_with = Error::none;

 private:
    Eventual<Error>* gate_ = nullptr;
};

class CountingIds final : public IdSource {
 public:
    Uuid next_id() override {
        Uuid id;
        store_big(id.bytes.data() + 8, ++count_);
        return id;
    }

 private:
    uint64_t count_ = 0;
};

class Lines final : public LogSink {
 public:
    int64_t wall_ms() const override { return 0; }
    void write(Level, std::string_view line) override { all.emplace_back(line); }
    bool has(std::string_view text) const {
        return std::ranges::any_of(all,
                                   [text](const std::string& line) { return line.find(text) != line.npos; });
    }
    std::vector<std::string> all;
};

// One call under way; owns the memory of its request and its answer.
template <class Response> struct Call {
    Arena memory;
    std::optional<Response> reply;

    bool done() const { return reply.has_value(); }
    const Response* operator->() const {
        REQUIRE(done());
        return &*reply;
    }
};
// The lab keeps every call until it ends: an answer may come after the test has lost interest.
template <class Response> using CallOf = std::shared_ptr<Call<Response>>;

template <class Response> Task<> follow(Task<Response> task, Call<Response>& call) {
    Response response = co_await task;
    call.reply.emplace(std::move(response));
}

struct JoinSpec {
    std::string group = "g";
    std::string member = {};
    std::optional<std::string> instance = {};
    std::string type = "consumer";
    std::vector<std::pair<std::string, std::string>> protocols = {{"range", "m"}};
    int32_t session_ms = 10'000;
    int32_t rebalance_ms = 60'000;
    int16_t version = 9;
    std::string client = "client";
    std::optional<std::string> reason = {};
};
struct SyncSpec {
    std::string group = "g";
    std::string member;
    int32_t generation = 0;
    std::vector<std::pair<std::string, std::string>> assignments = {};
    std::optional<std::string> instance = {}, type = {}, protocol = {};
};
struct Leaving {
    std::string member;
    std::optional<std::string> instance = {};
};
struct CommitSpec {
    std::string group = "g";
    std::string member = {};
    int32_t generation = -1;
    std::string topic = "t";
    int32_t partition = 0;
    int64_t offset = 0;
    std::optional<std::string> metadata = "";
    int32_t leader_epoch = -1;
    Uuid topic_id = {};
    int64_t retention_ms = -1;
    int16_t version = 8;
    std::optional<std::string> instance = {};
};

class Lab {
 public:
    explicit Lab(GroupOptions options = {}) : options(options) {
        log.clock = &time;
        begin();
        load();
    }
    ~Lab() { end(); }

    // -- Life. --
    void begin() {
        coordinator = std::make_unique<GroupCoordinator>(options, log, ids, logger);
        run_ended_ = false;
        watch(coordinator->run(), run_ended_).detach();
    }
    void load() {
        for (const auto& record : log.committed) replay(*coordinator, record);
        coordinator->loaded(time);
    }
    void end() {
        coordinator->resign();
        if (log.is_held()) log.release();
        REQUIRE(run_ended_);
        coordinator.reset();
    }
    // The process dies and comes back: what was committed is all there is.
    void restart() {
        end();
        begin();
        load();
    }
    static void replay(GroupCoordinator& into, const FakeLog::Owned& record) {
        into.replay(as_bytes(record.key),
                    record.value ? std::optional(as_bytes(*record.value)) : std::nullopt);
    }
    bool run_ended() const { return run_ended_; }

    // Time passes, with a tick at every deadline.
    void pass(int64_t ms) {
        const int64_t end = time.now_ms + ms;
        while (true) {
            const auto next = coordinator->next_deadline_ms();
            if (!next || *next > end) break;
            set_now(std::max(*next, time.now_ms));
            coordinator->tick(time);
        }
        set_now(end);
    }

    // -- Calls. --
    CallOf<wire::JoinGroupResponse> join(const JoinSpec& spec) {
        auto call = new_call<wire::JoinGroupResponse>();
        Arena& in = call->memory;
        auto protocols = in.make<wire::JoinGroupRequest::Protocol>(spec.protocols.size());
        for (size_t i = 0; i < protocols.size(); i++)
            protocols[i] = {in.copy(spec.protocols[i].first), in.copy(as_bytes(spec.protocols[i].second))};
        const wire::JoinGroupRequest request{.group_id = in.copy(spec.group),
                                             .session_timeout_ms = spec.session_ms,
                                             .rebalance_timeout_ms = spec.rebalance_ms,
                                             .member_id = in.copy(spec.member),
                                             .group_instance_id = copy(in, spec.instance),
                                             .protocol_type = in.copy(spec.type),
                                             .protocols = protocols,
                                             .reason = copy(in, spec.reason)};
        follow(coordinator->join(request, context(spec.version, in.copy(spec.client)), in), *call).detach();
        return call;
    }
    CallOf<wire::SyncGroupResponse> sync(const SyncSpec& spec) {
        auto call = new_call<wire::SyncGroupResponse>();
        Arena& in = call->memory;
        auto dealt = in.make<wire::SyncGroupRequest::Assignment>(spec.assignments.size());
        for (size_t i = 0; i < dealt.size(); i++)
            dealt[i] = {in.copy(spec.assignments[i].first), in.copy(as_bytes(spec.assignments[i].second))};
        const wire::SyncGroupRequest request{.group_id = in.copy(spec.group),
                                             .generation_id = spec.generation,
                                             .member_id = in.copy(spec.member),
                                             .group_instance_id = copy(in, spec.instance),
                                             .protocol_type = copy(in, spec.type),
                                             .protocol_name = copy(in, spec.protocol),
                                             .assignments = dealt};
        follow(coordinator->sync(request, context(5), in), *call).detach();
        return call;
    }
    Error heartbeat(std::string_view member, int32_t generation, std::string_view group = "g",
                    std::optional<std::string_view> instance = {}) {
        return coordinator
            ->heartbeat({.group_id = group,
                         .generation_id = generation,
                         .member_id = member,
                         .group_instance_id = instance},
                        context(4))
            .error_code;
    }
    CallOf<wire::LeaveGroupResponse> leave(const std::vector<Leaving>& who, int16_t version = 5,
                                           std::string_view group = "g") {
        auto call = new_call<wire::LeaveGroupResponse>();
        Arena& in = call->memory;
        auto members = in.make<wire::LeaveGroupRequest::Member>(version < 3 ? 0 : who.size());
        for (size_t i = 0; i < members.size(); i++)
            members[i] = {.member_id = in.copy(who[i].member),
                          .group_instance_id = copy(in, who[i].instance)};
        const wire::LeaveGroupRequest request{.group_id = in.copy(group),
                                              .member_id = version < 3 ? in.copy(who[0].member) : "",
                                              .members = members};
        follow(coordinator->leave(request, context(version), in), *call).detach();
        return call;
    }
    CallOf<wire::OffsetCommitResponse> commit(const CommitSpec& spec) {
        auto call = new_call<wire::OffsetCommitResponse>();
        Arena& in = call->memory;
        auto partitions = in.make<wire::OffsetCommitRequest::Partition>(1);
        partitions[0] = {.partition_index = spec.partition,
                         .committed_offset = spec.offset,
                         .committed_leader_epoch = spec.leader_epoch,
                         .committed_metadata = copy(in, spec.metadata)};
        auto topics = in.make<wire::OffsetCommitRequest::Topic>(1);
        topics[0] = {.name = in.copy(spec.topic), .topic_id = spec.topic_id, .partitions = partitions};
        const wire::OffsetCommitRequest request{.group_id = in.copy(spec.group),
                                                .generation_id_or_member_epoch = spec.generation,
                                                .member_id = in.copy(spec.member),
                                                .group_instance_id = copy(in, spec.instance),
                                                .retention_time_ms = spec.retention_ms,
                                                .topics = topics};
        follow(coordinator->commit_offsets(request, context(spec.version), in), *call).detach();
        return call;
    }
    CallOf<wire::OffsetDeleteResponse> delete_offset(std::string_view group, std::string_view topic,
                                                     int32_t partition) {
        auto call = new_call<wire::OffsetDeleteResponse>();
        Arena& in = call->memory;
        auto partitions = in.make<wire::OffsetDeleteRequest::Partition>(1);
        partitions[0].partition_index = partition;
        auto topics = in.make<wire::OffsetDeleteRequest::Topic>(1);
        topics[0] = {.name = in.copy(topic), .partitions = partitions};
        follow(coordinator->delete_offsets({.group_id = in.copy(group), .topics = topics}, context(0), in),
               *call)
            .detach();
        return call;
    }
    CallOf<Error> delete_group(std::string_view group) {
        auto call = new_call<Error>();
        follow(coordinator->delete_group(call->memory.copy(group), context(2)), *call).detach();
        return call;
    }
    CallOf<Error> topic_deleted(std::string_view topic) {
        auto call = new_call<Error>();
        follow(coordinator->topic_deleted(call->memory.copy(topic), time), *call).detach();
        return call;
    }

    // -- Short questions. --
    wire::DescribeGroupsResponse::Group describe(std::string_view group = "g", int16_t version = 6) {
        return coordinator->describe(group, context(version), reading);
    }
    std::string state(std::string_view group = "g") { return std::string(describe(group).group_state); }
    int64_t offset(std::string_view group, std::string_view topic, int32_t partition, Uuid topic_id = {}) {
        return fetch(group, topic, partition, topic_id).committed_offset;
    }
    wire::OffsetFetchResponse::GroupPartition fetch(std::string_view group, std::string_view topic,
                                                    int32_t partition, Uuid topic_id = {}) {
        auto topics = reading.make<wire::OffsetFetchRequest::GroupTopic>(1);
        auto partitions = reading.make<int32_t>(1);
        partitions[0] = partition;
        topics[0] = {.name = topic, .topic_id = topic_id, .partition_indexes = partitions};
        const auto reply = coordinator->fetch_offsets({.group_id = group, .topics = topics}, reading);
        REQUIRE(reply.topics.size() == 1);
        return reply.topics[0].partitions[0];
    }
    Error commit_now(const CommitSpec& spec) {
        auto call = commit(spec);
        return (*call)->topics[0].partitions[0].error_code;
    }
    // A new member's id, by the round of KIP-394.
    std::string new_id(JoinSpec spec = {}) {
        auto call = join(spec);
        REQUIRE((*call)->error_code == Error::member_id_required);
        return std::string((*call)->member_id);
    }
    // Everything that the records say, as text: two coordinators with the same text are in the same state.
    std::string durable_text() {
        std::string text;
        Arena out;
        const auto listed = coordinator->list({}, out);  // In the order of their names.
        for (const auto& group : listed.groups) {
            const auto described = coordinator->describe(group.group_id, context(6), out);
            for (std::string_view part : {described.group_id, described.group_state, described.protocol_type,
                                          described.protocol_data})
                (text += part) += ' ';
            for (const auto& member : described.members) {
                for (std::string_view part :
                     {member.member_id, member.group_instance_id.value_or("-"), member.client_id,
                      member.client_host, as_text(member.member_metadata), as_text(member.member_assignment)})
                    (text += part) += '/';
                text += ' ';
            }
            text += "\n";
        }
        coordinator->each_committed([&text](const CommittedOffset& of) {
            text += std::string(of.group) + " " + std::string(of.topic) + "-" + std::to_string(of.partition) +
                    "=" + std::to_string(of.offset) + "@" + std::to_string(of.commit_ms) +
                    std::string(of.metadata) + "\n";
        });
        return text;
    }
    GroupContext context(int16_t version, std::string_view client = "client") const {
        return {.client_id = client, .client_host = "/127.0.0.1", .version = version, .time = time};
    }

    GroupOptions options;
    GroupTime time{.now_ms = 1'000'000, .wall_ms = 1'700'000'000'000};
    FakeLog log;
    CountingIds ids;
    Lines lines;
    Logger logger{lines, "1"};
    std::unique_ptr<GroupCoordinator> coordinator;
    Arena reading;

 private:
    static Task<> watch(Task<> task, bool& ended) {
        co_await task;
        ended = true;
    }
    template <class Response> CallOf<Response> new_call() {
        auto call = std::make_shared<Call<Response>>();
        calls_.push_back(call);
        return call;
    }
    static std::optional<std::string_view> copy(Arena& in, const std::optional<std::string>& text) {
        if (!text) return {};
        return in.copy(*text);
    }
    void set_now(int64_t now_ms) {
        time.wall_ms += now_ms - time.now_ms;
        time.now_ms = now_ms;
    }

    std::vector<std::shared_ptr<void>> calls_;
    bool run_ended_ = false;
};

using JoinCall = CallOf<wire::JoinGroupResponse>;
using SyncCall = CallOf<wire::SyncGroupResponse>;

// A member that has come through join and sync.
struct Settled {
    std::string id;
    int32_t generation = 0;
    std::string assignment;
};

// Brings a group from where it is to Stable with these members rejoining (or coming, when the id is empty);
// each is assigned "a:" and its id.
inline std::vector<Settled> settle(Lab& lab, std::vector<JoinSpec> specs) {
    std::vector<JoinCall> joins;
    for (JoinSpec& spec : specs) {
        if (spec.version >= 4 && spec.member.empty() && !spec.instance) spec.member = lab.new_id(spec);
        joins.push_back(lab.join(spec));
    }
    const auto waits = [&joins] {
        return !std::ranges::all_of(joins, [](const JoinCall& call) { return call->done(); });
    };
    for (int step = 0; waits() && step < 100; step++) lab.pass(step == 0 ? 0 : 500);
    SyncSpec leader{.group = specs[0].group};
    for (const JoinCall& call : joins) {
        REQUIRE((*call)->error_code == Error::none);
        if ((*call)->leader != (*call)->member_id) continue;
        leader.member = (*call)->member_id;
        for (const auto& member : (*call)->members)
            leader.assignments.emplace_back(member.member_id, "a:" + std::string(member.member_id));
    }
    std::vector<SyncCall> syncs;
    for (const JoinCall& call : joins) {
        SyncSpec spec{.group = specs[0].group, .member = std::string((*call)->member_id)};
        if (spec.member == leader.member) spec = leader;
        spec.generation = (*call)->generation_id;
        syncs.push_back(lab.sync(spec));
    }
    std::vector<Settled> settled;
    for (size_t i = 0; i < joins.size(); i++) {
        REQUIRE((*syncs[i])->error_code == Error::none);
        settled.push_back({std::string((*joins[i])->member_id), (*joins[i])->generation_id,
                           std::string(as_text((*syncs[i])->assignment))});
    }
    return settled;
}

}  // namespace millrace::test
