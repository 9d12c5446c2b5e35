// `millrace group`: list, describe, lag.
#include <fmt/format.h>

#include "session.h"

namespace millrace::cli {

namespace {

std::string assignment_text(const TopicPartitions& assignment) {
    std::string text;
    for (const auto& [topic, partitions] : assignment) {
        text += (text.empty() ? "" : " ") + topic + "[";
        for (size_t i = 0; i < partitions.size(); i++)
            text += (i == 0 ? "" : ",") + std::to_string(partitions[i]);
        text += "]";
    }
    return text.empty() ? "-" : text;
}

// A group that nobody knows is described as Dead by older brokers.
bool is_absent(const DescribedGroup& group) {
    return group.outcome.error == Error::group_id_not_found || group.state == "Dead";
}

Task<int> list(Session& session) {
    const Result<std::vector<ListedGroup>> groups = co_await list_groups(session.client);
    if (!groups) co_return session.fail("cannot list groups", groups.error());
    Table table{.columns = {{"group"}, {"state"}, {"type"}, {"protocol_type"}}};
    for (const ListedGroup& group : *groups)
        table.rows.push_back({group.group, group.state, group.type, group.protocol_type});
    print_table(table, session.format);
    co_return exit_ok;
}

Task<int> describe_one(Session& session, std::string name, Table& table) {
    const DescribedGroup group = co_await describe_group(session.client, name);
    if (is_absent(group)) co_return session.fail("cannot describe " + name, Error::group_id_not_found);
    if (!group.outcome.ok()) co_return session.fail("cannot describe " + name, group.outcome.error);
    for (const DescribedMember& member : group.members)
        table.rows.push_back({name, group.state, member.id, member.instance_id.value_or("-"),
                              member.client_id, member.host, assignment_text(member.assignment)});
    if (group.members.empty()) table.rows.push_back({name, group.state, "-", "-", "-", "-", "-"});
    co_return exit_ok;
}

Task<int> describe(Session& session) {
    Table table{
        .columns = {{"group"}, {"state"}, {"member"}, {"instance"}, {"client"}, {"host"}, {"assignment"}}};
    int first_failure = exit_ok;
    for (const std::string& name : session.arguments.words) {
        const int code = co_await describe_one(session, name, table);
        if (first_failure == exit_ok) first_failure = code;
    }
    if (!table.rows.empty()) print_table(table, session.format);
    const bool partly = first_failure != exit_ok && !table.rows.empty();
    co_return partly ? static_cast<int>(exit_partly_done) : first_failure;
}

Task<int> lag_of(Session& session, std::string name, Table& table) {
    const Result<TopicOffsets> offsets = co_await committed_offsets(session.client, name);
    if (!offsets) co_return session.fail("cannot read offsets of " + name, offsets.error());
    if (offsets->empty()) {
        const DescribedGroup group = co_await describe_group(session.client, name);
        if (is_absent(group)) co_return session.fail("cannot show " + name, Error::group_id_not_found);
    }
    for (const auto& [topic, partitions] : *offsets) {
        for (const auto& [partition, committed] : partitions) {
            const Result<int64_t> end = co_await session.client.list_offset(topic, partition, -1);
            const std::string end_text = end ? std::to_string(*end) : "-";
            const std::string lag = end ? std::to_string(std::max<int64_t>(0, *end - committed)) : "-";
            table.rows.push_back(
                {name, topic, std::to_string(partition), std::to_string(committed), end_text, lag});
        }
    }
    co_return exit_ok;
}

Task<int> lag(Session& session) {
    Table table{.columns = {{"group"},
                            {"topic"},
                            {"partition", true},
                            {"committed", true},
                            {"end_offset", true},
                            {"lag", true}}};
    int first_failure = exit_ok;
    for (const std::string& name : session.arguments.words) {
        const int code = co_await lag_of(session, name, table);
        if (first_failure == exit_ok) first_failure = code;
    }
    if (first_failure == exit_ok || !table.rows.empty()) print_table(table, session.format);
    const bool partly = first_failure != exit_ok && !table.rows.empty();
    co_return partly ? static_cast<int>(exit_partly_done) : first_failure;
}

}  // namespace

int run_group_list(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, list); }
int run_group_describe(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, describe); }
int run_group_lag(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, lag); }

}  // namespace millrace::cli
