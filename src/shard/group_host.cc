// A group coordinator at work: see the header.
#include "millrace/group_host.h"

#include "millrace/batch.h"

namespace millrace {
namespace {

constexpr size_t replay_read_bytes = 1 << 20;
constexpr size_t retired_max = 16;
constexpr uint64_t append_grace_ns = 1'000'000'000, stop_step_ns = 1'000'000;

GroupOptions group_options(const BrokerConfig& config) {
    return {
        .group_min_session_timeout_ms = config.group_min_session_timeout_ms,
        .group_max_session_timeout_ms = config.group_max_session_timeout_ms,
        .group_initial_rebalance_delay_ms = config.group_initial_rebalance_delay_ms,
        .group_max_size = config.group_max_size,
        .offset_metadata_max_bytes = config.offset_metadata_max_bytes,
        .offsets_retention_minutes = config.offsets_retention_minutes,
        .offsets_retention_check_interval_ms = config.offsets_retention_check_interval_ms,
    };
}

}  // namespace

GroupHost::GroupHost(Shard& shard, Slot slot)
    : shard_(shard), slot_(slot), options_(group_options(shard.config())) {
    begin();
}

GroupHost::~GroupHost() = default;

void GroupHost::begin() {
    if (coordinator_) retired_.push_back(std::move(coordinator_));
    if (retired_.size() > retired_max) retired_.erase(retired_.begin());
    coordinator_ = std::make_unique<GroupCoordinator>(options_, static_cast<RecordLog&>(*this),
                                                      static_cast<IdSource&>(*this), shard_.io().log());
}

Partition* GroupHost::partition() {
    Hosted* hosted = shard_.hosted(slot_);
    return hosted ? hosted->partition.get() : nullptr;
}

GroupTime GroupHost::now() const {
    return {.now_ms = static_cast<int64_t>(shard_.io().now_ns() / 1'000'000),
            .wall_ms = shard_.io().wall_ms()};
}

Task<> GroupHost::live() {
    living_ = true;
    while (!stopping_) {
        const auto replayed = co_await replay();
        if (!replayed || stopping_) break;
        coordinator_->loaded(now());
        set_deadline();
        auto running = coordinator_->run();
        co_await running;
        if (!stopping_) begin();
    }
    coordinator_->resign();
    living_ = false;
    ended_.notify_all();
}

void GroupHost::resign() {
    stopping_ = true;
    if (is_set()) shard_.deadlines().drop(*this);
    coordinator_->resign();
}

// An append that is under way mostly ends soon. While a disk is full it does not, and is not waited for.
Task<> GroupHost::stop() {
    resign();
    const uint64_t until_ns = shard_.io().now_ns() + append_grace_ns;
    while (living_ && shard_.io().now_ns() < until_ns) co_await sleep_for(shard_.io(), stop_step_ns);
    if (Partition* partition = this->partition(); living_ && partition)
        partition->resign(Error::not_coordinator);
    while (living_) co_await ended_;
    while (touched_.is_posted) co_await sleep_for(shard_.io(), 1);  // The letter is ours until delivered.
}

Task<Result<>> GroupHost::replay() {
    Partition* partition = this->partition();
    Offset from = partition ? partition->log_start() : Offset{0};
    while ((partition = this->partition()) && !stopping_) {
        const Offset limit = partition->high_watermark();
        if (from >= limit) co_return Result<>{};
        auto slice =
            co_await partition->log().read({.from = from, .max_bytes = replay_read_bytes, .limit = limit});
        if (!slice) {
            shard_.io().log().error("shard", "group offsets not readable",
                                    {{"slot", slot_}, {"error", slice.error()}});
            co_return slice.error();
        }
        if (slice->empty()) co_return Result<>{};
        if (stopping_) break;
        replay_slice(*slice);
        from = slice->next();
    }
    co_return Error::not_coordinator;
}

void GroupHost::replay_slice(const Slice& slice) {
    std::vector<uint8_t> whole;
    for (Bytes piece : slice.pieces()) whole.insert(whole.end(), piece.begin(), piece.end());
    Decompressor decompressor;
    BatchReader batches{whole};
    while (const auto batch = batches.next()) {
        if (batch->is_control()) continue;
        auto records = RecordReader::open(*batch, decompressor);
        if (!records) continue;
        while (const auto record = records->next())
            if (record->key) coordinator_->replay(*record->key, record->value);
    }
}

Task<Result<GroupTime>> GroupHost::append(std::span<const Record> records, int64_t wall_ms) {
    BatchBuilder builder;
    for (const Record& record : records)
        builder.add({.timestamp = wall_ms, .key = record.key, .value = record.value, .headers = {}});
    const std::vector<uint8_t> batch = builder.build();
    auto waiting = shard_.room_for_own();
    const auto entered = co_await waiting;
    // Nothing was appended, which the coordinator knows by another name.
    if (!entered) co_return Error::not_enough_replicas;
    Partition* partition = this->partition();
    if (!partition) co_return Error::not_coordinator;
    const auto appended = partition->append(batch);
    if (!appended) co_return appended.error();
    const auto committed = co_await partition->acknowledged(appended->last + 1, Acks::all, no_deadline);
    if (!committed) co_return committed.error();
    co_return now();
}

void GroupHost::on_deadline() {
    coordinator_->tick(now());
    set_deadline();
}

void GroupHost::touch() {
    if (std::exchange(touched_.is_posted, true)) return;
    shard_.io().post(shard_.id(), touched_);
}

void GroupHost::Touched::deliver() {
    is_posted = false;
    host.set_deadline();
}

void GroupHost::set_deadline() {
    const auto deadline_ms = coordinator_->next_deadline_ms();
    if (is_set()) {
        if (deadline_ms == deadline_ms_) return;
        shard_.deadlines().drop(*this);
    }
    if (!deadline_ms || stopping_) return;
    deadline_ms_ = *deadline_ms;
    shard_.deadlines().set(*this, static_cast<uint64_t>(deadline_ms_) * 1'000'000);
}

}  // namespace millrace
