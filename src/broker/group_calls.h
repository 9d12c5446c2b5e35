// A call to a group's coordinator: it crosses to the shard where the group's partition of
// `__consumer_offsets` lives, and comes back with an answer that lies in an arena of its own.
#pragma once
#include <functional>

#include "call.h"
#include "millrace/group_host.h"

namespace millrace {

template <class R> using GroupWork = std::function<Task<R>(GroupCoordinator&, GroupContext, Arena&)>;

// The client's address as Kafka shows it in a group: "/127.0.0.1".
std::string group_client_host(const ConnectionContext& connection);

// The place of a group's coordinator; none while `__consumer_offsets` does not exist.
struct GroupPlace {
    int32_t partition;
    ShardId home;
};
std::optional<GroupPlace> place_of_group(const Shard& shard, std::string_view group);

// On the home shard.
template <class R>
Task<R> run_group_work(Shard& home, int32_t partition, GroupContext context, Arena& out,
                       const GroupWork<R>& work, const std::function<R(Error)>& refuse) {
    GroupHost* host = home.group_host(partition);
    if (!host) co_return refuse(Error::not_coordinator);
    context.time = host->now();
    host->touch();
    auto working = work(host->coordinator(), context, out);
    auto result = co_await working;
    if (GroupHost* still = home.group_host(partition)) still->touch();
    co_return result;
}

// `work` runs on the home shard: what it captures stays put, as the caller waits. `refuse` makes the answer
// when there is no coordinator. `out` must outlive the reply: the caller holds it (Call::hold_arena).
template <class R>
Task<R> call_group(Call& call, std::string_view group, Arena& out, GroupWork<R> work,
                   std::function<R(Error)> refuse) {
    const auto place = place_of_group(call.shard, group);
    if (!place) co_return refuse(Error::coordinator_not_available);
    const std::string host = group_client_host(call.connection);
    const GroupContext context{
        .client_id = call.client_id(), .client_host = host, .version = call.version(), .time = {}};
    auto calling = call.shard.on<R>(place->home, [&](Shard& home) {
        return run_group_work<R>(home, place->partition, context, out, work, refuse);
    });
    co_return co_await calling;
}

}  // namespace millrace
