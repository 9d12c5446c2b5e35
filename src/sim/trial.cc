// One seed from the first start to the verdict.
#include "trial.h"

#include <fmt/core.h>

namespace millrace::sim {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000, ns_per_s = 1'000'000'000;
constexpr uint64_t step_ns = 50 * ns_per_ms;
constexpr uint64_t peace_ns = 60 * ns_per_s;     // In which everything must work again.
constexpr uint64_t stop_ns_max = 20 * ns_per_s;  // An orderly stop.
constexpr uint64_t life_ns_max = 6 * ns_per_s;
constexpr uint64_t lives_least = 3;
constexpr uint64_t progress_wanted = 3;
// More is a loop that waits for nothing.
constexpr uint64_t turns_at_once_max = 2'000'000, turns_per_s_max = 200'000;
constexpr uint16_t shards_max = 3;
constexpr const char* broker_host = "10.0.0.1";
constexpr uint16_t broker_port = 9092;

BrokerProgramOptions program_options(Random& random) {
    BrokerProgramOptions options;
    BrokerConfig& config = options.config;
    config.data_dir = "/data";
    config.listeners = {{.name = "PLAINTEXT", .host = broker_host, .port = broker_port}};
    config.log_level = "info";
    config.offsets_topic_partitions = 3;
    config.offsets_topic_segment_bytes = 1 << 20;
    config.group_initial_rebalance_delay_ms = 100;
    config.group_min_session_timeout_ms = 1000;
    config.log_retention_check_interval_ms = 1000;
    config.auto_create_topics = false;
    config.cleaner_backoff_ms = 100;
    config.cleaner_dedupe_buffer_bytes = 1 << 20;
    // Small files and caches, so that everything rolls, fills and is recycled soon.
    StorageConfig& storage = options.storage;
    storage.journal_files = 2 + static_cast<uint32_t>(random.below(3));
    storage.journal_file_bytes = (128 << 10) << random.below(4);
    storage.tail_cache_bytes = (64 << 10) << random.below(6);
    storage.dirty_bytes_max = (128 << 10) << random.below(5);
    storage.direct_append_bytes = (4 << 10) << random.below(5);
    storage.commits_in_flight = 1 + static_cast<uint32_t>(random.below(4));
    storage.reserve_bytes = static_cast<int64_t>(random.below(2) * ((64 << 10) << random.below(4)));
    storage.descriptors_max = 8 << random.below(4);
    storage.index_cache_bytes = (4 << 10) << random.below(6);
    options.shards = static_cast<uint16_t>(1 + random.below(shards_max));
    return options;
}

}  // namespace

std::string FaultCounts::to_text() const {
    return fmt::format(
        "{} lives: {} kills, {} power cuts, {} orderly stops, {} changes of the number of shards; "
        "{} lives with disk errors ({} times offline, {} starts failed), {} with a full disk, {} with a slow "
        "one; {} cut links, {} pauses, {} client crashes; {} moves of partitions; {} cleanings",
        lives, kills, power_cuts, orderly_stops, reshardings, faulty_disks, offline, failed_starts,
        full_disks, slow_disks, link_cuts, pauses, client_crashes, moves, cleanings);
}

std::string FaultCounts::met_text() const {
    return fmt::format(
        "met: kills={} power_cuts={} torn_writes={} read_errors={} write_errors={} sync_errors={} "
        "short_reads={} short_writes={} full_disk={} lost_writes={} misdirected_writes={} broken_pages={}",
        kills, power_cuts, met.torn, met.read_errors, met.write_errors, met.sync_errors, met.short_reads,
        met.short_writes, met.full, met.lost_writes, met.misdirected_writes, met.broken_pages);
}

Trial::Trial(const TrialOptions& options)
    : options_(options),
      random_(mix(options.seed, 1000)),
      moves_(mix(options.seed, 1002)),
      lies_(mix(options.seed, 1003)),
      program_(program_options(random_)),
      workload_(mix(options.seed, 1001), fmt::format("{}:{}", broker_host, broker_port)),
      world_({.seed = options.seed,
              .memory_short = options.seed % 3 == 0 ? 500'000u : 0u,  // Caches come and go.
              .print_log = options.print_log}),
      node_(world_.add_node({.shards = program_.shards, .address = broker_host})) {
    if (options.seed % 8 == 0) lie_ = static_cast<Lie>(1 + options.seed / 8 % 3);
    node_.boot([this](SimNode& node) { return std::make_unique<BrokerProgram>(node, program_); });
    for (size_t i = 0; i < client_nodes; i++) {
        clients_.push_back(&world_.add_node());
        clients_[i]->boot([this, i](SimNode& node) { return workload_.start(node, i, client_nodes); });
    }
}

