// `millrace serve` at run time: the process around a node. Shards on real rings, signals, the banner, the
// end.
#include <cstdio>

#include "command.h"
#include "millrace/front.h"
#include "millrace/host.h"
#include "output.h"
#include "serve.h"

namespace millrace::cli {
namespace {

constexpr uint64_t grace_ns = 30'000'000'000;
constexpr uint16_t shards_max = 256;

void add_process_metrics(MetricsPage& page) {
    const ProcessFacts facts = process_facts();
    page.add_counter("process_cpu_seconds_total", "User and system CPU time.",
                     facts.user_seconds + facts.system_seconds);
    page.add_gauge("process_resident_memory_bytes", "Resident memory.",
                   static_cast<double>(facts.resident_bytes));
    page.add_gauge("process_open_fds", "Open file descriptors.", static_cast<double>(facts.open_files));
    page.add_gauge("process_max_fds", "Limit of open file descriptors.",
                   static_cast<double>(facts.open_files_max));
    page.add_gauge("process_start_time_seconds", "When the process began, since 1970.",
                   static_cast<double>(facts.started_ms) / 1e3);
    page.add_gauge("millrace_kernel_workers", "io_uring worker threads alive now.",
                   static_cast<double>(facts.kernel_workers));
}

constexpr uint64_t shard_memory_max = 512 << 20;  // As far as it is not set.

// millrace.memory, or half of what the process may use; the other half is for what has no budget of its own.
BrokerConfig with_memory(BrokerConfig config, uint16_t shards) {
    if (config.memory_bytes == 0)
        config.memory_bytes = std::min(memory_limit() / 2, shards * shard_memory_max);
    return config;
}

// Of a shard's share an eighth keeps recent records (of a large one a quarter), a quarter those that are not
// in segments yet (but no more than the journal can hold); requests and replies have a quarter each
// (front.cc, fetch.cc), blocks that were read and receive buffers a sixteenth each. Files get a quarter of
// the descriptors at most.
StorageConfig storage_config(const BrokerConfig& config, uint16_t shards, uint64_t file_limit) {
    constexpr uint64_t least_bytes = 16 << 20, large_bytes = 1 << 30, files_least = 8;
    StorageConfig storage;
    storage.scrub_percent = static_cast<uint32_t>(config.scrub_percent);
    const uint64_t share = std::max(config.memory_bytes / shards, least_bytes);
    const bool is_set = config.settings.contains("millrace.memory");
    const uint64_t recent = share < large_bytes ? share / 8 : share / 4;
    storage.tail_cache_bytes = is_set ? recent : std::min(recent, storage.tail_cache_bytes);
    storage.dirty_bytes_max = std::min(share / 4, storage.dirty_bytes_max);
    storage.block_cache_bytes = std::min(share / 16, storage.block_cache_bytes);
    storage.index_cache_bytes = std::min(share / 64, storage.index_cache_bytes);
    const auto files = std::clamp<uint64_t>(file_limit / 4 / shards, files_least, storage.descriptors_max);
    storage.descriptors_max = static_cast<uint32_t>(files);
    return storage;
}

// A sixteenth of the share.
uint16_t receive_buffers(const BrokerConfig& config, uint16_t shards) {
    constexpr uint64_t size = 64 << 10, most = 256;
    return static_cast<uint16_t>(std::min(config.memory_bytes / shards / 16 / size, most));
}

// Descriptors above this number stay free for files: those of logs and journals, and a few that come and go.
int32_t connection_descriptor_max(const StorageConfig& storage, uint16_t shards, uint64_t file_limit) {
    const uint64_t of_shard = storage.descriptors_max + storage.journal_files + 8, of_process = 32;
    const uint64_t kept = std::min(of_process + shards * of_shard, file_limit / 2);
    return static_cast<int32_t>(std::min<uint64_t>(file_limit - kept, INT32_MAX));
}

// The broker of this process, from its first thread to its last.
class BrokerProcess {
 public:
    explicit BrokerProcess(const ServeOptions& options)
        : options_(options),
          shards_(options.config.shards > 0
                      ? static_cast<uint16_t>(std::min<int32_t>(options.config.shards, shards_max))
                      : std::min(cpu_count(), shards_max)),
          config_(with_memory(options.config, shards_)),
          node_(config_, shards_, storage_config(config_, shards_, file_limit_)),
          fronts_(shards_),
          owned_(shards_) {}

    int run();

 private:
    int take_directory();
    void start(Io& io);
    void on_signal(Io& io, unsigned nth);
    Task<> open(Io& io);
    Task<> close(Io& io);
    void say_ready(Io& io);
    std::string memory_line() const;
    Level log_level() const;

