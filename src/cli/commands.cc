// The table of commands.
#include "command.h"

namespace millrace::cli {

namespace {

using enum ValueKind;

constexpr Option broker_option_rows[] = {
    {"bootstrap-server", 'b', text, "HOST:PORT,...",
     "Brokers to ask first (else $MILLRACE_BOOTSTRAP, else 127.0.0.1:9092)"},
    {"output", 'o', text, "FORMAT", "table, json, jsonl, csv or name"},
    {"timeout", 0, seconds, "TIME", "How long to wait for the brokers (30s)"},
};

const Option topic_option{"topic", 't', text, "TOPIC", "Topic; made when it does not exist (bench)"};
const Option duration_option{"duration", 'd', seconds, "TIME", "How long to measure (10s)"};
const Option warm_up_option{"warm-up", 0, seconds, "TIME", "How long to run before measuring (1s)"};
const Option connections_option{"connections", 'c', whole_number, "N", "Connections (1)"};
const Option record_size_option{"record-size", 's', size, "SIZE", "Bytes per record's value (100)"};
const Option acks_option{"acks", 'a', text, "ACKS", "0, 1 or all (1)"};
const Option partitions_option{"partitions", 'p', whole_number, "N",
                               "Partitions, where the topic is made (1)"};

std::vector<Command> node_commands() {
    return {
        {.name = "serve",
         .words = "",
         .words_max = 0,
         .summary = "Run a broker node in the foreground",
         .options = {{"config", 'f', text, "FILE", "Java properties with Kafka's names (server.properties)"},
                     {"data", 'd', text, "DIR", "Data directory (log.dirs)"},
                     {"listen", 'l', text, "HOST:PORT", "Where clients connect (listeners)"},
                     {"shards", 's', text, "N", "Shards, each on a core of its own (millrace.shards)"},
                     {"node-id", 'n', text, "N", "Number of this node (node.id)"},
                     {"set", 0, text, "KEY=VALUE", "Any setting, over file and environment", true},
                     {"ready-fd", 0, whole_number, "N", "Write a line to this descriptor when ready"}},
         .talks_to_brokers = false,
         .examples = {"millrace serve --data /var/lib/millrace --listen 127.0.0.1:9092",
                      "millrace serve --config server.properties --set num.partitions=3"},
         .run = run_serve},
    };
}

std::vector<Command> topic_commands() {
    return {
        {.name = "topic create",
         .words = "NAME...",
         .words_min = 1,
         .summary = "Create topics",
         .options = {{"partitions", 'p', whole_number, "N", "Partitions (else num.partitions)"},
                     {"replicas", 'r', whole_number, "N", "Replicas (else default.replication.factor)"},
                     {"config", 'c', text, "KEY=VALUE", "A topic setting, such as retention.ms=3600000",
                      true},
                     {"if-not-exists", 0, none, "", "Be content with a topic that is there"},
                     {"dry-run", 0, none, "", "Let the broker check it, and change nothing"}},
         .examples = {"millrace topic create clicks --partitions 3 --config retention.ms=3600000"},
         .run = run_topic_create},
        {.name = "topic list",
         .words = "",
         .words_max = 0,
         .summary = "List topics",
         .options = {{"internal", 0, none, "", "Show internal topics too"}},
         .examples = {"millrace topic list -o json"},
         .run = run_topic_list},
        {.name = "topic describe",
         .words = "NAME...",
         .words_min = 1,
         .summary = "Show partitions, leaders, offsets and settings of topics",
         .options = {{"all-configs", 0, none, "", "Show settings at their default too"}},
         .examples = {"millrace topic describe clicks"},
         .run = run_topic_describe},
        {.name = "topic delete",
         .words = "NAME...",
         .words_min = 1,
         .summary = "Delete topics and their records",
         .options = {{"yes", 'y', none, "", "Do not ask"},
                     {"dry-run", 0, none, "", "Say what would be deleted"}},
         .examples = {"millrace topic delete clicks --yes"},
         .run = run_topic_delete},
    };
}

std::vector<Command> record_commands() {
    return {
        {.name = "produce",
         .words = "TOPIC [VALUE...]",
         .words_min = 1,
         .summary = "Send records: given values, or each line of a file or stdin",
         .options = {{"key", 'k', text, "KEY", "Key of every record"},
                     {"key-separator", 'K', text, "TEXT", "Each line is KEY, this text, VALUE"},
                     {"file", 'f', text, "FILE", "Read lines from it instead of stdin"},
                     {"partition", 'p', whole_number, "N", "Partition of every record (else by key)"},
                     {"header", 'H', text, "NAME=VALUE", "A header of every record", true},
                     {"acks", 'a', text, "ACKS", "0, 1 or all (all)"},
                     {"compression", 'z', text, "CODEC", "none, gzip, snappy, lz4 or zstd (none)"},
                     {"batch-size", 0, size, "SIZE", "Largest batch (16K)"},
                     {"no-create", 0, none, "", "Fail when the topic does not exist"},
                     {"quiet", 'q', none, "", "Print nothing when all went well"}},
         .examples = {"echo hi | millrace produce hello",
                      "millrace produce clicks --key-separator : -f clicks.txt"},
         .run = run_produce},
        {.name = "consume",
         .words = "TOPIC",
         .words_min = 1,
         .words_max = 1,
         .summary = "Print records",
         .options = {{"from", 0, text, "WHERE",
                      "start, end, an offset, or a time in ms with @ (end; group: its commits)"},
                     {"group", 'g', text, "GROUP", "As a member of this group, committing what was printed"},
                     {"partition", 'p', whole_number, "N", "Only this partition"},
                     {"count", 'n', whole_number, "N", "Stop after so many records"},
                     {"exit-at-end", 'e', none, "", "Stop when everything was read"},
                     {"format", 0, text, "FORMAT", "Such as '%k %v\\n': %t %p %o %T %k %v %h"}},
         .examples = {"millrace consume hello --from start",
                      "millrace consume clicks -g audit --format '%k %v\\n'"},
         .run = run_consume},
    };
}

std::vector<Command> group_commands() {
    return {
        {.name = "group list",
         .words = "",
         .words_max = 0,
         .summary = "List consumer groups",
         .options = {},
         .examples = {"millrace group list"},
         .run = run_group_list},
        {.name = "group describe",
         .words = "GROUP...",
         .words_min = 1,
         .summary = "Show state, members and their partitions",
         .options = {},
         .examples = {"millrace group describe audit"},
         .run = run_group_describe},
        {.name = "group lag",
         .words = "GROUP...",
         .words_min = 1,
         .summary = "Show how far groups are behind",
         .options = {},
         .examples = {"millrace group lag audit -o json"},
         .run = run_group_lag},
    };
}

const Option admin_option{"admin", 0, text, "HOST:PORT",
                          "The node's operators' port, millrace.admin.listen (127.0.0.1:9644)"};

std::vector<Command> partition_commands() {
    return {
        {.name = "partition list",
         .words = "[TOPIC...]",
         .summary = "Show on which shard of a node each partition lives",
         .options = {admin_option, {"output", 'o', text, "FORMAT", "table, json, jsonl, csv or name"}},
         .talks_to_brokers = false,
         .examples = {"millrace partition list clicks"},
         .run = run_partition_list},
        {.name = "partition move",
         .words = "TOPIC PARTITION",
         .words_min = 2,
         .words_max = 2,
         .summary = "Move a partition to another shard of its node while in use",
         .options = {admin_option, {"shard", 's', whole_number, "N", "The shard, from 0 on"}},
         .talks_to_brokers = false,
         .examples = {"millrace partition move clicks 0 --shard 1"},
         .run = run_partition_move},
    };
}

std::vector<Command> bench_commands() {
    return {
        {.name = "bench produce",
         .words = "",
         .words_max = 0,
         .summary = "Load with produce requests; percentiles of their latency",
         .options = {topic_option,
                     connections_option,
                     {"in-flight", 'i', whole_number, "N", "Requests under way per connection (5)"},
                     {"batch-size", 0, size, "SIZE", "Bytes of records per request; 1: one record (16K)"},
                     record_size_option,
                     acks_option,
                     partitions_option,
                     {"rate", 'r', whole_number, "N",
                      "Records per second in all; 0: as fast as answers come (0)"},
                     duration_option,
                     warm_up_option},
         .examples = {"millrace bench produce --batch-size 16K --duration 10s -o json",
                      "millrace bench produce --connections 64 --in-flight 1 --batch-size 1"},
         .run = run_bench_produce},
        {.name = "bench consume",
         .words = "",
         .words_max = 0,
         .summary = "Load with fetches of what is there, from the start again and again",
         .options = {topic_option,
                     connections_option,
                     {"fetch-size", 0, size, "SIZE", "Largest answer (1M)"},
                     duration_option,
                     warm_up_option},
         .examples = {"millrace bench consume --topic bench --connections 4"},
         .run = run_bench_consume},
        {.name = "bench e2e",
         .words = "",
         .words_max = 0,
         .summary = "End-to-end latency at a fixed rate: one connection produces, one consumes",
         .options = {topic_option,
                     {"rate", 'r', whole_number, "N",
                      "Records per second, each in a request of its own (1000)"},
                     record_size_option,
                     acks_option,
                     duration_option,
                     warm_up_option},
         .examples = {"millrace bench e2e --rate 10000 --duration 30s"},
         .run = run_bench_e2e},
    };
}

const Option output_option{"output", 'o', text, "FORMAT", "table, json or jsonl"};

std::vector<Command> log_commands() {
    return {
        {.name = "log dump",
         .words = "PATH...",
         .words_min = 1,
         .summary = "Show what is in a file of a data directory, or in a partition's directory",
         .options = {{"records", 'r', none, "", "Each record of a segment, decompressed"}, output_option},
         .talks_to_brokers = false,
         .examples = {"millrace log dump data/clicks-0/00000000000000000000.log --records",
                      "millrace log dump data/journal/0 -o jsonl"},
         .run = run_log_dump},
        {.name = "log verify",
         .words = "DIR",
         .words_min = 1,
         .words_max = 1,
         .summary = "Check every file of a stopped broker's data directory, changing nothing",
         .options = {{"topic", 't', text, "TOPIC", "Only its partitions"},
                     {"partition", 'p', whole_number, "N", "Only this partition of the topic"},
                     output_option},
         .talks_to_brokers = false,
         .examples = {"millrace log verify /var/lib/millrace",
                      "millrace log verify ./data --topic clicks -o json"},
         .run = run_log_verify},
        {.name = "log repair",
         .words = "DIR",
         .words_min = 1,
         .words_max = 1,
         .summary = "Make anew what verify finds wrong and can be made from what is right",
         .options = {{"dry-run", 0, none, "", "Say what would be changed"},
                     {"discard-damaged", 0, none, "",
                      "Give damaged records up, so that readers go on behind"},
                     {"yes", 'y', none, "", "Do not ask"},
                     {"topic", 't', text, "TOPIC", "Only its partitions"},
                     {"partition", 'p', whole_number, "N", "Only this partition of the topic"},
                     output_option},
         .talks_to_brokers = false,
         .examples = {"millrace log repair /var/lib/millrace --dry-run",
                      "millrace log repair ./data --topic clicks --discard-damaged"},
         .run = run_log_repair},
        {.name = "log import",
         .words = "KAFKA_LOG_DIR",
         .words_min = 1,
         .words_max = 1,
         .summary = "Take over topics from a stopped Apache Kafka's log directory, which stays as it is",
         .options = {{"data", 'd', text, "DIR", "Data directory of a stopped broker, or a new one"},
                     {"topic", 't', text, "TOPIC", "Only this topic", true},
                     {"metadata", 0, text, "DIR", "Where __cluster_metadata-0 is (else KAFKA_LOG_DIR)"},
                     {"config", 'f', text, "FILE", "Settings of topics: properties TOPIC.KEY=VALUE"},
                     {"node-id", 'n', whole_number, "N", "Node of a new directory (1)"},
                     {"unclean", 0, none, "", "Take over what a crashed Kafka left, up to its last batch"},
                     {"missing-empty", 0, none, "", "Partitions that are not there become empty ones"},
                     {"aborted-too", 0, none, "", "Take over records of aborted transactions"},
                     {"dry-run", 0, none, "", "Say what would be taken over, and copy nothing"},
                     output_option},
         .talks_to_brokers = false,
         .examples = {"millrace log import /var/lib/kafka --data /var/lib/millrace",
                      "millrace log import /tmp/kraft-combined-logs --data ./data --topic clicks --dry-run"},
         .run = run_log_import},
    };
}

std::vector<Command> other_commands() {
    return {
        {.name = "version",
         .words = "",
         .words_max = 0,
         .summary = "Print the version",
         .options = {},
         .talks_to_brokers = false,
         .examples = {"millrace version"},
         .run = run_version},
        {.name = "help",
         .words = "[COMMAND...]",
         .summary = "Explain a command",
         .options = {},
         .talks_to_brokers = false,
         .examples = {"millrace help topic create"},
         .run = run_help},
    };
}

std::vector<Command> table() {
    std::vector<Command> all;
    for (auto part : {node_commands(), topic_commands(), record_commands(), group_commands(),
                      partition_commands(), bench_commands(), log_commands(), other_commands()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace

std::span<const Command> commands() {
    static const std::vector<Command> all = table();
    return all;
}

std::span<const Option> broker_options() { return broker_option_rows; }

std::vector<Option> all_options(const Command& command) {
    std::vector<Option> options = command.options;
    if (command.talks_to_brokers)
        options.insert(options.end(), std::begin(broker_option_rows), std::end(broker_option_rows));
    options.push_back({"help", 'h', none, "", "Explain the command"});
    return options;
}

Found find_command(std::span<const std::string> words) {
    const std::string one = words.empty() ? "" : words[0];
    const std::string two = words.size() < 2 ? "" : words[0] + " " + words[1];
    for (const Command& command : commands()) {
        if (command.name == two) return {&command, 2};
        if (command.name == one) return {&command, 1};
    }
    return {};
}

}  // namespace millrace::cli
