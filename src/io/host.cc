// Shard threads: each makes its ring, starts its work, turns until the host stops, and frees what it has.
//
// The steps are taken together: no shard turns before every ring exists, none frees before all have turned
// their last, so that a letter always finds its addressee.
#include "millrace/host.h"

#include <atomic>
#include <barrier>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include "ring.h"
#include "signals.h"

namespace millrace {

namespace {

std::string ring_failure(int error) {
    std::string reason = "cannot make an io_uring: " + errno_text(error);
    if (error == -EMFILE) reason += " (raise the limit: ulimit -n)";
    if (error == -ENOMEM) reason += " (raise the limit of locked memory: ulimit -l)";
    return reason;
}

std::vector<int> usable_cpus() {
    cpu_set_t set;
    std::vector<int> cpus;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    return cpus;
}

void pin_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);  // Best effort.
}

}  // namespace

struct Host::State {
    explicit State(HostOptions given)
        : options(std::move(given)),
          shards(options.shards ? options.shards : cpu_count()),
          post(shards),
          together(shards),
          cpus(usable_cpus()),
          // Without a CPU of its own a shard that spins only holds up the one it waits for.
          spin_ns(cpus.size() > 1 && shards <= cpus.size() ? options.spin_ns : 0) {}

    void run_shard(ShardId shard, int signal_fd);
    void turn_until_stopped(UringIo& io);
    void fail(int error);
    bool has_failed();

    const HostOptions options;
    const uint16_t shards;
    PostOffice post;
    std::barrier<> together;
    const std::vector<int> cpus;
    const uint64_t spin_ns;
    std::atomic<bool> stopping{false};
    std::mutex failure_lock;
    std::optional<std::string> failure;
};

void Host::State::fail(int error) {
    std::lock_guard guard(failure_lock);
    failure = ring_failure(error);
}

bool Host::State::has_failed() {
    std::lock_guard guard(failure_lock);
    return failure.has_value();
}

void Host::State::turn_until_stopped(UringIo& io) {
    while (!stopping.load(std::memory_order_acquire)) io.turn();
}

void Host::State::run_shard(ShardId shard, int signal_fd) {
    pthread_setname_np(pthread_self(), ("millrace-" + std::to_string(shard.value)).c_str());
    if (options.pin && shards <= cpus.size()) pin_to(cpus[shard.value]);
    std::optional<SignalWatch> signals;
    UringIo io({shard, post, *options.log_sink, options.log_level, spin_ns, options.receive_buffers});
    if (const int rc = io.open(); rc < 0) fail(rc);
    together.arrive_and_wait();
    if (has_failed()) return;
    if (shard.value == 0)
        signals.emplace(io, signal_fd, [this, &io](unsigned nth) { options.on_signal(io, nth); });
    if (options.start) options.start(io);
    turn_until_stopped(io);
    together.arrive_and_wait();
    if (options.finish) options.finish(io);
    together.arrive_and_wait();
}

Host::Host(HostOptions options) {
    ASSERT(options.log_sink);
    if (!options.on_signal) options.on_signal = [this](Io&, unsigned) { stop(); };
    state_ = std::make_unique<State>(std::move(options));
}

Host::~Host() = default;

uint16_t Host::shard_count() const { return state_->shards; }

std::optional<std::string> Host::run() {
    std::signal(SIGPIPE, SIG_IGN);
    BlockedSignals signals;
    if (!state_->post.is_ready() || signals.fd() < 0) return ring_failure(-EMFILE);
    std::vector<std::thread> threads;
    for (uint16_t i = 0; i < state_->shards; i++)
        threads.emplace_back([this, i, &signals] { state_->run_shard(ShardId{i}, signals.fd()); });
    for (auto& thread : threads) thread.join();
    return state_->failure;
}

void Host::stop() {
    state_->stopping.store(true, std::memory_order_release);
    for (uint16_t i = 0; i < state_->shards; i++) state_->post.ring_bell(ShardId{i});
}

namespace {

Task<> keep_result(Task<int> task, std::optional<int>& result) { result = co_await task; }

}  // namespace

int run_alone(const AloneOptions& options, const std::function<Task<int>(Io&)>& main_task) {
    ASSERT(options.log_sink);
    std::signal(SIGPIPE, SIG_IGN);
    std::optional<BlockedSignals> blocked;
    if (options.on_signal) blocked.emplace();
    std::optional<SignalWatch> watch;
    PostOffice post(1);
    UringIo io({ShardId{0}, post, *options.log_sink, options.log_level, options.spin_ns});
    if (const int rc = post.is_ready() ? io.open() : -EMFILE; rc < 0) {
        io.log().error("io", ring_failure(rc));
        return -1;
    }
    if (blocked && blocked->fd() >= 0)
        watch.emplace(io, blocked->fd(), [&](unsigned nth) { options.on_signal(io, nth); });
    std::optional<int> result;
    keep_result(main_task(io), result).detach();
    while (!result) io.turn();
    return *result;
}

}  // namespace millrace