void Trial::say(const std::string& text) {
    if (options_.print_story)
        fmt::print("{:>10.3f} s  {}\n", static_cast<double>(world_.now_ns()) / 1e9, text);
    std::fflush(stdout);
}

void Trial::problem(const std::string& text) {
    say("PROBLEM: " + text);
    workload_.ledger().problem(text);
}

// ---- The course of a trial ------------------------------------------------------------------------------

TrialResult Trial::run() {
    const uint64_t lives = lives_least + below(4);
    const uint64_t until_ns = options_.minutes * 60 * ns_per_s;
    say(fmt::format("seed {}: {} shards", options_.seed, program_.shards));
    for (uint64_t life = 0; (life < lives || world_.now_ns() < until_ns) && !is_spent(); life++) live();
    if (!is_spent() && make_peace()) {
        prove_progress();
        judge();
    }
    faults_.met = node_.disk().faults();
    TrialResult result{.problems = unforgiven(workload_.ledger().verdict()),
                       .faults = faults_,
                       .simulated_ns = world_.now_ns(),
                       .turns = world_.turns(),
                       .trace_hash = world_.trace_hash(),
                       .sent = workload_.ledger().sent_count(),
                       .acknowledged = workload_.ledger().acknowledged_count(),
                       .read = workload_.ledger().read_count()};
    return result;
}

bool Trial::is_spent() const {
    return world_.turns() > turns_at_once_max + world_.now_ns() / ns_per_s * turns_per_s_max;
}

void Trial::pass(uint64_t nanoseconds) {
    const uint64_t end_ns = world_.now_ns() + nanoseconds;
    wait_until([] { return false; }, nanoseconds);
    if (!is_spent()) world_.run_for(end_ns - world_.now_ns());
}

bool Trial::wait_until(const std::function<bool()>& condition, uint64_t within_ns) {
    const bool came = world_.run_until([&] { return is_spent() || condition(); }, within_ns);
    if (!is_spent()) return came;
    if (!std::exchange(told_spent_, true))
        problem(fmt::format("{} turns by {} simulated s: something loops", world_.turns(),
                            world_.now_ns() / ns_per_s));
    return false;
}

void Trial::live() {
    faults_.lives++;
    choose_faults();
    const uint64_t end_ns = world_.now_ns() + ns_per_s / 10 + below(life_ns_max);
    while (world_.now_ns() < end_ns && !is_spent()) {
        pass(1 + below(2 * step_ns));
        mishap();
        watch_lie();
        if (moves_.below(3) == 0) broker()->move_some_partition(moves_.next());
        look_after();
    }
    end_life();
}

// ---- Faults ---------------------------------------------------------------------------------------------

