// Bytes in motion between the two ends of a connection: windows, pieces, arrivals in order.
#include <cerrno>

#include "network.h"
#include "sim_io.h"

namespace millrace::sim {

// ---- Receiving ----------------------------------------------------------------------------------------

void Network::receive(SimIo& io, Op& op, uint64_t id) {
    End* const end = end_of(io.process(), op.fd);
    if (!end) return refuse(io, id, -EBADF);
    ASSERT(!end->receive);
    end->receive = {&io, id};
    plan_receive(sockets_.at({io.process().number(), op.fd}));
}

void Network::plan_receive(EndRef ref) {
    End& end = *end_at(ref);
    const bool has_news = !end.inbox.empty() || end.was_ended || end.was_reset || end.shut;
    if (!end.receive || !has_news || std::exchange(end.receive_planned, true)) return;
    end.receive->io->later(soon_ns(), [this, ref] { pump_receive(ref); });
}

void Network::pump_receive(EndRef ref) {
    End* const found = end_at(ref);
    if (!found) return;
    End& end = *found;
    end.receive_planned = false;
    if (!end.receive) return;
    const Waiting waiting = *end.receive;
    if (end.inbox.empty() || end.was_reset) {
        if (!end.was_reset && !end.was_ended && !end.shut) return;
        end.receive.reset();
        return waiting.io->complete(waiting.id, {.value = end.was_reset ? -ECONNRESET : 0});
    }
    const size_t limit =
        std::min<size_t>({end.inbox.size(), options_.receive_buffer_size, options_.piece_max});
    const size_t size = faults_.below(2) ? limit : 1 + faults_.below(limit);
    const std::vector<uint8_t> bytes(end.inbox.begin(), end.inbox.begin() + static_cast<ptrdiff_t>(size));
    const auto filled = waiting.io->fill_buffer(bytes);
    if (!filled) {
        end.receive.reset();
        return waiting.io->complete(waiting.id, {.value = -ENOBUFS});
    }
    end.inbox.erase(end.inbox.begin(), end.inbox.begin() + static_cast<ptrdiff_t>(size));
    if (End* peer = end_at(ref.peer())) peer->window_used -= size;
    plan_send(ref.peer());
    const bool more = goes_on(true);
    if (!more) end.receive.reset();
    plan_receive(ref);
    waiting.io->complete(
        waiting.id,
        {.value = static_cast<int32_t>(size), .more = more, .data = filled->second, .buffer = filled->first});
}

// ---- Sending ------------------------------------------------------------------------------------------

void Network::send(SimIo& io, Op& op, uint64_t id) {
    End* const end = end_of(io.process(), op.fd);
    if (!end) return refuse(io, id, -EBADF);
    ASSERT(!end->send);
    end->send = {&io, id};
    plan_send(sockets_.at({io.process().number(), op.fd}));
}

void Network::plan_send(EndRef ref) {
    End* const end = end_at(ref);
    if (!end || !end->send || std::exchange(end->send_planned, true)) return;
    end->send->io->later(soon_ns(), [this, ref] { pump_send(ref); });
}

std::optional<int32_t> Network::refused_send(const End& end) const {
    if (end.was_reset) return -ECONNRESET;
    if (end.shut) return -EPIPE;
    return {};
}

void Network::pump_send(EndRef ref) {
    End* const found = end_at(ref);
    if (!found) return;
    End& end = *found;
    end.send_planned = false;
    if (!end.send) return;
    const Waiting waiting = *end.send;
    if (const auto refused = refused_send(end)) {
        end.send.reset();
        return waiting.io->complete(waiting.id, {.value = *refused});
    }
    if (end.window_used >= options_.window_bytes) return;  // The receiver will make room.
    size_t size = options_.window_bytes - end.window_used;
    if (faults_.chance(options_.short_send)) size = 1 + faults_.below(size);
    const bool buffer_was_left_alone = waiting.io->has_unchanged_data(waiting.id);
    ASSERT(buffer_was_left_alone);
    std::vector<uint8_t> bytes = take_from(end, size);
    const auto sent = static_cast<int32_t>(bytes.size());
    end.window_used += bytes.size();
    end.send.reset();
    transmit(ref, std::move(bytes));
    if (faults_.chance(options_.reset)) break_connection(ref);
    waiting.io->complete(waiting.id, {.value = sent});
}

// The first bytes, at most `size`, of what is being sent.
std::vector<uint8_t> Network::take_from(End& end, size_t size) {
    std::vector<uint8_t> bytes;
    const Op& op = *end.send->io->under_way(end.send->id);
    for (const Piece& piece : std::span(op.pieces, op.piece_count)) {
        const auto* data = static_cast<const uint8_t*>(piece.data);
        bytes.insert(bytes.end(), data, data + std::min(piece.size, size - bytes.size()));
        if (bytes.size() == size) break;
    }
    return bytes;
}

void Network::transmit(EndRef from, std::vector<uint8_t> bytes) {
    for (size_t at = 0; at < bytes.size();) {
        const size_t limit = std::min<size_t>(bytes.size() - at, options_.piece_max);
        const size_t size = delays_.below(2) ? limit : 1 + delays_.below(limit);
        const auto begin = bytes.begin() + static_cast<ptrdiff_t>(at);
        dispatch(from, {.bytes = {begin, begin + static_cast<ptrdiff_t>(size)}});
        at += size;
    }
}

// Segments of one direction arrive in order.
void Network::dispatch(EndRef from, Segment segment) {
    End& end = *end_at(from);
    const uint64_t wire_ns = segment.bytes.size() * 1'000'000'000 / options_.bytes_per_second;
    end.last_arrival_ns = std::max(end.last_arrival_ns, queue_.now_ns() + latency_ns()) + wire_ns;
    end.flying.push_back(std::move(segment));
    queue_.at(end.last_arrival_ns, [this, from] { arrive(from); });
}

void Network::arrive(EndRef from) {
    const auto connection = connections_.find(from.connection);
    if (connection == connections_.end()) return;
    End& sender = connection->second.ends[from.side];
    End& end = connection->second.ends[1 - from.side];
    if (is_unreachable(sender, end)) return void(sender.held++);
    const Segment segment = std::move(sender.flying.front());
    sender.flying.pop_front();
    if (!end.process || end.shut) {  // Nobody will read it.
        if (!segment.is_end) dispatch_reset(from.peer());
        return;
    }
    end.inbox.insert(end.inbox.end(), segment.bytes.begin(), segment.bytes.end());
    if (segment.is_end) end.was_ended = true;
    plan_receive(from.peer());
}

// A reset does not wait for what was sent before it.
void Network::dispatch_reset(EndRef from) {
    queue_.after(latency_ns(), [this, from] {
        End* const sender = end_at(from);
        if (!sender) return;
        sender->is_reset_held = is_cut(sender->host, end_at(from.peer())->host);
        if (!sender->is_reset_held) reset(from.peer());
    });
}

}  // namespace millrace::sim