    const ServeOptions& options_;
    const uint16_t shards_;
    const int64_t began_ms_ = wall_clock_ms();
    const uint64_t file_limit_ = raise_file_limit();
    const BrokerConfig config_;
    Node node_;
    std::vector<Front*> fronts_;
    std::vector<std::unique_ptr<Front>> owned_;  // Each made and destroyed on its shard's thread.
    std::unique_ptr<DirectoryLock> lock_;
    std::unique_ptr<Host> host_;
    bool is_open_ = false;     // Shard 0's.
    int exit_code_ = exit_ok;  // Shard 0's while it runs.
};

Level BrokerProcess::log_level() const {
    const std::string& level = options_.config.log_level;
    if (level == "debug") return Level::debug;
    if (level == "warn") return Level::warn;
    if (level == "error") return Level::error;
    return Level::info;
}

int BrokerProcess::take_directory() {
    const std::string& directory = options_.config.data_dir;
    if (const int error = make_directories(directory); error < 0)
        return fail(exit_config, "cannot make the data directory " + directory + ": " + errno_text(error),
                    "give a directory that this user may write, with --data or log.dirs");
    int error = 0;
    lock_ = DirectoryLock::take(directory, error);
    if (lock_) return exit_ok;
    return fail(
        exit_config, "cannot lock the data directory " + directory + ": " + errno_text(error),
        "another broker is using it: stop that one, or give this one a directory of its own (--data)");
}

int BrokerProcess::run() {
    if (const auto problem = check_host()) return fail(exit_failed, *problem);
    if (const int code = take_directory(); code != exit_ok) return code;
    StreamLogSink sink;
    host_ = std::make_unique<Host>(HostOptions{
        .shards = shards_,
        .spin_ns = 0,  // Looking around before sleeping cost half of the CPU again at 10,000 requests/s, and
                       // gained nothing.
        .receive_buffers = receive_buffers(config_, shards_),
        .log_sink = &sink,
        .log_level = log_level(),
        .start = [this](Io& io) { start(io); },
        .on_signal = [this](Io& io, unsigned nth) { on_signal(io, nth); },
        .finish = [this](Io& io) { owned_[io.shard().value].reset(); },
    });
    if (const auto problem = host_->run()) return fail(exit_failed, *problem);
    return exit_code_;
}

void BrokerProcess::start(Io& io) {
    auto metrics = io.shard().value == 0 ? add_process_metrics : std::function<void(MetricsPage&)>{};
    owned_[io.shard().value] =
        std::make_unique<Front>(io, node_, fronts_, std::move(metrics),
                                connection_descriptor_max(node_.storage, shards_, file_limit_));
    if (io.shard().value == 0) open(io).detach();
}

Task<> BrokerProcess::open(Io& io) {
    for (const std::string& notice : options_.notices)
        io.log().info("cli", "configuration", {{"note", notice}});
    auto opening = fronts_[0]->open();
    const auto opened = co_await opening;
    if (!opened) {
        io.log().error("cli", "broker not started", {{"error", opened.error()}});
        exit_code_ = opened.error() == Error::invalid_config ? exit_config : exit_failed;
        co_await fronts_[0]->close(0);
        host_->stop();
        co_return;
    }
    is_open_ = true;
    say_ready(io);
}

// "memory    1024 MiB of 24105: per shard 64 recent records, 128 not in segments, 128 requests, 128 replies".
std::string BrokerProcess::memory_line() const {
    const auto mib = [](uint64_t bytes) { return std::to_string(bytes >> 20); };
    const uint64_t quarter = config_.memory_bytes / shards_ / 4, requests_least = 4 << 20;
    return "  memory    " + mib(config_.memory_bytes) + " MiB of " + mib(memory_limit()) + ": per shard " +
           mib(node_.storage.tail_cache_bytes) + " recent records, " + mib(node_.storage.dirty_bytes_max) +
           " not in segments, " + mib(std::max(quarter, requests_least)) + " requests, " + mib(quarter) +
           " replies\n";
}

void BrokerProcess::say_ready(Io& io) {
    const Front& front = *fronts_[0];
    const std::string in_ms = std::to_string(wall_clock_ms() - began_ms_);
    std::string text = "millrace " + std::string(version_text) + "  (kafka protocol 4.3)   data " +
                       options_.config.data_dir + "   " + std::to_string(shards_) +
                       (shards_ == 1 ? " shard" : " shards") + ", io_uring\n";
    for (const std::string& address : front.addresses()) text += "  kafka     " + address + "\n";
    if (!front.admin_address().empty()) text += "  admin     http://" + front.admin_address() + "/metrics\n";
    text += memory_line();
    text += "ready in " + in_ms + " ms, Ctrl-C stops\n";
    print(text);
    io.log().info("cli", "ready", {{"ms", in_ms}, {"cluster", node_.cluster_id()}, {"node", node_.id()}});
    if (!options_.ready_fd) return;
    const std::string first = front.addresses().empty() ? "" : front.addresses()[0];
    if (!tell_descriptor(*options_.ready_fd, "ready " + first))
        io.log().warn("cli", "nobody reads --ready-fd", {{"fd", *options_.ready_fd}});
}

void BrokerProcess::on_signal(Io& io, unsigned nth) {
    if (nth > 1 || !is_open_) {
        io.log().warn("cli", "stopping at once", {{"signals", nth}});
        exit_code_ = is_open_ ? exit_interrupted : exit_failed;
        return host_->stop();
    }
    io.log().info("cli", "stopping", {{"grace_s", grace_ns / 1'000'000'000}});
    close(io).detach();
}

Task<> BrokerProcess::close(Io& io) {
    co_await fronts_[0]->close(grace_ns);
    io.log().info("cli", "stopped");
    host_->stop();
}

}  // namespace

int run_broker(const ServeOptions& options) {
    BrokerProcess process(options);
    return process.run();
}

}  // namespace millrace::cli
