// Taking over a log directory of Apache Kafka's, topic by topic.
//
// A topic's partitions are copied and checked under names that no broker reads; when all are there they get
// their names, then the metadata says that the topic exists, then each is loaded once.
#include "millrace/import.h"

#include <charconv>
#include <set>

#include "millrace/log_tools.h"
#include "millrace/topic_scan.h"
#include "millrace/wire/cluster_records.h"
#include "millrace/wire/topic_records.h"
#include "offline_node.h"
#include "plan.h"

namespace millrace {

namespace {

constexpr int16_t partition_record_version = 2;
constexpr std::string_view offsets_topic = "__consumer_offsets";

// What Kafka keeps for itself, and why it stays behind.
struct LeftBehind {
    std::string_view topic, why;
};
constexpr LeftBehind left_behind[] = {
    {"__cluster_metadata", "its topics and settings are taken over"},
    {"__transaction_state", "transactions that had not ended end with Kafka"},
    {"__share_group_state", "share groups begin anew"},
    {"__remote_log_metadata", "there is no tiered storage here"},
};

class Import {
 public:
    Import(Io& io, ImportOptions options, ImportListener& listener)
        : io_(io), options_(std::move(options)), listener_(listener), node_(io, options_.data) {}
    Task<Result<ImportReport>> run();

 private:
    struct Topic {
        Uuid id;
        int32_t count = 0;
        std::set<int32_t> here;
        ConfigMap configs;
        std::vector<TakenPartition> taken;  // By partition.
    };
    Task<Result<>> look();
    Task<Result<>> look_at_properties();
    Task<Result<>> find_topics();
    Task<Result<>> add_partition(std::string name, PartitionName partition);
    Task<Result<>> read_log_starts();
    void take_metadata(const ScannedTopics& known);
    std::string judge(const std::string& name, const Topic& topic) const;
    void judge_settings(const std::string& name, Topic& topic);
    Task<Result<>> take_all();
    Task<Result<>> take(const std::string& name, Topic& topic, ImportedTopic& outcome);
    Task<Result<>> copy(const std::string& name, Topic& topic, ImportedTopic& outcome);
    Task<Result<>> give_names(const std::string& name, Topic& topic);
    MetadataRecords records_of(const std::string& name, const Topic& topic) const;
    Task<Result<>> load(const std::string& name, const Topic& topic);
    Task<Result<>> reserve_producer_ids();
    std::string target(const std::string& name, int32_t partition, std::string_view suffix) const {
        return options_.data + "/" + name + "-" + std::to_string(partition) + std::string{suffix};
    }

