// /livez, /readyz, /metrics and /partitions: see the header. Metrics are by topic and group: their number
// follows what exists, not how many partitions it has.
#include "operator_routes.h"

#include <charconv>

#include <fmt/format.h>

#include "millrace/group_host.h"

namespace millrace {
namespace {

struct TopicSums {
    int64_t bytes = 0, records_end = 0, records_start = 0;
};
struct GroupPosition {
    std::string group, topic;
    int32_t partition = 0;
    int64_t offset = 0;
};

// What one shard knows.
struct ShardView {
    std::map<std::string, TopicSums> topics;
    std::map<Slot, int64_t> high_watermarks;
    std::vector<GroupPosition> positions;
    GroupStats groups;
    StorageStats storage;
    uint64_t partitions = 0;
    bool is_ready = false, is_low_on_space = false;
};

Task<bool> look(Shard& shard, ShardView& view) {
    for (const auto& [slot, hosted] : shard.all_hosted()) {
        Partition& partition = *hosted.partition;
        TopicSums& topic = view.topics[partition.spec().topic];
        topic.bytes += static_cast<int64_t>(partition.log().size_bytes());
        topic.records_end += partition.high_watermark().value;
        topic.records_start += partition.log_start().value;
        view.high_watermarks[slot] = partition.high_watermark().value;
        view.partitions++;
    }
    for (const auto& [index, host] : shard.group_hosts()) {
        host->coordinator().each_committed([&](const CommittedOffset& committed) {
            view.positions.push_back({std::string(committed.group), std::string(committed.topic),
                                      committed.partition, committed.offset});
        });
        const GroupStats& stats = host->coordinator().stats();
        for (size_t i = 0; i < stats.groups.size(); i++) view.groups.groups[i] += stats.groups[i];
        view.groups.members += stats.members;
        view.groups.rebalances += stats.rebalances;
    }
    view.storage = shard.storage().stats();
    view.is_ready = shard.is_ready();
    view.is_low_on_space = shard.storage().is_low_on_space();
    co_return true;
}

void add_topics(MetricsPage& page, const Shard& zero, const std::vector<ShardView>& views) {
    std::map<std::string, TopicSums> sums;
    for (const ShardView& view : views)
        for (const auto& [name, topic] : view.topics) {
            TopicSums& sum = sums[name];
            sum.bytes += topic.bytes, sum.records_end += topic.records_end,
                sum.records_start += topic.records_start;
        }
    for (const auto& [name, sum] : sums) {
        const TopicInfo* topic = zero.metadata().topic(name);
        if (!topic) continue;
        page.add_gauge("kafka_topic_partitions", "Partitions of the topic.", topic->partition_count(),
                       {{"topic", name}});
        page.add_gauge("kafka_log_log_size", "Bytes of the topic's logs.", static_cast<double>(sum.bytes),
                       {{"topic", name}});
        page.add_gauge("kafka_topic_partition_current_offset_sum", "Sum of the partitions' high watermarks.",
                       static_cast<double>(sum.records_end), {{"topic", name}});
        page.add_gauge("kafka_topic_partition_oldest_offset_sum", "Sum of the partitions' log start offsets.",
                       static_cast<double>(sum.records_start), {{"topic", name}});
    }
}

void add_lag(MetricsPage& page, const Shard& zero, const std::vector<ShardView>& views) {
    struct Sum {
        int64_t position = 0, lag = 0;
    };
    std::map<std::pair<std::string, std::string>, Sum> sums;
    for (const ShardView& view : views) {
        for (const GroupPosition& position : view.positions) {
            Sum& sum = sums[{position.group, position.topic}];
            sum.position += position.offset;
            const PartitionInfo* partition = zero.metadata().partition(position.topic, position.partition);
            if (!partition) continue;
            const ShardView& home = views[zero.home(partition->slot).value];
            const auto found = home.high_watermarks.find(partition->slot);
            if (found != home.high_watermarks.end())
                sum.lag += std::max<int64_t>(0, found->second - position.offset);
        }
    }
    for (const auto& [key, sum] : sums) {
        page.add_gauge(
            "kafka_consumergroup_current_offset_sum", "Sum of the group's committed offsets in the topic.",
            static_cast<double>(sum.position), {{"consumergroup", key.first}, {"topic", key.second}});
        page.add_gauge("kafka_consumergroup_lag_sum",
                       "Records of the topic that the group has not committed.", static_cast<double>(sum.lag),
                       {{"consumergroup", key.first}, {"topic", key.second}});
    }
}

struct StorageMetric {
    std::string_view name, help;
    enum class Kind : uint8_t { counter, gauge } kind;
    uint64_t StorageStats::*value;
};

constexpr auto counter = StorageMetric::Kind::counter, gauge = StorageMetric::Kind::gauge;
constexpr StorageMetric storage_metrics[] = {
    {"millrace_storage_commits_total", "Group commits of the journals.", counter, &StorageStats::commits},
    {"millrace_storage_journal_bytes_total", "Bytes written to the journals.", counter,
     &StorageStats::journal_bytes},
    {"millrace_storage_direct_bytes_total", "Bytes written to segments with their commit.", counter,
     &StorageStats::direct_bytes},
    {"millrace_storage_write_out_bytes_total", "Bytes moved from the journals to segments.", counter,
     &StorageStats::write_out_bytes},
    {"millrace_storage_read_bytes_total", "Bytes of segments read from disk.", counter,
     &StorageStats::disk_read_bytes},
    {"millrace_storage_block_hits_total", "Blocks of segments found in the cache.", counter,
     &StorageStats::block_hits},
    {"millrace_storage_block_misses_total", "Blocks of segments that a reader waited for.", counter,
     &StorageStats::block_misses},
    {"millrace_storage_block_cache_bytes", "Blocks of segments in memory.", gauge,
     &StorageStats::block_cache_bytes},
    {"millrace_storage_damaged_ranges", "Ranges of offsets that are damaged and not served.", gauge,
     &StorageStats::damaged_ranges},
    {"millrace_storage_scrubbed_bytes_total", "Bytes of cold segments read to check them.", counter,
     &StorageStats::scrubbed_bytes},
    {"millrace_storage_scrub_damaged_total", "Damaged ranges that this has found.", counter,
     &StorageStats::scrub_damaged},
    {"millrace_storage_cached_bytes", "Recent bytes of logs in memory.", gauge, &StorageStats::cached_bytes},
    {"millrace_storage_dirty_bytes", "Bytes in memory that are not in segments yet.", gauge,
     &StorageStats::dirty_bytes},
    {"millrace_cleaner_runs_total", "Cleanings of compacted partitions.", counter, &StorageStats::cleanings},
    {"millrace_cleaner_failures_total", "Partitions that could not be cleaned.", counter,
     &StorageStats::cleaner_failures},
    {"millrace_cleaner_read_bytes_total", "Bytes of segments read by cleanings.", counter,
     &StorageStats::cleaner_read_bytes},
    {"millrace_cleaner_written_bytes_total", "Bytes of segments written by cleanings.", counter,
     &StorageStats::cleaner_write_bytes},
    {"millrace_cleaner_map_bytes", "Memory for the keys of what is being cleaned.", gauge,
     &StorageStats::cleaner_map_bytes},
};

void add_storage(MetricsPage& page, const StorageStats& storage) {
    for (const auto& [name, help, kind, member] : storage_metrics) {
        const auto value = static_cast<double>(storage.*member);
        kind == counter ? page.add_counter(name, help, value) : page.add_gauge(name, help, value);
    }
}

void add_groups(MetricsPage& page, const GroupStats& groups) {
    constexpr std::array states{GroupState::empty, GroupState::preparing_rebalance,
                                GroupState::completing_rebalance, GroupState::stable, GroupState::dead};
    page.add_counter("millrace_group_rebalances_total", "Rebalances of consumer groups begun.",
                     static_cast<double>(groups.rebalances));
    page.add_gauge("kafka_consumergroup_members", "Members of all consumer groups.",
                   static_cast<double>(groups.members));
    for (size_t i = 0; i < states.size(); i++)
        page.add_gauge("millrace_groups", "Consumer groups by state.", static_cast<double>(groups.groups[i]),
                       {{"state", group_state_name(states[i])}});
}

void add_shard(MetricsPage& page, const ShardView& view) {
    page.add_gauge("kafka_server_replicamanager_partitioncount", "Partitions on this node.",
                   static_cast<double>(view.partitions));
    page.add_gauge("millrace_storage_refusing_shards", "Shards that refuse records: the disk is nearly full.",
                   view.is_low_on_space);
    add_storage(page, view.storage);
    add_groups(page, view.groups);
}

// What `look` notes of each shard, there.
template <class View> Task<std::vector<View>> on_every_shard(Shard& zero, Task<bool> (*look)(Shard&, View&)) {
    std::vector<View> views(zero.node().shard_count());
    std::vector<Task<bool>> looks;
    for (uint16_t i = 0; i < views.size(); i++)
        looks.push_back(
            zero.on<bool>(ShardId{i}, [look, &view = views[i]](Shard& shard) { return look(shard, view); }));
    co_await gather(std::move(looks));
    co_return views;
}

Task<bool> ask_readiness(Shard& shard) { co_return shard.is_ready(); }

}  // namespace

Task<HttpResponse> OperatorRoutes::get(std::string_view path) {
    if (path == "/livez") co_return HttpResponse{.body = "ok\n"};
    if (path == "/readyz") co_return co_await readiness();
    if (path == "/metrics") co_return co_await metrics();
    if (path == "/partitions") co_return co_await partitions();
    co_return HttpResponse{.status = 404, .body = "there are /livez, /readyz, /metrics and /partitions\n"};
}

// ---- Partitions ------------------------------------------------------------------------------------------

namespace {

struct Lines {
    std::map<std::pair<std::string, int32_t>, std::string> by_partition;
};

Task<bool> list_partitions(Shard& shard, Lines& lines) {
    for (const auto& [slot, hosted] : shard.all_hosted()) {
        Partition& partition = *hosted.partition;
        const LogSpec& spec = partition.spec();
        lines.by_partition[{spec.topic, spec.partition}] = fmt::format(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\n", spec.topic, spec.partition, slot.value, shard.id().value,
            partition.log().size_bytes(), partition.log_start().value, partition.high_watermark().value);
    }
    co_return true;
}

std::optional<uint32_t> number_of(std::string_view text) {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

// "/partitions/TOPIC/PARTITION/shard/N"
struct WantedMove {
    std::string topic;
    uint32_t partition = 0, shard = 0;
};
std::optional<WantedMove> parse_move(std::string_view path) {
    std::vector<std::string_view> parts;
    for (size_t at = 0; at < path.size();) {
        const size_t slash = std::min(path.find('/', at + 1), path.size());
        parts.push_back(path.substr(at + 1, slash - at - 1));
        at = slash;
    }
    if (parts.size() != 5 || parts[0] != "partitions" || parts[3] != "shard") return {};
    const auto partition = number_of(parts[2]), shard = number_of(parts[4]);
    if (!partition || !shard) return {};
    return WantedMove{std::string(parts[1]), *partition, *shard};
}

HttpResponse tell_moved(const WantedMove& wanted, Result<> moved) {
    const std::string name = fmt::format("{}-{}", wanted.topic, wanted.partition);
    if (moved) return {.body = fmt::format("{} is on shard {}\n", name, wanted.shard)};
    switch (moved.error()) {
        case Error::request_timed_out:
            return {.status = 409,
                    .body = name + " stays: requests that were under way did not end in time\n"};
        case Error::invalid_request:
            return {.status = 400, .body = name + " is the node's own and cannot be moved\n"};
        default:
            return {.status = 503,
                    .body = fmt::format("{} was not moved: {}\n", name, error_message(moved.error()))};
    }
}

}  // namespace

Task<HttpResponse> OperatorRoutes::partitions() {
    if (!zero_.is_ready()) co_return HttpResponse{.status = 503, .body = "not ready\n"};
    auto listing = on_every_shard<Lines>(zero_, list_partitions);
    auto lines = co_await listing;
    Lines all;
    for (Lines& some : lines) all.by_partition.merge(some.by_partition);
    std::string text = "topic\tpartition\tslot\tshard\tbytes\tstart_offset\tend_offset\n";
    for (const auto& [partition, line] : all.by_partition) text += line;
    co_return HttpResponse{.body = std::move(text)};
}

Task<HttpResponse> OperatorRoutes::post(std::string_view path) {
    const auto wanted = parse_move(path);
    if (!wanted)
        co_return HttpResponse{.status = 404, .body = "there is POST /partitions/TOPIC/PARTITION/shard/N\n"};
    const PartitionInfo* partition =
        wanted->partition > INT32_MAX
            ? nullptr
            : zero_.metadata().partition(wanted->topic, static_cast<int32_t>(wanted->partition));
    if (!partition)
        co_return HttpResponse{
            .status = 404,
            .body = fmt::format("there is no partition {}-{}\n", wanted->topic, wanted->partition)};
    if (wanted->shard >= zero_.node().shard_count())
        co_return HttpResponse{.status = 400,
                               .body = fmt::format("there is no shard {}: this node has {}, from 0 on\n",
                                                   wanted->shard, zero_.node().shard_count())};
    auto moving = zero_.move_partition(partition->slot, ShardId{static_cast<uint16_t>(wanted->shard)});
    const Result<> moved = co_await moving;
    co_return tell_moved(*wanted, moved);
}

// Ready is who has started, on every shard, and whose disks work.
Task<HttpResponse> OperatorRoutes::readiness() {
    bool is_ready = zero_.is_ready();
    for (uint16_t i = 0; is_ready && i < zero_.node().shard_count(); i++) {
        auto asking = zero_.on<bool>(ShardId{i}, [](Shard& shard) { return ask_readiness(shard); });
        is_ready = co_await asking;
    }
    // It still serves readers, and can be told to delete: taking it away would help nobody.
    if (is_ready && zero_.storage().is_low_on_space())
        co_return HttpResponse{.body = "ready, but the disk is nearly full: records are refused\n"};
    if (is_ready) co_return HttpResponse{.body = "ready\n"};
    co_return HttpResponse{.status = 503, .body = "not ready\n"};
}

Task<HttpResponse> OperatorRoutes::metrics() {
    if (!zero_.is_ready()) co_return HttpResponse{.status = 503, .body = "not ready\n"};
    auto looking = on_every_shard<ShardView>(zero_, look);
    const auto views = co_await looking;
    MetricsPage page;
    for (uint16_t i = 0; i < views.size(); i++) page.add(zero_.node().shard(ShardId{i}).metrics());
    page.add_gauge("kafka_brokers", "Brokers in the cluster.",
                   static_cast<double>(zero_.metadata().brokers().size()));
    page.add_gauge("millrace_shards", "Shards of this node.", zero_.node().shard_count());
    page.add_gauge("millrace_disk_available_bytes", "Free space of the data directory, as last looked at.",
                   static_cast<double>(views.front().storage.disk_available));
    page.add_gauge("millrace_disk_reserve_bytes", "Free space below which clients' records are refused.",
                   static_cast<double>(views.front().storage.disk_reserve));
    page.add_counter("millrace_partition_moves_total", "Partitions that were moved to another shard.",
                     static_cast<double>(zero_.moves()));
    for (const ShardView& view : views) add_shard(page, view);
    add_topics(page, zero_, views);
    add_lag(page, zero_, views);
    if (add_process_metrics_) add_process_metrics_(page);
    co_return HttpResponse{.content_type = std::string(MetricsPage::content_type), .body = page.text()};
}

}  // namespace millrace