void Trial::choose_faults() {
    end_faults();
    NetworkOptions& network = world_.network();
    network.lapse = one_in(2) ? 10'000 : 0;
    network.short_send = one_in(2) ? 50'000 : 0;
    network.reset = one_in(3) ? static_cast<uint32_t>(below(5000)) : 0;
    network.half_open = one_in(2) ? 500'000 : 0;
    DiskOptions& disk = node_.disk().options();
    disk.short_read = one_in(2) ? 20'000 : 0;
    disk.short_write = one_in(2) ? 20'000 : 0;
    disk.torn_at_kill = one_in(2) ? 800'000 : 0;
    if (one_in(4)) {
        disk.spike = static_cast<uint32_t>(1 + below(20'000));
        faults_.slow_disks++;
    }
    if (lie_ != Lie::none) return begin_lie(disk);
    // One life in three has errors for certain, one a full disk.
    const uint64_t turn = (options_.seed + faults_.lives) % lives_least;
    if (turn == 0 || one_in(6)) choose_errors(disk);
    if (turn == 1 || one_in(8)) {
        disk.capacity_bytes = node_.disk().used_bytes() + below(1 << 20);
        disk_fails_ = true;
        faults_.full_disks++;
        say(fmt::format("the disk has room for {} bytes", disk.capacity_bytes - node_.disk().used_bytes()));
    }
    say(fmt::format("errors of the disk: write {}, sync {}, read {}; resets {}; spikes {}", disk.write_error,
                    disk.sync_error, disk.read_error, network.reset, disk.spike));
}

// From once in a long while to often enough that nothing goes on.
void Trial::choose_errors(DiskOptions& disk) {
    const auto rate = [&] { return static_cast<uint32_t>(100 << below(7)); };
    const uint64_t kinds = 1 + below(7);
    disk.write_error = kinds & 1 ? rate() : 0;
    disk.sync_error = kinds & 2 ? rate() : 0;
    disk.read_error = kinds & 4 ? 10 * rate() : 0;  // There are few reads.
    disk_fails_ = true;
    faults_.faulty_disks++;
}

void Trial::end_faults() {
    node_.disk().options() = {};
    NetworkOptions& network = world_.network();
    network.lapse = network.short_send = network.reset = network.half_open = 0;
    for (SimNode* client : clients_) {
        world_.heal_link(node_, *client);
        world_.heal_link(*client, node_);
    }
}

void Trial::mishap() {
    SimNode& client = *clients_[below(clients_.size())];
    switch (below(60)) {
        case 0: {
            const uint64_t length_ns = below(2 * ns_per_s);
            faults_.pauses++, paused_until_ns_ = world_.now_ns() + length_ns;
            return node_.pause(length_ns);
        }
        case 1: faults_.link_cuts++; return world_.cut_link(node_, client);
        case 2: faults_.link_cuts++; return world_.cut_link(client, node_);
        case 3:
            faults_.client_crashes++;
            say("crash of client node " + client.address());
            client.crash(Crash::kill);
            return client.restart();
        case 4:
        case 5:
        case 6:
        case 7: world_.heal_link(node_, client); return world_.heal_link(client, node_);
        default: return;
    }
}

// What an operator does: a broker that cannot go on is started again.
void Trial::look_after() {
    BrokerProgram* program = broker();
    const bool failed = program->state() == BrokerProgram::State::failed;
    if (!failed && !program->is_offline()) return;
    if (!disk_fails_) problem(failed ? "a start failed without a fault" : "offline without a fault");
    failed ? faults_.failed_starts++ : faults_.offline++;
    say(failed ? "the start failed" : "the broker is offline");
    pass(below(ns_per_s));
    if (!failed && one_in(2)) return stop_in_order();
    crash(one_in(2) ? Crash::kill : Crash::power_cut);
    restart();
}

void Trial::end_life() {
    faults_.moves += broker()->moves();
    switch (below(5)) {
        case 0:
            if (broker()->is_open()) return stop_in_order();
            [[fallthrough]];
        case 1:
        case 2:
        case 3: {
            const Crash how = one_in(2) ? Crash::kill : Crash::power_cut;
            const uint32_t starts = node_.starts();
            node_.crash_at_change(node_.disk().changes() + 1 + below(40), how);
            wait_until([&] { return !node_.is_running() || node_.starts() != starts; }, ns_per_s);
            if (node_.is_running()) return crash(how), restart();
            (how == Crash::kill ? faults_.kills : faults_.power_cuts)++;
            say(how == Crash::kill ? "kill in a change of the disk" : "power cut in a change of the disk");
            return restart();
        }
        default: crash(one_in(2) ? Crash::kill : Crash::power_cut); return restart();
    }
}

void Trial::stop_in_order() {
    faults_.orderly_stops++;
    say("orderly stop");
    broker()->close();
    const bool closed =
        wait_until([&] { return broker()->state() == BrokerProgram::State::closed; }, stop_ns_max);
    if (!closed) problem("an orderly stop does not end");
    if (closed) check_leaks();
    node_.crash(one_in(2) ? Crash::kill : Crash::power_cut);
    restart();
}

void Trial::check_leaks() {
    pass(100 * ns_per_ms);
    if (const size_t count = node_.receive_buffers_out(); count != 0)
        problem(fmt::format("{} receive buffers are out after an orderly stop", count));
    if (const size_t count = node_.open_descriptors(); count != 0 && !disk_fails_)
        problem(fmt::format("{} descriptors are open after an orderly stop", count));
}

void Trial::crash(Crash how) {
    (how == Crash::kill ? faults_.kills : faults_.power_cuts)++;
    say(how == Crash::kill ? "kill" : "power cut");
    node_.crash(how);
}

void Trial::restart() {
    check_lines();
    if (std::exchange(power_cuts_, node_.power_cuts()) != node_.power_cuts())
        workload_.ledger().lose_power(world_.now_ns());
    else
        workload_.ledger().lose_memory(world_.now_ns(), memory_window_ns());
    pass(below(ns_per_s));
    const DiskOptions& disk = node_.disk().options();
    disk_fails_ = disk.write_error + disk.sync_error + disk.read_error != 0 ||
                  disk.capacity_bytes != DiskOptions{}.capacity_bytes || has_lied();
    if (one_in(3)) {
        program_.shards = static_cast<uint16_t>(1 + below(shards_max));
        faults_.reshardings++;
    }
    node_.set_shards(program_.shards);
    say(fmt::format("start with {} shards", program_.shards));
    node_.restart();
}

// What durability=memory may lose: 10 ms and the commits under way, on a node that runs and a disk that
// works.
uint64_t Trial::memory_window_ns() const {
    constexpr uint64_t commits_ns = 50 * ns_per_ms, long_ns = 30 * ns_per_s;
    const bool is_slow = disk_fails_ || node_.disk().options().spike > 0;
    return is_slow || world_.now_ns() < paused_until_ns_ + ns_per_s ? long_ns : commits_ns;
}

// An error in the log has a fault of the disk as its cause.
void Trial::check_lines() {
    const auto& lines = world_.lines();
    for (; lines_checked_ < lines.size(); lines_checked_++) {
        const SimLine& line = lines[lines_checked_];
        faults_.cleanings += line.text.find("a partition was cleaned") != std::string::npos;
        if (line.level == Level::error && !disk_fails_ && lie_ == Lie::none)
            problem("error without a fault: " + line.text);
    }
}

// ---- Peace ----------------------------------------------------------------------------------------------

bool Trial::make_peace() {
    say("no more faults");
    end_faults();
    if (broker()->state() == BrokerProgram::State::failed || broker()->is_offline()) {
        crash(Crash::kill);
        restart();
    }
    const auto is_up = [&] {
        return broker()->is_open() || broker()->state() == BrokerProgram::State::failed;
    };
    wait_until(is_up, peace_ns);
    if (broker()->is_offline() || broker()->state() == BrokerProgram::State::failed) {
        crash(Crash::kill);  // Errors from before the peace were still on their way.
        restart();
        wait_until(is_up, peace_ns);
    }
    if (!broker()->is_open()) problem("the broker does not start");
    return broker()->is_open();
}

void Trial::prove_progress() {
    const std::vector<Workload::Progress> before = workload_.progress();
    const auto lags = [&](size_t i) {
        return workload_.progress()[i].done < before[i].done + progress_wanted;
    };
    const auto all_came_on = [&] {
        for (size_t i = 0; i < before.size(); i++)
            if (lags(i)) return false;
        return true;
    };
    if (!wait_until(all_came_on, peace_ns))
        for (size_t i = 0; i < before.size(); i++)
            if (lags(i))
                problem(fmt::format("{} is stuck ({})", before[i].actor, workload_.progress()[i].last));
    say("all came on");
    workload_.stop();
    if (wait_until([&] { return workload_.all_stopped(); }, peace_ns)) return;
    for (const auto& progress : workload_.progress())
        if (progress.alive) problem(fmt::format("{} does not stop ({})", progress.actor, progress.last));
}

// ---- Judgement ------------------------------------------------------------------------------------------

Workload::Snapshot Trial::look() {
    std::optional<Workload::Snapshot> snapshot;
    clients_[0]->spawn(keep_value(workload_.look_at_everything(clients_[0]->io()), snapshot));
    wait_until([&] { return snapshot.has_value(); }, 4 * peace_ns);
    if (!snapshot || !snapshot->complete) problem("the last look does not end well");
    return snapshot.value_or(Workload::Snapshot{});
}

void Trial::judge() {
    const Workload::Snapshot before = look();
    pass(ns_per_s);  // What nobody waited for is flushed by then.
    crash(Crash::power_cut);
    restart();
    if (!make_peace()) return;
    const Workload::Snapshot after = look();
    if (!before.complete || !after.complete) return;
    const auto same_entry = [](const auto& a, const auto& b) {
        return a.offset == b.offset && a.value == b.value;
    };
    for (const auto& [place, log] : after.logs) {
        // What was cleaned away in between, the ledger judges.
        if (workload_.ledger().topics()[place.first].compacts) continue;
        const auto first = std::ranges::lower_bound(before.logs.at(place), Offset{after.starts.at(place)}, {},
                                                    &History::Entry::offset);
        if (!std::equal(first, before.logs.at(place).end(), log.begin(), log.end(), same_entry))
            problem(fmt::format("{}-{} is another log after a power cut", place.first, place.second));
    }
    judge_snapshot(after);
    stop_in_order();
    check_lines();
}

void Trial::judge_snapshot(const Workload::Snapshot& snapshot) {
    Ledger& ledger = workload_.ledger();
    ledger.saw_topics(snapshot.topics);
    std::set<std::string> gone;
    for (const Ledger::Place& place : ledger.places()) {
        if (const auto log = snapshot.logs.find(place); log != snapshot.logs.end())
            ledger.finish(place, snapshot.starts.at(place), log->second);
        else
            gone.insert(place.first);
    }
    for (const std::string& topic : gone) ledger.finish_gone(topic);
    for (const auto& [place, offset] : ledger.commits(std::string(Workload::group))) {
        const auto found = snapshot.committed.find(place);
        if (found == snapshot.committed.end() || found->second < offset)
            problem(fmt::format("{}-{}: committed was {}, it is {}", place.first, place.second, offset,
                                found == snapshot.committed.end() ? -1 : found->second));
    }
}

}  // namespace millrace::sim