    Io& io_;
    const ImportOptions options_;
    ImportListener& listener_;
    OfflineNode node_;
    std::map<std::string, Topic, std::less<>> topics_;
    std::map<std::pair<std::string, int32_t>, Offset> log_starts_;
    std::string cluster_id_;
    ProducerId producer_max_{-1};
    ImportReport report_;
};

Task<Result<ImportReport>> Import::run() {
    auto result = co_await look();
    if (!result) co_return result.error();
    if (!options_.dry_run)
        result =
            co_await node_.open({.node = options_.node,
                                 .directory_id = new_uuid(io_),
                                 .cluster_id = cluster_id_.empty() ? new_uuid(io_).to_text() : cluster_id_});
    if (result) result = co_await take_all();
    if (result && !options_.dry_run) result = co_await reserve_producer_ids();
    const auto closed = co_await node_.close();
    if (!result) co_return result.error();
    if (!closed) co_return closed.error();
    co_return std::move(report_);
}

// ---- What is there -------------------------------------------------------------------------------------

Task<Result<>> Import::look() {
    auto result = co_await look_at_properties();
    if (result) result = co_await find_topics();
    if (result) result = co_await read_log_starts();
    if (!result) co_return result;
    const std::string metadata = options_.metadata.empty() ? options_.from : options_.metadata;
    const auto known = co_await scan_topics(io_, metadata + "/" + std::string{metadata_topic_name} + "-0");
    if (!known) co_return known.error();
    if (known->empty())
        listener_.on_note("", "there is no __cluster_metadata-0 here: settings of topics are not known");
    take_metadata(*known);
    for (const std::string& name : options_.topics)
        if (!topics_.contains(name)) co_return Error::unknown_topic_or_partition;
    co_return Result<>{};
}

Task<Result<>> Import::look_at_properties() {
    FileInfo info;
    const int32_t found = co_await Once{io_, Op::Kind::stat, {.path = options_.from.c_str(), .info = &info}};
    if (found < 0 || !info.is_directory) co_return Error::resource_not_found;
    const auto text = co_await read_text(io_, options_.from + "/meta.properties");
    if (!text) co_return Error::invalid_request;
    for (const Property& property : parse_properties(*text))
        if (property.name == "cluster.id") cluster_id_ = property.value;
    if (cluster_id_.size() > 255) cluster_id_.clear();
    const auto clean = co_await read_text(io_, options_.from + "/.kafka_cleanshutdown");
    if (!clean && !options_.unclean) co_return Error::broker_not_available;
    co_return Result<>{};
}

Task<Result<>> Import::find_topics() {
    std::vector<std::string> names;
    const int32_t listed =
        co_await Once{io_, Op::Kind::list, {.path = options_.from.c_str(), .names = &names}};
    if (listed < 0) co_return Error::kafka_storage_error;
    for (const std::string& name : names) {
        const auto partition = partition_name_of(name);
        if (!partition) continue;
        const auto left = std::ranges::find(left_behind, partition->topic, &LeftBehind::topic);
        if (left != std::end(left_behind)) {
            if (partition->partition == 0)
                listener_.on_note(partition->topic, "stays behind: " + std::string{left->why});
            continue;
        }
        const bool is_wanted =
            options_.topics.empty() || std::ranges::count(options_.topics, partition->topic) > 0;
        if (!is_wanted) continue;
        auto added = co_await add_partition(name, *partition);
        if (!added) co_return added;
    }
    co_return Result<>{};
}

Task<Result<>> Import::add_partition(std::string name, PartitionName partition) {
    Topic& topic = topics_[partition.topic];
    topic.here.insert(partition.partition);
    topic.count = std::max(topic.count, partition.partition + 1);
    const auto text = co_await read_text(io_, options_.from + "/" + name + "/partition.metadata");
    constexpr std::string_view key = "topic_id: ";
    const size_t at = text ? text->find(key) : std::string::npos;
    if (at == std::string::npos) co_return Result<>{};
    const std::string_view id = std::string_view{*text}.substr(at + key.size());
    const auto parsed = Uuid::from_text(id.substr(0, id.find('\n')));
    if (parsed) topics_[partition.topic].id = *parsed;
    co_return Result<>{};
}

// "0\nCOUNT\nTOPIC PARTITION OFFSET\n...": where DeleteRecords has moved a log's start.
Task<Result<>> Import::read_log_starts() {
    const auto text = co_await read_text(io_, options_.from + "/log-start-offset-checkpoint");
    if (!text) co_return Result<>{};
    std::string_view rest = *text;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const size_t last = line.rfind(' ');
        const size_t middle = last == std::string_view::npos || last == 0 ? last : line.rfind(' ', last - 1);
        if (last == std::string_view::npos || last == 0 || middle == std::string_view::npos) continue;
        int32_t partition = -1;
        int64_t offset = -1;
        std::from_chars(line.data() + middle + 1, line.data() + last, partition);
        std::from_chars(line.data() + last + 1, line.data() + line.size(), offset);
        if (partition >= 0 && offset > 0)
            log_starts_[{std::string{line.substr(0, middle)}, partition}] = Offset{offset};
    }
    co_return Result<>{};
}

void Import::take_metadata(const ScannedTopics& known) {
    for (auto& [name, topic] : topics_) {
        if (const auto found = known.find(name); found != known.end()) {
            topic.id = found->second.id;
            topic.count = std::max(topic.count, found->second.partitions);
            topic.configs = found->second.configs;
        }
        if (name == offsets_topic) topic.configs["cleanup.policy"] = "compact";
        for (const auto& [key, value] : options_.settings)
            if (key.starts_with(name + ".") && find_topic_key(key.substr(name.size() + 1)))
                topic.configs[key.substr(name.size() + 1)] = value;
        judge_settings(name, topic);
        if (topic.id == Uuid{}) topic.id = new_uuid(io_);
    }
}

void Import::judge_settings(const std::string& name, Topic& topic) {
    for (auto it = topic.configs.begin(); it != topic.configs.end();) {
        const auto& [key, value] = *it;
        const auto refused = check_topic_config({{key, value}});
        const bool is_lone = key == "min.insync.replicas" && value != "1";
        const bool is_known = find_topic_key(key) != nullptr;
        if (is_known && !refused && !is_lone) {
            ++it;
            continue;
        }
        listener_.on_note(name, "setting " + key + "=" + value + " is left out: " +
                                    (is_lone     ? "there is one replica here"
                                     : !is_known ? "it is not known here"
                                                 : refused->message));
        it = topic.configs.erase(it);
    }
}

// ---- Taking it -----------------------------------------------------------------------------------------

Task<Result<>> Import::take_all() {
    for (auto& [name, topic] : topics_) {
        ImportedTopic outcome{.name = name, .refused = judge(name, topic), .partitions = topic.count};
        if (outcome.refused.empty() && !options_.dry_run) {
            const auto taken = co_await take(name, topic, outcome);
            if (!taken) co_return taken;
        }
        listener_.on_topic(outcome);
        report_.topics.push_back(std::move(outcome));
    }
    co_return Result<>{};
}

std::string Import::judge(const std::string& name, const Topic& topic) const {
    if (!options_.dry_run && node_.state().topic(name)) return "there is a topic of that name already";
    if (!options_.dry_run && node_.state().topic(topic.id)) return "there is a topic with its id already";
    if (!options_.dry_run && !node_.state().colliding_topic(name).empty())
        return "its name collides with that of " + std::string{node_.state().colliding_topic(name)};
    const auto missing = topic.count - static_cast<int32_t>(topic.here.size());
    if (missing > 0 && !options_.missing_empty)
        return std::to_string(missing) + " of its " + std::to_string(topic.count) +
               " partitions are not in this directory";
    return "";
}

Task<Result<>> Import::take(const std::string& name, Topic& topic, ImportedTopic& outcome) {
    auto result = co_await copy(name, topic, outcome);
    if (!result || !outcome.refused.empty()) co_return result;
    result = co_await give_names(name, topic);
    if (result) result = co_await node_.propose(records_of(name, topic));
    if (result) result = co_await load(name, topic);
    co_return result;
}

Task<Result<>> Import::copy(const std::string& name, Topic& topic, ImportedTopic& outcome) {
    topic.taken.resize(static_cast<size_t>(topic.count));
    for (const int32_t partition : topic.here) {
        auto taken = co_await take_over_partition(
            io_, {.from = options_.from + "/" + name + "-" + std::to_string(partition),
                  .to = target(name, partition, ".import"),
                  .topic_id = topic.id,
                  .cuts_tail = options_.unclean,
                  .takes_aborted = options_.takes_aborted});
        if (!taken) co_return taken.error();
        if (!taken->refused.empty()) {
            outcome.refused = "partition " + std::to_string(partition) + ": " + taken->refused;
            break;
        }
        outcome.segments += taken->segments, outcome.records += taken->records, outcome.bytes += taken->bytes;
        if (taken->cut_bytes > 0)
            listener_.on_note(name, "partition " + std::to_string(partition) + ": " +
                                        std::to_string(taken->cut_bytes) +
                                        " bytes behind the last batch are left out");
        if (taken->is_transactional)
            listener_.on_note(name, "partition " + std::to_string(partition) +
                                        " has records of transactions; they are ordinary ones here");
        producer_max_ = std::max(producer_max_, taken->producer_max);
        topic.taken[static_cast<size_t>(partition)] = std::move(*taken);
    }
    if (outcome.refused.empty()) co_return Result<>{};
    for (const int32_t partition : topic.here) {
        auto removed = co_await remove_directory(io_, target(name, partition, ".import"));
        if (!removed) co_return removed;
    }
    co_return Result<>{};
}

Task<Result<>> Import::give_names(const std::string& name, Topic& topic) {
    for (const int32_t partition : topic.here) {
        const std::string from = target(name, partition, ".import"), to = target(name, partition, "");
        const int32_t renamed =
            co_await Once{io_, Op::Kind::rename, {.path = from.c_str(), .target = to.c_str()}};
        if (renamed < 0) co_return Error::kafka_storage_error;
    }
    const int32_t synced = co_await Once{io_, Op::Kind::sync_directory, {.path = options_.data.c_str()}};
    co_return synced < 0 ? Result<>{Error::kafka_storage_error} : Result<>{};
}

// In its log the leader's epoch goes on behind Kafka's.
MetadataRecords Import::records_of(const std::string& name, const Topic& topic) const {
    MetadataRecords records;
    const int32_t node = node_.identity().node.value;
    std::array<int32_t, 1> replicas{node};
    std::array<Uuid, 1> directories{Uuid{}};
    add_record(records, wire::TopicRecord{.name = name, .topic_id = topic.id}, 0);
    for (const auto& [key, value] : topic.configs)
        add_record(records, wire::ConfigRecord{static_cast<int8_t>(ConfigKind::topic), name, key, value}, 0);
    for (int32_t index = 0; index < topic.count; index++) {
        const wire::PartitionRecord record{
            .partition_id = index,
            .topic_id = topic.id,
            .replicas = replicas,
            .isr = replicas,
            .leader = node,
            .leader_epoch = topic.taken[static_cast<size_t>(index)].epoch_max.value + 1,
            .partition_epoch = 0,
            .directories = directories};
        add_record(records, record, partition_record_version);
    }
    return records;
}

Task<Result<>> Import::load(const std::string& name, const Topic& topic) {
    for (int32_t index = 0; index < topic.count; index++) {
        const TakenPartition& taken = topic.taken[static_cast<size_t>(index)];
        const auto loaded = co_await node_.load(name, index);
        if (!loaded) co_return loaded.error();
        Log* log = *loaded;
        if (log->failure() != Error::none || log->end() != taken.end) co_return Error::kafka_storage_error;
        const auto start = log_starts_.find({name, index});
        if (start == log_starts_.end() || start->second <= log->log_start()) continue;
        const auto moved = co_await log->set_log_start(std::min(start->second, log->end()));
        if (!moved) co_return moved;
    }
    co_return Result<>{};
}

// No producer of this node's gets an id under which a partition remembers one of Kafka's.
Task<Result<>> Import::reserve_producer_ids() {
    const int64_t next = producer_max_.value + 1;
    if (next <= node_.state().next_producer_id()) co_return Result<>{};
    MetadataRecords records;
    add_record(records,
               wire::ProducerIdsRecord{
                   .broker_id = node_.identity().node.value, .broker_epoch = -1, .next_producer_id = next},
               0);
    co_return co_await node_.propose(std::move(records));
}

}  // namespace

Task<Result<ImportReport>> import_kafka(Io& io, ImportOptions options, ImportListener& listener) {
    Import import{io, std::move(options), listener};
    co_return co_await import.run();
}

}  // namespace millrace
