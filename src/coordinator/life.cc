// A coordinator's life: the append loop, time, resignation, and the moment when callers go on.
#include "state.h"

namespace millrace {

using coordinator::RecordQueue;

namespace {

// After these the log holds none of the records, for certain.
bool is_refusal(Error error) {
    switch (error) {
        case Error::not_enough_replicas:
        case Error::message_too_large:
        case Error::record_list_too_large:
        case Error::invalid_record:
        case Error::throttling_quota_exceeded: return true;
        default: return false;
    }
}

}  // namespace

Error append_error_for_client(Error error) {
    switch (error) {
        case Error::none:
        case Error::not_coordinator:
        case Error::coordinator_not_available:
        case Error::invalid_commit_offset_size: return error;
        case Error::message_too_large:
        case Error::record_list_too_large:
        case Error::invalid_record: return Error::unknown_server_error;
        case Error::not_leader_or_follower:
        case Error::kafka_storage_error: return Error::not_coordinator;
        default: return Error::coordinator_not_available;
    }
}

Error GroupCoordinator::State::refusal() const {
    switch (life) {
        case Life::loading: return Error::coordinator_load_in_progress;
        case Life::resigned: return Error::not_coordinator;
        case Life::serving: return Error::none;
    }
    return Error::unknown_server_error;
}

// Callers that go on may call again, from inside this loop: only the outermost settles.
void GroupCoordinator::State::settle() {
    if (settling) return;
    settling = true;
    while (true) {
        if (!replies.is_empty()) {
            replies.resume_all();
        } else if (work.has_waiters() && (!queue.is_empty() || life == Life::resigned)) {
            work.notify_all();
        } else {
            break;
        }
    }
    settling = false;
}

Task<> GroupCoordinator::State::append_loop() {
    while (true) {
        while (queue.is_empty() && life != Life::resigned) co_await work;
        if (queue.is_empty()) break;
        const RecordQueue::Batch batch = queue.take();
        const std::vector<RecordLog::Record> records = batch.records();
        const Result<GroupTime> result = co_await log.append(records, batch.wall_ms);
        end_of_append(batch, result);
        settle();
    }
}

void GroupCoordinator::State::end_of_append(const RecordQueue::Batch& batch,
                                            const Result<GroupTime>& result) {
    stats.appends++;
    if (result) {
        time = {std::max(time.now_ms, result->now_ms), result->wall_ms};
    } else {
        stats.append_failures++;
        if (life == Life::serving)
            logger.error("coordinator", "group records were not appended", {{"error", result.error()}});
        if (!is_refusal(result.error())) resign();
    }
    if (result && life == Life::serving)
        for (const RecordLog::Record& record : batch.records()) apply(record.key, record.value);
    for (const RecordQueue::Done& done : batch.proposals) done(append_error_for_client(result.error()));
}

void GroupCoordinator::State::resign() {
    if (life == Life::resigned) return;
    life = Life::resigned;
    retention.disarm();
    for (auto& [id, group] : groups)
        for (Member& member : group->members()) {
            group->answer_join(member, {.error_code = Error::not_coordinator,
                                        .member_id = member.join ? member.join->out().copy(member.id) : ""});
            answer_sync(member, {.error_code = Error::not_coordinator});
        }
    groups.clear();
    queue.fail_all(Error::not_coordinator);
}

void GroupCoordinator::State::tick() {
    if (life != Life::serving) return;
    while (Timer* timer = timers.pop_due(time.now_ms)) fire(*timer);
}

void GroupCoordinator::State::fire(Timer& timer) {
    switch (timer.kind) {
        case Timer::Kind::session: return session_ended(*timer.group, *timer.member);
        case Timer::Kind::pending: return pending_ended(*timer.group, *timer.pending_id);
        case Timer::Kind::join: return end_of_join_wait(*timer.group);
        case Timer::Kind::sync: return end_of_sync_wait(*timer.group);
        case Timer::Kind::retention: return expire_offsets();
    }
}

// ---- The public face -----------------------------------------------------------------------------------

GroupCoordinator::GroupCoordinator(const GroupOptions& options, RecordLog& log, IdSource& ids, Logger& logger)
    : state_(std::make_unique<State>(options, log, ids, logger)) {}
GroupCoordinator::~GroupCoordinator() = default;

void GroupCoordinator::replay(Bytes key, std::optional<Bytes> value) {
    ASSERT(state_->life == State::Life::loading);
    state_->apply(key, value);
}

void GroupCoordinator::loaded(GroupTime time) {
    ASSERT(state_->life == State::Life::loading);
    state_->life = State::Life::serving;
    state_->time = time;
    for (auto& [id, group] : state_->groups) {
        for (Member& member : group->members()) state_->extend_session(member);
        if (group->members().size() > static_cast<size_t>(state_->options.group_max_size))
            state_->prepare_rebalance(*group, "the loaded group is above group.max.size");
    }
    state_->retention.arm(time.now_ms + state_->options.offsets_retention_check_interval_ms);
    state_->settle();
}

Task<> GroupCoordinator::run() { return state_->append_loop(); }

void GroupCoordinator::resign() {
    state_->resign();
    state_->settle();
}

bool GroupCoordinator::resigned() const { return state_->life == State::Life::resigned; }

std::optional<int64_t> GroupCoordinator::next_deadline_ms() const { return state_->timers.next_ms(); }

void GroupCoordinator::tick(GroupTime time) {
    state_->time = time;
    state_->tick();
    state_->settle();
}

const GroupStats& GroupCoordinator::stats() const { return state_->stats; }

}  // namespace millrace
