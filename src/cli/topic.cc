// `millrace topic`: create, list, describe, delete.
#include <cstdio>

#include <fmt/format.h>

#include "millrace/config.h"
#include "millrace/host.h"
#include "session.h"

namespace millrace::cli {

namespace {

std::string numbers(std::span<const int32_t> list) {
    std::string text;
    for (int32_t x : list) text += (text.empty() ? "" : ",") + std::to_string(x);
    return text;
}

std::string counted(int64_t count, std::string_view thing) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// One failure of several: the code of the first, or partly_done when others went well.
class Outcomes {
 public:
    void add(int code) { code == exit_ok ? done_++ : (failed_ = failed_ == 0 ? code : failed_); }
    int code() const { return failed_ != 0 && done_ > 0 ? static_cast<int>(exit_partly_done) : failed_; }

 private:
    int done_ = 0;
    int failed_ = 0;
};

// "key=value" settings into the topic; the first that is none.
std::string take_configs(NewTopic& topic, const std::vector<std::string>& settings) {
    for (const std::string& setting : settings) {
        const size_t equals = setting.find('=');
        if (equals == std::string::npos || equals == 0) return setting;
        topic.configs.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    }
    return "";
}

std::string mend_of_create(const NewTopic& topic, Error error) {
    if (error == Error::topic_already_exists) return "--if-not-exists is content with that";
    if (error != Error::invalid_config) return "";
    for (const auto& [name, value] : topic.configs)
        if (!find_topic_key(name))
            if (const auto nearest = nearest_topic_key(name))
                return "did you mean " + std::string(*nearest) + "?";
    return "";
}

Task<int> create_one(Session& session, NewTopic topic) {
    const bool dry_run = session.arguments.has("dry-run");
    const CreatedTopic created =
        co_await create_topic(session.client, topic, dry_run ? ValidateOnly::yes : ValidateOnly::no);
    const Error error = created.outcome.error;
    if (error == Error::topic_already_exists && session.arguments.has("if-not-exists")) {
        print(fmt::format("topic {} is there already\n", topic.name));
        co_return exit_ok;
    }
    if (error != Error::none) {
        const std::string what = "cannot create " + topic.name;
        if (exit_code_of(error) == exit_unreachable) co_return session.fail(what, error);
        const std::string reason =
            created.outcome.message.empty() ? std::string(error_message(error)) : created.outcome.message;
        co_return fail(exit_code_of(error), what + ": " + reason, mend_of_create(topic, error));
    }
    print(fmt::format("{} topic {} ({}, replication {})\n", dry_run ? "would create" : "created", topic.name,
                      counted(created.partitions, "partition"), created.replication_factor));
    co_return exit_ok;
}

Task<int> create(Session& session) {
    NewTopic pattern{.partitions = static_cast<int32_t>(session.arguments.number("partitions", -1)),
                     .replication_factor = static_cast<int16_t>(session.arguments.number("replicas", -1))};
    const std::string wrong = take_configs(pattern, session.arguments.all("config"));
    if (!wrong.empty()) co_return fail(exit_usage, "--config: '" + wrong + "' is not KEY=VALUE");
    Outcomes outcomes;
    for (const std::string& name : session.arguments.words) {
        pattern.name = name;
        const int code = co_await create_one(session, pattern);
        outcomes.add(code);
    }
    co_return outcomes.code();
}

Task<int> list(Session& session) {
    const Result<> known = co_await session.client.refresh({});
    if (!known) co_return session.fail("cannot list topics", known.error());
    Table table{.columns = {{"topic"}, {"partitions", true}, {"replicas", true}, {"id"}}};
    for (const auto& [name, topic] : session.client.topics()) {
        if (topic.is_internal && !session.arguments.has("internal")) continue;
        const size_t replicas = topic.partitions.empty() ? 0 : topic.partitions[0].replicas.size();
        table.rows.push_back(
            {name, std::to_string(topic.partitions.size()), std::to_string(replicas), topic.id.to_text()});
    }
    print_table(table, session.format);
    co_return exit_ok;
}

Task<int> describe_partitions(Session& session, std::string name, Table& table) {
    const TopicInfo* topic = session.client.topic(name);
    const std::vector<PartitionInfo> partitions = topic->partitions;
    for (const PartitionInfo& partition : partitions) {
        const Result<int64_t> start = co_await session.client.list_offset(name, partition.index, -2);
        const Result<int64_t> end = co_await session.client.list_offset(name, partition.index, -1);
        if (!start || !end)
            co_return session.fail("cannot read offsets of " + name, start ? end.error() : start.error());
        table.rows.push_back({name, std::to_string(partition.index), std::to_string(partition.leader),
                              numbers(partition.replicas), numbers(partition.isr), std::to_string(*start),
                              std::to_string(*end), std::to_string(*end - *start)});
    }
    co_return exit_ok;
}

Task<int> describe_one(Session& session, std::string name, Table& table) {
    const Result<> known = co_await session.client.refresh({name});
    if (!known) co_return session.fail("cannot describe " + name, known.error());
    const int code = co_await describe_partitions(session, name, table);
    if (code != exit_ok || session.format != Format::table) co_return code;
    const Result<std::vector<DescribedConfig>> configs = co_await topic_configs(session.client, name);
    if (!configs) co_return session.fail("cannot read settings of " + name, configs.error());
    print(fmt::format(
        "{}  id {}  {}\n", name, session.client.topic(name)->id.to_text(),
        counted(static_cast<int64_t>(session.client.topic(name)->partitions.size()), "partition")));
    for (const DescribedConfig& config : *configs) {
        const bool is_default = config.source == static_cast<int8_t>(ConfigSource::default_value);
        if (!is_default || session.arguments.has("all-configs"))
            print(fmt::format("  {}={}\n", config.name, config.value.value_or("(hidden)")));
    }
    co_return exit_ok;
}

Task<int> describe(Session& session) {
    Table table{.columns = {{"topic"},
                            {"partition", true},
                            {"leader", true},
                            {"replicas"},
                            {"isr"},
                            {"start_offset", true},
                            {"end_offset", true},
                            {"records", true}}};
    Outcomes outcomes;
    for (const std::string& name : session.arguments.words) {
        const int code = co_await describe_one(session, name, table);
        outcomes.add(code);
    }
    if (!table.rows.empty()) print_table(table, session.format);
    co_return outcomes.code();
}

Task<int> remove(Session& session) {
    Outcomes outcomes;
    for (const std::string& name : session.arguments.words) {
        if (session.arguments.has("dry-run")) {
            const Result<> known = co_await session.client.refresh({name});
            if (known) print(fmt::format("would delete topic {}\n", name));
            outcomes.add(known ? static_cast<int>(exit_ok)
                               : session.fail("cannot delete " + name, known.error()));
            continue;
        }
        const AdminOutcome deleted = co_await delete_topic(session.client, name);
        if (deleted.ok()) print(fmt::format("deleted topic {}\n", name));
        outcomes.add(deleted.ok() ? static_cast<int>(exit_ok)
                                  : session.fail("cannot delete " + name, deleted.error));
    }
    co_return outcomes.code();
}

// Types the names again, or not.
bool confirms(const std::vector<std::string>& names) {
    const std::string wanted = joined(names, " ");
    print_error("This deletes all records of " + wanted + ". Type the name to go on: ");
    char line[4096];
    if (!std::fgets(line, sizeof line, stdin)) return false;
    std::string_view typed(line);
    if (typed.ends_with('\n')) typed.remove_suffix(1);
    return typed == wanted;
}

}  // namespace

int run_topic_create(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, create); }
int run_topic_list(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, list); }
int run_topic_describe(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, describe); }

int run_topic_delete(const Arguments& arguments) {
    if (!arguments.has("yes") && !arguments.has("dry-run")) {
        if (!terminal_facts().stdin_is_terminal)
            return fail(exit_usage, "topic delete: nobody is there to be asked",
                        "--yes says that you mean it");
        if (!confirms(arguments.words)) return fail(exit_failed, "nothing was deleted");
    }
    return converse(arguments, OnInterrupt::die, remove);
}

}  // namespace millrace::cli
