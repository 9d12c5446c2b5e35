// Ops in, outcomes out after random delays; nothing after the crash.
#include "sim_io.h"

#include <cerrno>

#include <fmt/core.h>

#include "network.h"

namespace millrace::sim {

namespace {

constexpr Between timer_late_ns{0, 60'000};
constexpr Between cancel_ns{500, 20'000};

bool is_socket_kind(Op::Kind kind) { return kind <= Op::Kind::shutdown; }

constexpr std::string_view kind_names[] = {
    "listen", "accept", "connect",        "receive", "send", "shutdown",       "close",
    "sleep",  "open",   "read",           "write",   "sync", "allocate",       "truncate",
    "rename", "remove", "make_directory", "list",    "stat", "sync_directory", "disk_space"};
static_assert(std::size(kind_names) == static_cast<size_t>(Op::Kind::disk_space) + 1);

// The first bytes of what is written or sent, at most `limit`.
uint64_t hash_of_data(const Op& op, size_t limit) {
    if (op.kind == Op::Kind::write)
        return hash64({static_cast<const uint8_t*>(op.data), std::min(op.size, limit)});
    uint64_t hash = 0;
    if (op.kind != Op::Kind::send) return hash;
    for (const Piece& piece : std::span(op.pieces, op.piece_count)) {
        const size_t size = std::min(piece.size, limit);
        hash = hash64({static_cast<const uint8_t*>(piece.data), size}, hash);
        limit -= size;
        if (limit == 0) break;
    }
    return hash;
}

}  // namespace

SimIo::SimIo(Process& process, ShardId shard, uint64_t seed)
    : process_(process),
      shard_(shard),
      random_(mix(seed, 1)),
      memory_(mix(seed, 2)),
      log_(process.machine(), std::to_string(shard.value)),
      buffers_(process.machine().world_options().network.receive_buffers) {}

// ---- Io -----------------------------------------------------------------------------------------------

MemoryUse SimIo::memory_use() {
    constexpr uint64_t limit = 1 << 30;
    const bool is_short = memory_.chance(process_.machine().world_options().memory_short);
    return {.resident_bytes = limit / 4, .group_bytes = is_short ? limit : limit / 4, .group_max = limit};
}

void SimIo::submit(Op& op) {
    ASSERT(!op.under_way);
    if (process_.is_dead()) return;
    op.under_way = true;
    op.io_private = ++last_id_;
    if (op.buffer) op.buffer->fly();
    const size_t hashed =
        op.kind == Op::Kind::send ? process_.machine().network().options().window_bytes : SIZE_MAX;
    pending_[last_id_] = {&op, hashed, hash_of_data(op, hashed)};
    start(op, last_id_);
}

void SimIo::start(Op& op, uint64_t id) {
    Machine& machine = process_.machine();
    if (Files::is_file_kind(op.kind)) return start_file(op, id);
    if (is_socket_kind(op.kind)) return machine.network().start(*this, op, id);
    if (op.kind == Op::Kind::close)
        return later(machine.delays().between(cancel_ns), [this, id] { close(under_way(id)->fd, id); });
    ASSERT(op.kind == Op::Kind::sleep);
    const uint64_t late = machine.delays().between(timer_late_ns);
    later(op.size + late, [this, id] {
        if (under_way(id)) complete(id, {.value = 0});
    });
}

void SimIo::cancel(Op& op) {
    if (process_.is_dead()) return;
    ASSERT(op.under_way);
    const uint64_t id = op.io_private;
    ASSERT(under_way(id) == &op);
    if (is_socket_kind(op.kind)) process_.machine().network().cancel(*this, op, id);
    // What a disk has begun it finishes; a close is too quick to be cancelled.
    if (op.kind != Op::Kind::sleep && !is_socket_kind(op.kind)) return;
    later(process_.machine().delays().between(cancel_ns), [this, id] {
        if (under_way(id)) complete(id, {.value = -ECANCELED});
    });
}

void SimIo::give_back(ReceiveBuffer buffer) {
    if (process_.is_dead()) return;
    auto& bytes = buffers_.at(buffer.value);
    ASSERT(bytes);
    bytes.reset();
    buffers_out_--;
}

void SimIo::post(ShardId to, Letter& letter) {
    if (process_.is_dead()) return;
    Machine& machine = process_.machine();
    uint64_t& last_ns = process_.last_letter_ns(shard_, to);
    const uint64_t delay_ns = machine.delays().between(machine.world_options().network.letter_ns);
    last_ns = std::max(last_ns, machine.queue().now_ns() + delay_ns);
    SimIo& receiver = process_.io(to.value);
    receiver.later(last_ns - machine.queue().now_ns(), [&receiver, &letter, from = shard_] {
        receiver.process_.machine().queue().trace(0x1e77e5, from.value << 16 | receiver.shard_.value);
        receiver.process_.enter([&] { letter.deliver(); });
    });
}

uint64_t SimIo::now_ns() const { return process_.machine().queue().now_ns(); }
int64_t SimIo::wall_ms() const { return process_.machine().wall_ms(); }
uint16_t SimIo::shard_count() const { return process_.shard_count(); }

std::string SimIo::local_address(int fd) const {
    return process_.machine().network().local_address(process_, fd);
}
std::string SimIo::peer_address(int fd) const {
    return process_.machine().network().peer_address(process_, fd);
}

// ---- Events -------------------------------------------------------------------------------------------

void SimIo::later(uint64_t delay_ns, std::function<void()> event) {
    Queue& queue = process_.machine().queue();
    queue.after(delay_ns, [this, &queue, event = std::move(event)]() mutable {
        if (process_.is_dead()) return;
        const uint64_t paused_until_ns = process_.machine().paused_until_ns();
        if (paused_until_ns > queue.now_ns())
            return later(paused_until_ns - queue.now_ns(), std::move(event));
        event();
    });
}

Op* SimIo::under_way(uint64_t id) {
    const auto it = pending_.find(id);
    return it == pending_.end() ? nullptr : it->second.op;
}

void SimIo::complete(uint64_t id, Outcome outcome) {
    Op& op = *pending_.at(id).op;
    ASSERT(op.under_way && op.io_private == id);
    trace(op, outcome);
    if (!outcome.more) {
        pending_.erase(id);
        op.under_way = false;
        if (op.buffer) op.buffer->land();
    }
    process_.enter([&] { op.done(outcome); });
}

bool SimIo::has_unchanged_data(uint64_t id) {
    const Pending& pending = pending_.at(id);
    return hash_of_data(*pending.op, pending.hashed) == pending.data_hash;
}

void SimIo::trace(const Op& op, Outcome outcome) {
    Machine& machine = process_.machine();
    const auto place =
        process_.number() << 32 | uint64_t{shard_.value} << 16 | static_cast<uint64_t>(op.kind);
    uint64_t detail = static_cast<uint32_t>(outcome.value);
    if (!outcome.data.empty()) detail = hash64(outcome.data, detail);
    if (op.kind == Op::Kind::read && outcome.value > 0)
        detail = hash64({static_cast<const uint8_t*>(op.data), static_cast<size_t>(outcome.value)}, detail);
    machine.queue().trace(place, detail);
    if (!machine.world_options().print_trace) return;
    fmt::print(stderr, "{:>15} {} shard={} {} fd={} size={} offset={} value={} path={}\n",
               machine.queue().now_ns(), machine.host(), shard_.value,
               kind_names[static_cast<size_t>(op.kind)], op.fd, op.size, op.offset, outcome.value,
               op.path ? op.path : "-");
}

// ---- Files --------------------------------------------------------------------------------------------

void SimIo::start_file(Op& op, uint64_t id) {
    Machine& machine = process_.machine();
    if (Files::is_change(op)) {
        machine.machine_disk().count_change();
        machine.changed();
        if (process_.is_dead()) return;
    }
    later(machine.machine_disk().delay_ns(op.kind), [this, id] { finish_file(id); });
}

void SimIo::finish_file(uint64_t id) {
    Op& op = *under_way(id);
    if (op.kind == Op::Kind::write) {
        const bool buffer_was_left_alone = has_unchanged_data(id);
        ASSERT(buffer_was_left_alone);
    }
    const int fd = op.kind == Op::Kind::open ? process_.take_fd() : -1;
    complete(id, {.value = process_.files().execute(op, fd)});
}

void SimIo::close(int fd, uint64_t id) {
    for (const auto& [other, pending] : pending_) {
        const bool nothing_else_uses_the_descriptor = other == id || pending.op->fd != fd;
        ASSERT(nothing_else_uses_the_descriptor);
    }
    Files& files = process_.files();
    complete(id,
             {.value = files.owns(fd) ? files.close(fd) : process_.machine().network().close(process_, fd)});
}

// ---- Receive buffers ----------------------------------------------------------------------------------

std::optional<std::pair<ReceiveBuffer, Bytes>> SimIo::fill_buffer(Bytes bytes) {
    ASSERT(!bytes.empty());
    if (buffers_out_ == buffers_.size()) return {};
    while (buffers_[next_buffer_]) next_buffer_ = (next_buffer_ + 1) % buffers_.size();
    auto& buffer = buffers_[next_buffer_];
    buffer =
        std::make_unique_for_overwrite<uint8_t[]>(bytes.size());  // Exactly: sanitizers see what reads on.
    std::memcpy(buffer.get(), bytes.data(), bytes.size());
    buffers_out_++;
    return {{ReceiveBuffer{static_cast<uint16_t>(next_buffer_)}, Bytes{buffer.get(), bytes.size()}}};
}

// ---- Crashes ------------------------------------------------------------------------------------------

void SimIo::crash_files(Crash how) {
    for (auto& [id, pending] : pending_)
        if (Files::is_file_kind(pending.op->kind)) process_.files().crash(*pending.op, how);
}

void SimIo::forget() {
    for (auto& [id, pending] : pending_) {
        pending.op->under_way = false;
        if (pending.op->buffer) pending.op->buffer->land();
    }
    pending_.clear();
}

}  // namespace millrace::sim
